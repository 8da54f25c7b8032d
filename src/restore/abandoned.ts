// Restored data that the cluster has gone on without, in a unit that was away at that time. They have the
// system identifier of the cluster, and perhaps the number of its timeline, so Patroni and PostgreSQL might
// take them for those of a replica: they must not run, and go as soon as there are others to copy.

import type { Cluster, PostgresqlHook } from '../adapters/cluster.ts';
import {
  clearDataDirectory,
  finishRemoval,
  hasData,
  isAside,
  stopDatabase,
} from '../adapters/data-directory.ts';
import {
  type RestoreMark,
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
  const has = await hasData(hook);
  if (has && (await otherLeader(cluster)) === undefined) return true;
  await clearDataDirectory(hook, 'none');
  if (has) hook.log('WARNING', 'restored data that the cluster has gone on without are gone');
  await removeCopiedMark(hook);
  await removeRestoreMark(hook);
  cluster.setUnit({ [resultKey]: undefined });
  return false;
}

/** Whether the data here are of a restore that the cluster has gone on without. */
export async function hasAbandoned(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  const { abandonedRestores } = await cluster.appData();
  if (abandonedRestores.length === 0) return false;
  const id = await restoreOfData(hook);
  return id !== undefined && abandonedRestores.includes(id);
}

/** The restore that the data here come from, by its request or its own id. */
async function restoreOfData(hook: PostgresqlHook): Promise<string | undefined> {
  const mark = await readRestoreMark(hook);
  if (mark?.phase === 'restored') return mark.request ?? mark.id;
  // They are being replaced by those of a backup.
  if (mark !== undefined && restoresAtStart(mark)) {
    return (await hasNothingBefore(hook, mark)) ? mark.id : undefined;
  }
  // Until that mark goes, the data are those of before, or none.
  return (await readStoppedMark(hook)) === undefined ? await readCopiedMark(hook) : undefined;
}

/** Whether what an only unit has is at most a beginning of the restored data, or a rest of those of before. */
export async function hasNothingBefore(
  hook: PostgresqlHook,
  { request, phase, old }: RestoreMark,
): Promise<boolean> {
  if (request !== undefined || !['stopped', 'started'].includes(phase)) return false;
  return (phase === 'started' || old !== 'aside') && !(await isAside(hook));
}
