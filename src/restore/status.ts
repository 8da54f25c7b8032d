// What a unit shows while its database is being replaced by that of a backup.

import type { Status } from '../../lib/juju/juju.ts';
import { type Cluster, isRestoring, type PostgresqlHook } from '../adapters/cluster.ts';
import { hasFailed, isOver, type RestoreMark, readRestoreMark } from '../adapters/restore-mark.ts';
import {
  failedToRestore,
  failedToRestoreTime,
  restoreAwaits,
  restoringBackup,
  stoppedForRestore,
} from '../core/status.ts';
import { awaitedUnits } from './follow.ts';

/** Contributes it; says whether there is a restore, which is then all there is to say. */
export async function collectRestoreStatus(
  hook: PostgresqlHook,
  cluster: Cluster,
): Promise<boolean> {
  const app = await cluster.appData();
  if (!isRestoring(app)) return false;
  const status = await statusOf(hook, cluster);
  if (status !== undefined) hook.status(status);
  return status !== undefined;
}

async function statusOf(hook: PostgresqlHook, cluster: Cluster): Promise<Status | undefined> {
  const { restoreRequest: request, restoringBackup: label } = await cluster.appData();
  const mark = await readRestoreMark(hook);
  if (mark !== undefined && !isOver(mark)) return markStatus(mark);
  if (request === undefined) return label === undefined ? undefined : restoringBackup;
  // The others follow one after another; each shows itself how far it is.
  if (request.phase !== 'stop') return undefined;
  if (request.unit !== cluster.unit) return stoppedForRestore;
  const awaited = await awaitedUnits(cluster, request);
  return awaited.length === 0 ? restoringBackup : restoreAwaits(awaited);
}

function markStatus(mark: RestoreMark): Status {
  const { failure = '', time } = mark;
  if (!hasFailed(mark)) return restoringBackup;
  return time === undefined ? failedToRestore(failure) : failedToRestoreTime(failure);
}
