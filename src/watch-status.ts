// What the watcher of the workload sees, as statuses of the unit and remarks on them.

import type { Status } from '../lib/juju/juju.ts';
import type { Cluster, PostgresqlHook } from './adapters/cluster.ts';
import type { Member, Cluster as PatroniCluster } from './adapters/patroni-answers.ts';
import { readWatchState } from './adapters/watch-state.ts';
import {
  abandonedData,
  archivingFails,
  archivingLags,
  awaitingMember,
  cannotRepair,
  cloningReplica,
  copyingPrimary,
  diskFull,
  diskLow,
  doesNotStart,
  fenced,
  notReplicating,
  stoppedInPause,
} from './core/status.ts';
import { isReadOnly, recentFence, refusalToStart, type WatchState } from './core/watch-state.ts';
import { whyNotRepaired } from './repair.ts';
import { hasAbandoned } from './restore/abandoned.ts';

/** Remarks on a member that works all the same. */
export async function readWatchRemarks(
  hook: PostgresqlHook,
  role: 'primary' | 'standby' | 'replica',
): Promise<readonly string[]> {
  const seen = await readWatchState(hook);
  const fence = recentFence(seen, hook.ports.clock.nowMs());
  const ofRole = role === 'replica' ? replicaRemarks(seen) : primaryRemarks(seen);
  return fence === undefined ? ofRole : [...ofRole, fenced(fence.reason)];
}

/** Contributes that clients may only read, if so. */
export async function collectFullDisk(hook: PostgresqlHook): Promise<void> {
  if (isReadOnly(await readWatchState(hook))) hook.status(diskFull);
}

/** Contributes that the disk fills, as long as everything goes on as usual. */
export async function collectLowDisk(hook: PostgresqlHook): Promise<void> {
  const seen = await readWatchState(hook);
  if (seen.disk?.level === 'low' && !isReadOnly(seen)) hook.status(diskLow);
}

function replicaRemarks({ brokenAtMs }: WatchState): readonly string[] {
  return brokenAtMs === undefined ? [] : [notReplicating];
}

function primaryRemarks({ archive }: WatchState): readonly string[] {
  if (archive?.failing === true) return [archivingFails(archive.waiting)];
  return archive?.lags === true ? [archivingLags(archive.waiting)] : [];
}

interface DownMember {
  /** The cluster, as far as anybody tells of it. */
  readonly seen: PatroniCluster | undefined;
  /** As the cluster lists it. */
  readonly member: Member | undefined;
}

/** Contributes the status of a member that does not work: it starts, is cloned, or cannot be helped. */
export async function collectDownStatus(
  hook: PostgresqlHook,
  cluster: Cluster,
  { seen: listed, member }: DownMember,
): Promise<void> {
  hook.status(await startStatus(cluster, { seen: listed, member }));
  const seen = await readWatchState(hook);
  if (listed?.paused === true && member?.state === 'stopped') {
    hook.status(stoppedInPause(recentFence(seen, hook.ports.clock.nowMs())?.reason));
  }
  await collectFullDisk(hook);
  await collectDataStatus(hook, cluster, seen);
  await collectRepairStatus(hook, cluster);
}

async function startStatus(cluster: Cluster, { seen, member }: DownMember): Promise<Status> {
  if (member?.state !== 'creating replica') return awaitingMember;
  const served = (await cluster.unitData())['member-started'] !== undefined;
  if (served) return cloningReplica;
  // Without anybody who leads there is nothing that it could copy.
  return seen?.members.some(leads) === true ? copyingPrimary : awaitingMember;
}

function leads({ role }: Member): boolean {
  return role === 'leader' || role === 'standby_leader';
}

/** What PostgreSQL does not run with, or must not. */
async function collectDataStatus(
  hook: PostgresqlHook,
  cluster: Cluster,
  seen: WatchState,
): Promise<void> {
  const refusal = refusalToStart(seen);
  if (refusal !== undefined) hook.status(doesNotStart(refusal));
  if (await hasAbandoned(hook, cluster)) hook.status(abandonedData);
}

/** Contributes that nothing more can be done for the replica, if so. */
export async function collectRepairStatus(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const reason = await whyNotRepaired(hook, cluster);
  if (reason !== undefined) hook.status(cannotRepair(reason));
}
