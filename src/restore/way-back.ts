// The way back to the data of before, with what Patroni remembered of them. Each step may be repeated.

import type { Cluster, PostgresqlHook } from '../adapters/cluster.ts';
import {
  clearDataDirectory,
  hasData,
  isAside,
  putBack,
  removeRestored,
} from '../adapters/data-directory.ts';
import { writePatroniState } from '../adapters/patroni-state.ts';
import {
  type RestoreMark,
  removeRestoreMark,
  writeMarkIfRoom,
  writeRestoreMark,
} from '../adapters/restore-mark.ts';
import { hasAbandoned } from './abandoned.ts';
import { failureOf, resumeService } from './services.ts';

/** Nothing of the old data has been lost yet: they come back, and it is as if nobody had asked. */
export async function backOut(
  hook: PostgresqlHook,
  cluster: Cluster,
  mark: RestoreMark,
): Promise<void> {
  const failure = await failureOf(async () => {
    await bringBack(hook, mark);
    await writeSaved(hook, cluster, mark);
  });
  if (failure !== undefined) {
    hook.log('ERROR', `the data of before are put back later: ${failure}`);
    await writeRestoreMark(hook, { ...mark, phase: 'undoing', failure });
    return;
  }
  if (mark.before !== undefined && mark.request === undefined) {
    await writeRestoreMark(hook, { ...mark, phase: 'started', failure: mark.before });
    return;
  }
  await removeRestoreMark(hook);
  await resumeWithData(hook, cluster);
}

/**
 * Says that the data of before come back, once the database is down. On a full volume nothing can be
 * written before that is gone which would go next: without the word for it, that is found out again.
 */
export async function writeUndoing(hook: PostgresqlHook, mark: RestoreMark): Promise<void> {
  const undoing = { ...mark, phase: 'undoing' } as const;
  if (await writeMarkIfRoom(hook, undoing)) return;
  hook.log('WARNING', 'the volume is full: what has been restored goes');
  if (hasNone(mark) || (await isAside(hook))) await removeRestored(hook);
  await writeRestoreMark(hook, undoing);
}

/** Whether the data of before are those of the other units alone. */
function hasNone({ old, request }: RestoreMark): boolean {
  return old === 'none' && request !== undefined;
}

/** The data of before; none where this unit had none, and others of its cluster have. May be repeated. */
export async function bringBack(hook: PostgresqlHook, mark: RestoreMark): Promise<void> {
  if (hasNone(await withOldAsItIs(hook, mark))) await clearDataDirectory(hook, 'none');
  else await putBack(hook);
}

/** What stood aside may have been taken away: then what is in its place are not the data of before. */
export async function withOldAsItIs(hook: PostgresqlHook, mark: RestoreMark): Promise<RestoreMark> {
  const stoodAside = mark.phase === 'started' && mark.old === 'aside';
  return stoodAside && !(await isAside(hook)) ? { ...mark, old: 'none' } : mark;
}

/** Whether the cluster still waits for the end of this request. */
export async function isAwaited(cluster: Cluster, id: string): Promise<boolean> {
  const { restoreRequest: request } = await cluster.appData();
  return request?.id === id && request.phase === 'stop';
}

/** Until it has been copied, nothing has been forgotten. What a cluster remembers that went on stays. */
export async function writeSaved(
  hook: PostgresqlHook,
  cluster: Cluster,
  { saved, request }: RestoreMark,
): Promise<void> {
  if (request !== undefined && !(await isAwaited(cluster, request))) return;
  if (saved !== undefined) await writePatroniState(hook, cluster, { saved });
}

/** Without data a start has to be that of a new member, which looks first whether there is a cluster. */
export async function resumeWithData(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  // Those of before may be data that must not run.
  if (await hasAbandoned(hook, cluster)) return;
  if (await hasData(hook)) await resumeService(hook);
}
