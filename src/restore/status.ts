// What a unit shows while its database is being replaced by that of a backup.

import { JujuError } from '../../lib/juju/error.ts';
import type { Status } from '../../lib/juju/juju.ts';
import { KubeError } from '../../lib/kube/error.ts';
import { type Cluster, isRestoring, type PostgresqlHook } from '../adapters/cluster.ts';
import { hasWayBack } from '../adapters/data-directory.ts';
import { lockHolder, readPresentState } from '../adapters/patroni-state.ts';
import { hasFailed, isOver, type RestoreMark } from '../adapters/restore-mark.ts';
import type { RestoreRequest } from '../core/backups/restore-request.ts';
import {
  creatingBackup,
  failedToRestore,
  failedToRestoreTime,
  nobodyToCopy,
  restoreAwaits,
  restoreEndsWithout,
  restoreNotSetUp,
  restoringBackup,
  stoppedForRestore,
  verifyingBackups,
} from '../core/status.ts';
import { awaitedUnits, unitsAtWork } from './awaited.ts';
import { stoppedKey } from './others.ts';
import { readOwnMark } from './own-mark.ts';

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
  const mark = await readOwnMark(hook, cluster);
  if (mark !== undefined && !isOver(mark)) return await markStatus(hook, mark);
  if (request === undefined) {
    return label === undefined ? undefined : await onlyUnitStatus(cluster);
  }
  if (request.phase === 'clone') return await cloneStatus(hook, cluster, request);
  if (request.phase === 'keep') return undefined;
  if (request.unit !== cluster.unit) {
    const there = (await cluster.units()).includes(request.unit);
    return there ? stoppedForRestore : restoreEndsWithout(request.unit);
  }
  const awaited = await awaitedOf(hook, cluster, request);
  return awaited.length === 0 ? restoringBackup : restoreAwaits(await describe(hook, awaited));
}

/** Of a restore that this unit has no mark of, or that is about to be over. */
async function onlyUnitStatus(cluster: Cluster): Promise<Status> {
  const { restoringUnit: unit = cluster.unit } = await cluster.appData();
  if (unit === cluster.unit || (await cluster.units()).includes(unit)) return restoringBackup;
  return restoreEndsWithout(unit);
}

/** As far as can be known. */
async function awaitedOf(
  hook: PostgresqlHook,
  cluster: Cluster,
  request: RestoreRequest,
): Promise<readonly string[]> {
  try {
    return await awaitedUnits(hook, cluster, request);
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    return await unitsAtWork(cluster, request);
  }
}

/** With what keeps a unit: no event is handled there before its action has ended. */
async function describe(
  hook: PostgresqlHook,
  units: readonly string[],
): Promise<readonly string[]> {
  if (!(await hook.juju.isLeader())) return units;
  try {
    const shown = await hook.juju.unitStatuses();
    return units.map((unit) => {
      const message = shown[unit]?.message ?? '';
      return longWork.includes(message) ? `${unit} (${message})` : unit;
    });
  } catch (error) {
    if (!(error instanceof JujuError)) throw error;
    return units;
  }
}

const longWork = [verifyingBackups.message, creatingBackup.message];

/** The others follow one after another, and each shows itself how far it is, as long as there is a primary. */
async function cloneStatus(
  hook: PostgresqlHook,
  cluster: Cluster,
  { unit }: RestoreRequest,
): Promise<Status | undefined> {
  const waits = (await cluster.unitData())[stoppedKey] !== undefined;
  if (!waits && !(await hook.juju.isLeader())) return undefined;
  if ((await cluster.primary()) !== undefined || (await isLockHeld(hook, cluster)))
    return undefined;
  return nobodyToCopy(unit);
}

/** By a primary that may only be out of reach of this unit; also when nobody knows. */
async function isLockHeld(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  try {
    const present = await readPresentState(hook, cluster);
    const nowMs = hook.ports.clock.nowMs();
    return lockHolder(present, { app: cluster.app, nowMs }) !== undefined;
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    return true;
  }
}

async function markStatus(hook: PostgresqlHook, mark: RestoreMark): Promise<Status> {
  const { failure = '', notSetUp, phase, time } = mark;
  if (!hasFailed(mark)) {
    if (phase !== 'started' || notSetUp === undefined) return restoringBackup;
    return restoreNotSetUp(notSetUp, await hasWayBack(hook, mark));
  }
  return time === undefined ? failedToRestore(failure) : failedToRestoreTime(failure);
}
