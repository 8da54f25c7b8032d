// The mark of this unit's restore, as far as it has a say: what an earlier restore has left that failed
// is nothing to the one that the cluster waits for.

import type { Cluster, PostgresqlHook } from '../adapters/cluster.ts';
import { hasFailed, type RestoreMark, readRestoreMark } from '../adapters/restore-mark.ts';

export async function readOwnMark(
  hook: PostgresqlHook,
  cluster: Cluster,
): Promise<RestoreMark | undefined> {
  const mark = await readRestoreMark(hook);
  return mark !== undefined && (await hasSay(cluster, mark)) ? mark : undefined;
}

export async function hasSay(cluster: Cluster, mark: RestoreMark): Promise<boolean> {
  if (!hasFailed(mark)) return true;
  const { restoreRequest: request } = await cluster.appData();
  const isAwaited = request?.unit === cluster.unit && request.phase === 'stop';
  return !isAwaited || request.id === mark.request;
}
