// What is left of a restore that has ended here: the mark, or what the unit has told, until the leader has
// heard of it, whatever became of the hook that would have told.

import type { Cluster, PostgresqlHook } from '../adapters/cluster.ts';
import { type RestoreMark, removeRestoreMark } from '../adapters/restore-mark.ts';
import { retryRepository } from '../backups.ts';
import { concludeFailure, concludeSuccess, hasJustConcluded } from './end.ts';
import { doesPrimaryAnswer } from './services.ts';
import { cancelled, readOnlyResult, resultKey } from './told.ts';

/** Until Juju has what the mark says; then that goes. */
export async function followEnded(
  hook: PostgresqlHook,
  cluster: Cluster,
  mark: RestoreMark,
): Promise<boolean> {
  if (hasJustConcluded(hook)) return true;
  if (await isTold(cluster, mark)) {
    await removeRestoreMark(hook);
    cluster.setUnit({ [resultKey]: undefined });
    return false;
  }
  if (mark.phase === 'undone') await concludeFailure(hook, cluster, mark);
  else await concludeSuccess(hook, cluster, mark);
  return true;
}

async function isTold(
  cluster: Cluster,
  { request, phase, failure }: RestoreMark,
): Promise<boolean> {
  const app = await cluster.appData();
  if (request !== undefined) return app.restoreRequest?.id !== request;
  if (app.restoringBackup !== undefined) return false;
  if (phase === 'restored' || failure === cancelled || app.restoreFailure !== undefined)
    return true;
  // The leader has heard it, and somebody has taken note since.
  return (await readOnlyResult(cluster, cluster.unit)) !== undefined;
}

/** The mark has gone, and the hook that would have told Juju was killed. */
export async function tellEnd(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  if ((await cluster.appData()).restoringUnit !== cluster.unit) return;
  const tells =
    (await hook.juju.isLeader()) || (await readOnlyResult(cluster, cluster.unit)) === undefined;
  if (!tells || !(await doesPrimaryAnswer(cluster))) return;
  await concludeSuccess(hook, cluster, {});
  await retryRepository(hook, cluster);
}

/** Of a restore that has long been over: the hook that would have taken it away was killed. */
export async function forgetResult(cluster: Cluster): Promise<void> {
  if ((await cluster.unitData())[resultKey] !== undefined) {
    cluster.setUnit({ [resultKey]: undefined });
  }
}
