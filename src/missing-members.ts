// What a primary says of members that do not run or do not follow it, and of commits that wait for them.

import { type Cluster, isStarted, ownMember, type PostgresqlHook } from './adapters/cluster.ts';
import type { Member, Cluster as PatroniCluster } from './adapters/patroni-answers.ts';
import { askMembers } from './adapters/succession.ts';
import { readWatchState } from './adapters/watch-state.ts';
import { presentEndpoints } from './core/membership.ts';
import { unitOfMember } from './core/names.ts';
import { noReplicationTo, writesWait } from './core/status.ts';
import { idleReplicas } from './core/watch-state.ts';

/** The list keeps what a member said last whose node is lost: if some do not stream, they are asked. */
async function findStarted(
  hook: PostgresqlHook,
  cluster: Cluster,
  { members }: PatroniCluster,
): Promise<readonly Member[]> {
  const listed = startedOf(members);
  const { streams = listed.length } = await readWatchState(hook);
  return streams >= listed.length - 1 ? listed : startedOf(await askMembers(cluster, members));
}

function startedOf(members: readonly Member[]): readonly Member[] {
  return members.filter(({ state }) => isStarted(state));
}

/** Remarks on a leading member when others do not run, or do not follow it. */
export async function missingMembers(
  hook: PostgresqlHook,
  cluster: Cluster,
  seen: PatroniCluster,
): Promise<readonly string[]> {
  const started = await findStarted(hook, cluster, seen);
  const idle = await findIdle(hook, cluster, started);
  // That is more than are wanted, if anything.
  const related = 1 + (await cluster.peers.units()).length;
  if (started.length >= related && idle.length === 0) return [];
  const units = await cluster.units();
  const waits = started.length - idle.length === 1 && (await waitsAlone(hook, cluster));
  return [
    ...(started.length < units.length ? ['degraded'] : []),
    ...(idle.length === 0 ? [] : [noReplicationTo(idle)]),
    ...(waits ? [writesWait] : []),
  ];
}

/** Whether commits wait on this member, whatever it is, while an option is wrong. */
export async function isHeldUp(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  const seen = await cluster.patroniCluster();
  const own = seen === undefined ? undefined : ownMember(seen, cluster.unit);
  if (seen === undefined || own === undefined || !isStarted(own.state)) return false;
  if (own.role !== 'leader' && own.role !== 'standby_leader') return false;
  const started = startedOf(seen.members);
  const idle = await findIdle(hook, cluster, started);
  return started.length - idle.length === 1 && (await waitsAlone(hook, cluster));
}

/** Whether every commit of a member that runs alone waits for one of the others. */
async function waitsAlone(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  if ((await hook.juju.config())['synchronous_mode_strict'] === false) return false;
  const { endpoints } = await cluster.appData();
  return presentEndpoints(cluster.app, await cluster.units(), endpoints).length > 1;
}

/**
 * Units of those that do not replicate from this primary. The list lags behind by a turn of Patroni's
 * loop: where it says so for long, the primary itself is asked who streams.
 */
async function findIdle(
  hook: PostgresqlHook,
  cluster: Cluster,
  started: readonly Member[],
): Promise<readonly string[]> {
  const long = idleReplicas(await readWatchState(hook), hook.ports.clock.nowMs());
  const idle = started.filter(({ name, state }) => long.includes(name) && state !== 'streaming');
  if (idle.length === 0) return [];
  const { followers = [] } = (await cluster.health()) ?? {};
  return idle
    .map(({ name }) => name)
    .filter((name) => !followers.includes(name))
    .map(unitOfMember);
}
