// Restored data that the cluster has gone on without, in a unit that was away at that time. They have the
// system identifier of the cluster, and perhaps the number of its timeline, so Patroni and PostgreSQL might
// take them for those of a replica: they must not run, and go as soon as there are others to copy.

import type { Cluster, PostgresqlHook } from '../adapters/cluster.ts';
import {
  clearDataDirectory,
  finishRemoval,
  hasData,
  stopDatabase,
} from '../adapters/data-directory.ts';
import {
  readCopiedMark,
  readRestoreMark,
  readStoppedMark,
  removeCopiedMark,
  removeRestoreMark,
  restoresAtStart,
} from '../adapters/restore-mark.ts';
import { otherLeader } from './others.ts';
import { isNewContainer, setLayer } from './services.ts';
import { resultKey } from './told.ts';

/** Says whether this unit has such data, and has to stay down. */
export async function holdAbandoned(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  if (!(await hasAbandoned(hook, cluster))) return false;
  if (!(await isNewContainer(hook))) await setLayer(hook, { restart: false });
  await stopDatabase(hook);
  await finishRemoval(hook);
  // What has gone already, or never came, keeps nobody down.
  if (await hasData(hook)) {
    if ((await otherLeader(cluster)) === undefined) return true;
    await clearDataDirectory(hook, 'none');
    hook.log('WARNING', 'restored data that the cluster has gone on without are gone');
  }
  await removeCopiedMark(hook);
  await removeRestoreMark(hook);
  cluster.setUnit({ [resultKey]: undefined });
  return false;
}

/** Whether the data here are of a restore that the cluster has gone on without. */
export async function hasAbandoned(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  const { abandonedRestores } = await cluster.appData();
  if (abandonedRestores.length === 0) return false;
  const request = await restoredRequest(hook);
  return request !== undefined && abandonedRestores.includes(request);
}

/** The request that the data here come from. */
async function restoredRequest(hook: PostgresqlHook): Promise<string | undefined> {
  const mark = await readRestoreMark(hook);
  if (mark?.phase === 'restored') return mark.request;
  // They are being replaced by those of a backup.
  if (mark !== undefined && restoresAtStart(mark)) return undefined;
  // Until that mark goes, the data are those of before, or none.
  return (await readStoppedMark(hook)) === undefined ? await readCopiedMark(hook) : undefined;
}
