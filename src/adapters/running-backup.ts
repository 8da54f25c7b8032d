// Whether somebody makes a backup now, on whichever unit. pgBackRest's own lock is seen in the pod
// only that holds it; but every backup has a session on the primary, which all units can see, and
// which ends with the backup however that ends.

import { CodedError } from '../../lib/base/error.ts';
import type { StanzaInfo } from '../core/backups/backup-list.ts';
import type { Cluster, PostgresqlHook } from './cluster.ts';
import { withPrimary } from './users.ts';

/** `unknown`: the primary cannot be asked. */
export type BackupActivity = 'none' | 'running' | 'unknown';

export async function readBackupActivity(
  hook: PostgresqlHook,
  cluster: Cluster | undefined,
): Promise<BackupActivity> {
  if (cluster === undefined || (await cluster.primary()) === undefined) return 'unknown';
  try {
    const { backupRuns } = await withPrimary(hook, cluster, async (postgres) => {
      return await postgres.copying();
    });
    return backupRuns ? 'running' : 'none';
  } catch (error) {
    // Not from the database or from Kubernetes: then it cannot be told.
    if (!(error instanceof CodedError)) throw error;
    hook.log('WARNING', `cannot tell whether a backup runs: ${error.message}`);
    return 'unknown';
  }
}

/** The same, with what pgBackRest says of its lock in this pod: backups and expiries take it. */
export function withLock(activity: BackupActivity, stanza: StanzaInfo | undefined): BackupActivity {
  return stanza?.lock === undefined ? activity : 'running';
}

/** How far the backup of this pod is. */
export function progressOf(stanza: StanzaInfo | undefined): number | undefined {
  const { size = 0, sizeComplete } = stanza?.lock ?? {};
  if (size === 0 || sizeComplete === undefined) return undefined;
  return Math.min(100, Math.floor((100 * sizeComplete) / size));
}
