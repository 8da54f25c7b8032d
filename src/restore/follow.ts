// What every hook does about a restore that is under way: the unit that restores goes on with it, the
// others of its cluster stop, wait, and copy the restored data, and the leader tells them when. Each step
// can be done again by whatever hook comes next.

import { isPebbleError } from '../../lib/pebble/errors.ts';
import type { Cluster, PostgresqlHook } from '../adapters/cluster.ts';
import {
  clearDataDirectory,
  hasData,
  isHeldUp,
  removeLeftovers,
  removeRestored,
  stopDatabase,
} from '../adapters/data-directory.ts';
import {
  hasFailed,
  isOver,
  type RestoreMark,
  readRestoreMark,
  removeCopiedMark,
  removeRestoreMark,
} from '../adapters/restore-mark.ts';
import { readClusterIdentifier } from '../adapters/storage-identity.ts';
import { isReachable } from '../adapters/watch-state.ts';
import { retryRepository } from '../backups.ts';
import { restoreHeldUp, restoreNeedsRoom } from '../core/status.ts';
import { quietly } from '../quietly.ts';
import { hasNothingBefore, holdAbandoned } from './abandoned.ts';
import { mayBegin } from './begin.ts';
import { completeRestore, settleRestore, undoRestore } from './end.ts';
import { followEnded, forgetResult, tellEnd } from './ended.ts';
import { leadRequest } from './lead.ts';
import { followOther, otherLeader } from './others.ts';
import { hasSay, readOwnMark } from './own-mark.ts';
import { performRestore } from './run.ts';
import { isNewContainer } from './services.ts';
import { announce, cancelled, endedRestore, nameOf, publishResult } from './told.ts';
import { bringBack, isAwaited, withOldAsItIs, writeUndoing } from './way-back.ts';

/** Says whether this unit is part of a restore: then nothing else is to be done to its database. */
export async function followRestore(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  const silent = quietly(hook);
  const takesPart =
    (await isReachable(hook)) &&
    (await patiently(silent, async () => await followAsMember(silent, cluster)));
  // The others wait for the leader, whatever has become of its own member.
  await leadRequest(silent, cluster);
  return takesPart;
}

/**
 * A shutdown checkpoint may take minutes, and on a full volume no mark can be written: the next hook goes on,
 * and until then nothing else is done.
 */
async function patiently(hook: PostgresqlHook, work: () => Promise<boolean>): Promise<boolean> {
  try {
    return await work();
  } catch (error) {
    if (!isHeldUp(error)) throw error;
    hook.log('WARNING', `the restore goes on later: ${error.message}`);
    hook.status(isPebbleError(error, 'no-space') ? restoreNeedsRoom : restoreHeldUp(error.message));
    return true;
  }
}

async function followAsMember(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  if (await holdAbandoned(hook, cluster)) return true;
  const restores = await followOwn(hook, cluster);
  const waits = await followOther(hook, cluster);
  return restores || waits;
}

/** Whether this member may not be started, for a restore that it is not at work with itself. */
export async function isHeldByRestore(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  const silent = quietly(hook);
  return await patiently(silent, async () => {
    if (await holdAbandoned(silent, cluster)) return true;
    const mark = await readRestoreMark(silent);
    if (mark !== undefined) await dropVoidRestore(silent, cluster, mark);
    return await followOther(silent, cluster);
  });
}

/** Whether there is something to look at, as far as databags tell. */
async function isInvolved(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  const app = await cluster.appData();
  if (app.restoringBackup !== undefined || app.restoreRequest !== undefined) return true;
  // A restore that was killed before Juju learned of it, or one that has left its mark.
  if (await hook.juju.isLeader()) return true;
  const own = await cluster.ownListed();
  return own === undefined || own.role === 'leader';
}

async function followOwn(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  if (!(await isInvolved(hook, cluster))) return false;
  const mark = await readRestoreMark(hook);
  if (mark === undefined || (await dropVoidRestore(hook, cluster, mark))) {
    return await beginWhenAlone(hook, cluster);
  }
  if (!(await hasSay(cluster, mark))) return await beginWhenAlone(hook, cluster);
  // A new container first gets what its services need; its start goes on with the restore.
  if (await isNewContainer(hook)) return false;
  return await steps[mark.phase](hook, cluster, mark);
}

/**
 * A unit that was removed while it restored, and has come back with its volume, finds a mark that nobody
 * waits for: its cluster has gone on without it, and what Patroni remembers is not to be touched.
 */
export async function dropVoidRestore(
  hook: PostgresqlHook,
  cluster: Cluster,
  mark: RestoreMark,
): Promise<boolean> {
  if (isOver(mark) || !(await isVoid(cluster, mark))) return false;
  // What there is then goes as soon as another unit leads: see abandoned.ts.
  if (await hasNothingBefore(hook, mark)) return false;
  hook.log('WARNING', `the restore of ${nameOf(mark)} has been given up while this unit was away`);
  await stopDatabase(hook);
  // Once the data of before are home, only the mark tells that nothing that stands there is to go.
  const undoing = { ...(await withOldAsItIs(hook, mark)), phase: 'undoing' } as const;
  await writeUndoing(hook, undoing);
  await bringBack(hook, undoing);
  await removeRestoreMark(hook);
  return true;
}

