// What the watcher of the workload sees, as statuses of the unit and remarks on them.

import type { Cluster, PostgresqlHook } from './adapters/cluster.ts';
import type { Member, Cluster as PatroniCluster } from './adapters/patroni-answers.ts';
import { readWatchState } from './adapters/watch-state.ts';
import {
  abandonedData,
  archivingFails,
  awaitingMember,
  cannotRepair,
  cloningReplica,
  diskFull,
  diskLow,
  doesNotStart,
  fenced,
  notReplicating,
  stoppedInPause,
} from './core/status.ts';
import { recentFence, refusalToStart, type WatchState } from './core/watch-state.ts';
import { nextRepair } from './repair.ts';
import { hasAbandoned } from './restore/abandoned.ts';

/** Contributes what is blocked by it; gives remarks on a member that works all the same. */
export async function collectWatchStatus(
  hook: PostgresqlHook,
  role: 'primary' | 'standby' | 'replica',
): Promise<readonly string[]> {
  const seen = await readWatchState(hook);
  collectDiskStatus(hook, seen);
  const fence = recentFence(seen, hook.ports.clock.nowMs());
  const ofRole = role === 'replica' ? replicaRemarks(seen) : primaryRemarks(seen);
  return fence === undefined ? ofRole : [...ofRole, fenced(fence.reason)];
}

function collectDiskStatus(hook: PostgresqlHook, { disk }: WatchState): void {
  if (disk === undefined || disk.level === 'ok') return;
  hook.status(disk.level === 'full' ? diskFull : diskLow);
}

function replicaRemarks({ brokenAtMs }: WatchState): readonly string[] {
  return brokenAtMs === undefined ? [] : [notReplicating];
}

function primaryRemarks({ archive }: WatchState): readonly string[] {
  return archive?.failing === true ? [archivingFails(archive.waiting)] : [];
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
  const served = (await cluster.unitData())['member-started'] !== undefined;
  const cloned = member?.state === 'creating replica' && served;
  hook.status(cloned ? cloningReplica : awaitingMember);
  const seen = await readWatchState(hook);
  if (listed?.paused === true && member?.state === 'stopped') {
    hook.status(stoppedInPause(recentFence(seen, hook.ports.clock.nowMs())?.reason));
  }
  collectDiskStatus(hook, seen);
  await collectDataStatus(hook, cluster, seen);
  await collectRepairStatus(hook, cluster);
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

/** Contributes that everything has been tried for the replica, if so. */
export async function collectRepairStatus(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const step = await nextRepair(hook, cluster);
  if (step.kind === 'give-up') hook.status(cannotRepair(step.reason));
}
