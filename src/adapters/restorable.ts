// What the repository has that can be restored.

import { type Backup, restorableBackups } from '../core/backups/backup-list.ts';
import type { Catalogue } from '../core/backups/restore-target.ts';
import { windowsOf } from '../core/backups/windows.ts';
import { stanzaName } from '../core/names.ts';
import { readArchive } from './archive.ts';
import type { Cluster, PostgresqlHook } from './cluster.ts';
import { info } from './pgbackrest.ts';

/** Backups of the own stanza, then those of others; the WAL is read only for who needs it. */
export async function readCatalogue(
  hook: PostgresqlHook,
  { namespace, app }: Pick<Cluster, 'namespace' | 'app'>,
  { needsWal }: { readonly needsWal: (backups: readonly Backup[]) => boolean },
): Promise<Catalogue> {
  const { pebble } = hook.ports;
  const stanzas = await info(pebble);
  const backups = restorableBackups(stanzas, stanzaName(namespace, app));
  if (!needsWal(backups)) return { backups, histories: [], windows: [] };
  const { archive, lineage } = await readArchive(pebble, stanzas);
  return {
    backups,
    histories: archive.histories,
    windows: windowsOf(backups, archive.archives, lineage),
  };
}
