// The cancel-restore action: ends a restore as if it had failed, and takes note of one that has.

import type { Handler } from '../../lib/juju/hook.ts';
import { type Cluster, openCluster, type PostgresqlHook } from '../adapters/cluster.ts';
import { hasWayBack, isHeldUp } from '../adapters/data-directory.ts';
import { isOver, type RestoreMark } from '../adapters/restore-mark.ts';
import type { RestoreRequest } from '../core/backups/restore-request.ts';
import type { PostgresqlPorts } from '../ports.ts';
import { tellResult, undoRestore } from './end.ts';
import { dropVoidRestore, followRestore } from './follow.ts';
import { abandonClone, leadRequest } from './lead.ts';
import { cancelOther } from './only-unit.ts';
import { readOwnMark } from './own-mark.ts';
import { doesPrimaryAnswer, findStranger } from './services.ts';
import { cancelled, endedRestore, publishResult, type Refusal } from './told.ts';

export const cancelRestore: Handler<PostgresqlPorts> = async (hook) => {
  const action = hook.juju.action();
  const cluster = await openCluster(hook);
  if (cluster === undefined || !(await hook.ports.pebble.canConnect())) {
    action.fail('Workload container not ready yet!');
    return;
  }
  const outcome = await cancel(hook, cluster);
  if (typeof outcome === 'string') action.setResults({ status: outcome });
  else action.fail(outcome.refusal);
};

async function cancel(hook: PostgresqlHook, cluster: Cluster): Promise<string | Refusal> {
  const mark = await readOwnMark(hook, cluster);
  if (mark !== undefined && !isOver(mark)) {
    return await cancelOwn(hook, cluster, mark);
  }
  const { restoreRequest: request, restoringBackup } = await cluster.appData();
  if (request !== undefined && request.phase !== 'keep') {
    const refusal = await cancelRequest(hook, cluster, request);
    return refusal === undefined ? 'restore cancelled' : { refusal };
  }
  const isLost = mark === undefined && request === undefined && restoringBackup !== undefined;
  return isLost ? await cancelLost(hook, cluster) : await takeNote(hook, cluster);
}

/** Of one that has failed. */
async function takeNote(hook: PostgresqlHook, cluster: Cluster): Promise<string | Refusal> {
  const { restoreFailure } = await cluster.appData();
  if (restoreFailure === undefined || !(await hook.juju.isLeader())) {
    return { refusal: 'No restore is under way on this unit' };
  }
  cluster.setApp({ 'restore-failure': undefined });
  return 'noted';
}

/** Of an only unit that has lost its volume, and with it what it knew of the restore, or is lost itself. */
async function cancelLost(hook: PostgresqlHook, cluster: Cluster): Promise<string | Refusal> {
  const { restoringUnit: unit = cluster.unit } = await cluster.appData();
  if (unit !== cluster.unit) {
    const refusal = await cancelOther(hook, cluster);
    return refusal === undefined ? 'restore cancelled' : { refusal };
  }
  if (await doesPrimaryAnswer(cluster)) return { refusal: inForce };
  await tellResult(hook, cluster, { request: undefined, state: 'failed', failure: cancelled });
  if (await hook.juju.isLeader()) cluster.setApp(endedRestore);
  return 'restore cancelled';
}

const inForce = 'The restored database is in force';

/** That of a cluster, before this unit has begun with it, or after it has ended here; says why not. */
async function cancelRequest(
  hook: PostgresqlHook,
  cluster: Cluster,
  request: RestoreRequest,
): Promise<string | undefined> {
  if (request.phase === 'clone') return await abandonClone(hook, cluster, request);
  if (request.unit !== cluster.unit) {
    const there = (await cluster.units()).includes(request.unit);
    return there ? `Run it on ${request.unit}` : `It ends by itself when ${request.unit} is gone`;
  }
  const mark = await readOwnMark(hook, cluster);
  // Only the leader has not heard of it yet.
  if (mark?.phase === 'restored' && mark.request === request.id) return inForce;
  publishResult(cluster, { request: request.id, state: 'failed', failure: cancelled });
  await followRestore(hook, cluster);
  return undefined;
}

/** As long as the restored database does not answer. In a cluster the other units have their data. */
async function cancelOwn(
  hook: PostgresqlHook,
  cluster: Cluster,
  mark: RestoreMark,
): Promise<string | Refusal> {
  // Nobody waits for it any more: what Patroni remembers now is not to be written over.
  if (await dropVoidRestore(hook, cluster, mark)) return 'restore cancelled';
  if (mark.phase === 'undoing') return 'restore cancelled';
  const refusal = await refuseWayBack(hook, cluster, mark);
  if (refusal !== undefined) return { refusal };
  try {
    await undoRestore(hook, cluster, { ...mark, failure: cancelled });
  } catch (error) {
    if (!isHeldUp(error)) throw error;
    // The next hook goes on, unless not even the mark could be written.
    if ((await readOwnMark(hook, cluster))?.phase !== 'undoing') return { refusal: error.message };
    hook.log('WARNING', `the restore goes back later: ${error.message}`);
  }
  await leadRequest(hook, cluster);
  return 'restore cancelled';
}

async function refuseWayBack(
  hook: PostgresqlHook,
  cluster: Cluster,
  mark: RestoreMark,
): Promise<string | undefined> {
  const { phase, old, notSetUp } = mark;
  const aside = await hasWayBack(hook, mark);
  if (phase === 'stopped' && !aside && old !== 'aside') {
    return 'The data of before may be gone, so there is nothing to go back to';
  }
  if (phase !== 'started') return undefined;
  if (!aside) return 'The data of before are gone, so there is nothing to go back to';
  if (notSetUp !== undefined || (await findStranger(cluster, mark)) !== undefined) return undefined;
  // What clients have committed since would be lost; the next hook ends the restore.
  return (await doesPrimaryAnswer(cluster)) ? inForce : undefined;
}