async function isVoid(cluster: Cluster, { request, id }: RestoreMark): Promise<boolean> {
  if (request !== undefined) return !(await isAwaited(cluster, request));
  return id !== undefined && (await cluster.appData()).abandonedRestores.includes(id);
}

type Step = (hook: PostgresqlHook, cluster: Cluster, mark: RestoreMark) => Promise<boolean>;

const goOn: Step = async (hook, cluster, mark) => {
  await resume(hook, cluster, mark);
  return true;
};

/** What comes next in each phase; says whether the database is still part of a restore. */
const steps: Readonly<Record<RestoreMark['phase'], Step>> = {
  preparing: goOn,
  stopped: goOn,
  started: async (hook, cluster, mark) => {
    if (await givesWay(hook, cluster, mark)) return false;
    await announceAgain(hook, cluster, mark);
    if (await settleRestore(hook, cluster, mark)) await retryRepository(hook, cluster);
    return true;
  },
  undoing: async (hook, cluster, mark) => {
    await undoRestore(hook, cluster, mark);
    return true;
  },
  restored: async (hook, cluster, mark) => {
    if (mark.request === undefined && (await hook.juju.isLeader())) {
      await completeRestore(hook, cluster, mark);
      await retryRepository(hook, cluster);
      return true;
    }
    await removeLeftovers(hook);
    await removeCopiedMark(hook);
    return await followEnded(hook, cluster, mark);
  },
  undone: followEnded,
};

/** What a restore that failed has left, when the cluster works without it: it is copied anew. */
async function givesWay(
  hook: PostgresqlHook,
  cluster: Cluster,
  mark: RestoreMark,
): Promise<boolean> {
  if (!hasFailed(mark) || (await otherLeader(cluster)) === undefined) return false;
  await stopDatabase(hook);
  await clearDataDirectory(hook, 'none');
  await removeRestoreMark(hook);
  if (await hook.juju.isLeader()) cluster.setApp(endedRestore);
  else if ((await cluster.appData()).restoringUnit === cluster.unit) {
    publishResult(cluster, { request: undefined, state: 'failed', failure: cancelled });
  }
  return true;
}

/** Takes up a restore of this unit that a start finds; says whether that has seen to the services. */
export async function resumeRestore(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  const mark = await readOwnMark(hook, cluster);
  // Nothing is started on what has been left; the restore that is asked for comes soon.
  if (mark === undefined) return (await readRestoreMark(hook)) !== undefined;
  const silent = quietly(hook);
  if (['preparing', 'stopped', 'undoing'].includes(mark.phase)) {
    return await patiently(silent, async () => await steps[mark.phase](silent, cluster, mark));
  }
  const interrupted = mark.phase === 'started' && (await isNewContainer(hook));
  // With half of a backup PostgreSQL does not start; what has become a cluster is left alone.
  if (!interrupted || (await readClusterIdentifier(hook, cluster)) !== undefined) return false;
  const again = { ...(await withOldAsItIs(silent, mark)), phase: 'stopped' } as const;
  // It goes in any case; on a full volume not even the mark could be written before.
  return await patiently(silent, async () => {
    await removeRestored(silent);
    await resume(silent, cluster, again);
    return true;
  });
}

async function resume(hook: PostgresqlHook, cluster: Cluster, mark: RestoreMark): Promise<void> {
  const refused = await performRestore(hook, cluster, mark);
  if (refused === undefined) return;
  hook.log('ERROR', `cannot resume the restore: ${refused.refusal}`);
  // What could not be put back yet is put back by a later hook, which then tells.
  if (mark.request === undefined || (await readRestoreMark(hook)) !== undefined) return;
  const { request } = mark;
  publishResult(cluster, { request, state: 'failed', failure: refused.refusal });
}

/** The databag of a hook that was killed was lost. */
async function announceAgain(
  hook: PostgresqlHook,
  cluster: Cluster,
  mark: RestoreMark,
): Promise<void> {
  if ((await cluster.appData()).restoringBackup === undefined) await announce(hook, cluster, mark);
}

/** The restore of a cluster begins when all other units that there are have said that they are down. */
async function beginWhenAlone(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  const { restoreRequest: request, restoringBackup } = await cluster.appData();
  if (request?.unit !== cluster.unit || request.phase !== 'stop') {
    if (request !== undefined) return false;
    await (restoringBackup === undefined ? forgetResult(cluster) : tellEnd(hook, cluster));
    return false;
  }
  if (!(await mayBegin(hook, cluster, request))) return true;
  const old = (await hasData(hook)) ? 'aside' : 'none';
  await resume(hook, cluster, { ...request.target, phase: 'preparing', old, request: request.id });
  return true;
}
