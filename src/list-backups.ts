// The list-backups action as its flowchart draws it: what the repository holds, whoever put it there.

import { CodedError } from '../lib/base/error.ts';
import type { S3Parameters } from '../lib/interfaces/s3-fields.ts';
import type { Handler } from '../lib/juju/hook.ts';
import { readArchive } from './adapters/archive.ts';
import { openCluster, type PostgresqlHook } from './adapters/cluster.ts';
import {
  readFolders,
  readUnlisted,
  type StanzaFolders,
  type Unlisted,
} from './adapters/failed-backups.ts';
import { noteBackups } from './adapters/last-backup.ts';
import { ObjectStoreError } from './adapters/object-store-error.ts';
import { info } from './adapters/pgbackrest.ts';
import {
  readRepository,
  reasonWithHint,
  refusalOf,
  writeRepositoryConfig,
} from './adapters/repository.ts';
import { readBackupActivity, withLock } from './adapters/running-backup.ts';
import { renderBackupDocument } from './core/backups/backup-document.ts';
import { type StanzaInfo, usableBackups } from './core/backups/backup-list.ts';
import { renderBackupTable } from './core/backups/backup-table.ts';
import { type LastBackup, lastOf } from './core/backups/last-backup.ts';
import type { RepositoryState } from './core/backups/repository-state.ts';
import { parseSchedule, type Schedule } from './core/backups/schedule.ts';
import { windowsOf } from './core/backups/windows.ts';
import { stanzaName } from './core/names.ts';
import type { PostgresqlPorts } from './ports.ts';

/** docs/flowcharts/list-backups.mmd */
export const listBackups: Handler<PostgresqlPorts> = async (hook) => {
  const { walk, juju } = hook;
  const action = juju.action();
  const reading = await readRepository(hook);
  const refusal = refusalOf(reading);
  const fail = (message: string): void => {
    walk.step('fail_action');
    action.fail(message);
  };
  if (!walk.decide('is_s3_relation_established', reading.kind !== 'no-relation')) {
    fail(refusal ?? '');
    return;
  }
  if (
    walk.decide('has_missing_s3_parameters', reading.kind !== 'ready') ||
    reading.kind !== 'ready'
  ) {
    fail(refusal ?? '');
    return;
  }
  const listing = await readListing(hook, reading.parameters);
  if (!walk.decide('does_pgbackrest_returned_backups_list', !('failure' in listing))) {
    fail(
      `Failed to list PostgreSQL backups with error: ${'failure' in listing && listing.failure}`,
    );
    return;
  }
  walk.step('return_formatted_backup_list');
  if ('state' in listing) action.setResults(resultsOf(reading.parameters, listing));
};

interface Listing {
  readonly state: RepositoryState;
  readonly encrypted: boolean;
  /** Of this cluster. */
  readonly last: LastBackup;
  readonly schedule: Schedule;
}

function resultsOf({ bucket, path }: S3Parameters, { state, encrypted, ...own }: Listing) {
  const { backups, archive, lineage } = state;
  const windows = windowsOf(backups, archive.archives, lineage);
  return {
    backups: renderBackupTable({ bucket, path }, { ...state, timelines: archive.histories }),
    'backups-json': renderBackupDocument({ bucket, path, encrypted }, state, { windows, ...own }),
  };
}

async function readListing(
  hook: PostgresqlHook,
  parameters: S3Parameters,
): Promise<Listing | { readonly failure: string }> {
  const looked = await lookAtFolders(hook, parameters);
  if (looked.kind === 'unreachable') return { failure: looked.reason };
  try {
    const folders = looked.kind === 'seen' ? looked.folders : undefined;
    return await readAll(hook, parameters, folders);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return { failure: looked.kind === 'refused' ? looked.reason : error.message };
  }
}

/**
 * The order matters: a backup that ends while this reads is found finished, because pgBackRest's list
 * comes after the folders and the look for a running one.
 */
async function readAll(
  hook: PostgresqlHook,
  parameters: S3Parameters,
  folders: StanzaFolders | undefined,
): Promise<Listing> {
  const { pebble } = hook.ports;
  const cluster = await openCluster(hook);
  // Without a file pgBackRest looks somewhere else, finds nothing, and is content.
  if (cluster !== undefined) await writeRepositoryConfig(hook, cluster, parameters);
  const activity = await readBackupActivity(hook, cluster);
  const stanzas = await info(pebble);
  const { archive, lineage } = await readArchive(pebble, stanzas);
  const own = stanzaName(hook.juju.context.modelName, hook.juju.context.app);
  const locked = withLock(activity, stanzaOf(stanzas, own));
  const unlisted: Unlisted =
    folders === undefined
      ? { failed: [] }
      : await readUnlisted(hook, { parameters, folders, stanzas, own, activity: locked });
  const backups = stanzas.flatMap((stanza) => stanza.backups);
  if (cluster !== undefined) await noteBackups(hook, cluster, stanzas);
  return {
    last: lastOf(usableBackups(stanzas, own), hook.ports.clock.nowMs() / 1000),
    schedule: parseSchedule((await cluster?.appData())?.backupSchedule),
    state: { backups, archive, lineage, ...unlisted },
    encrypted: stanzas.some((stanza) => stanza.encrypted),
  };
}

function stanzaOf(stanzas: readonly StanzaInfo[], own: string): StanzaInfo | undefined {
  return stanzas.find(({ name }) => name === own);
}

type Look =
  | { readonly kind: 'seen'; readonly folders: StanzaFolders }
  | { readonly kind: 'refused' | 'unreachable'; readonly reason: string };

/**
 * What pgBackRest lists is worth showing when the charm itself does not get at the storage; but where
 * nobody answers pgBackRest would only try for minutes.
 */
async function lookAtFolders(hook: PostgresqlHook, parameters: S3Parameters): Promise<Look> {
  try {
    return { kind: 'seen', folders: await readFolders(hook, parameters) };
  } catch (error) {
    if (!(error instanceof ObjectStoreError)) throw error;
    const reason = reasonWithHint(error);
    if (error.code === 'unreachable') return { kind: 'unreachable', reason };
    await hook.juju.action().log(`backups that failed or run are not shown: ${reason}`);
    return { kind: 'refused', reason };
  }
}
