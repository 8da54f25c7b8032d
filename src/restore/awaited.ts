// Whom a restore waits for before it begins: units that have not said yet that they are down, and those that
// Juju does not count, whose pods are members all the same.

import { type Cluster, type PostgresqlHook } from '../adapters/cluster.ts';
import { otherMembers } from '../adapters/kubernetes.ts';
import type { RestoreRequest } from '../core/backups/restore-request.ts';
import { stoppedKey } from './others.ts';

/** Without the Endpoints any of them could take the lock with the data of before. */
export async function awaitedUnits(
  hook: PostgresqlHook,
  cluster: Cluster,
  request: RestoreRequest,
): Promise<readonly string[]> {
  return [...(await unitsAtWork(cluster, request)), ...(await uncountedMembers(hook, cluster))];
}

/** By their own word. */
export async function unitsAtWork(
  cluster: Cluster,
  { id, unit }: RestoreRequest,
): Promise<readonly string[]> {
  const atWork: string[] = [];
  for (const other of (await cluster.units()).filter((one) => one !== unit)) {
    if ((await cluster.peers.data(other))[stoppedKey] !== id) atWork.push(other);
  }
  return atWork;
}

/**
 * Units that are being removed, or have only just been added. Patroni's own list would not do: it has
 * nobody whose Patroni does not answer just now, and nothing at all when the own one does not.
 */
export async function uncountedMembers(
  hook: PostgresqlHook,
  cluster: Cluster,
): Promise<readonly string[]> {
  const counted = await cluster.units();
  return (await otherMembers(hook, cluster)).filter((unit) => !counted.includes(unit));
}
