// The logs that the charm keeps beside backups, and of those that failed. Nothing of pgBackRest removes
// them with the backups.

import { CodedError } from '../../lib/base/error.ts';
import type { StanzaInfo } from '../core/backups/backup-list.ts';
import { outdatedLogs } from '../core/backups/repository-state.ts';
import type { PostgresqlHook } from './cluster.ts';
import { removeFolder } from './pgbackrest.ts';
import { objectKey, openRepositoryStore, readRepository } from './repository.ts';

/** Each is a call of pgBackRest; the rest goes the next time. */
const mostFolders = 20;

/** Those from before the oldest full backup go. Whatever keeps them there is no reason to fail. */
export async function clearLogs(
  hook: PostgresqlHook,
  stanza: string,
  stanzas: readonly StanzaInfo[],
): Promise<void> {
  const reading = await readRepository(hook);
  if (reading.kind !== 'ready') return;
  const { parameters } = reading;
  const backups = stanzas.find(({ name }) => name === stanza)?.backups ?? [];
  const folder = `backup/${stanza}/`;
  try {
    const names = await openRepositoryStore(hook, parameters).list(objectKey(parameters, folder));
    for (const name of outdatedLogs(names, backups).slice(0, mostFolders)) {
      await removeFolder(hook.ports.pebble, `${folder}${name}`);
    }
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    hook.log('WARNING', `logs of backups that are gone stay: ${error.message}`);
  }
}
