/**
 * What was seen of the cluster over time, and what follows from it. Pure.
 *
 * A sample joins what the members say with the latest word of `juju status`. The cluster is whole
 * when every member runs or streams on one timeline and every unit shows the right status.
 */

import type { UnitStatus } from '../demo/status.ts';
import type { MemberView } from './agent-requests.ts';
import { podOf } from './names.ts';
import type { Window } from './writes.ts';

/** What Patroni's records say about a member. */
export interface ClusterMember {
  readonly name: string;
  readonly role: 'leader' | 'replica';
  readonly state: string;
  readonly timeline: number;
}

/** What Kubernetes says about a pod. */
export interface SeenPod {
  readonly name: string;
  /** Empty until the pod has been started. */
  readonly address: string;
  /** By the label that Services select by; absent while it has none. */
  readonly role: string | undefined;
  /** Whether the container runs in which the unit's agent is. */
  readonly charmRuns: boolean;
}

export interface Sample {
  readonly atMs: number;
  readonly views: readonly MemberView[];
  readonly cluster: readonly ClusterMember[];
  readonly pods: readonly SeenPod[];
  /** Where the Service of the primary leads. */
  readonly primaryAddresses: readonly string[];
  /** Absent while Juju does not answer. */
  readonly units: readonly UnitStatus[] | undefined;
}

/** The member that has Patroni's lock. */
export function leaderOf(sample: Sample): string | undefined {
  return sample.cluster.find(({ role }) => role === 'leader')?.name;
}

/** What keeps the cluster from being whole; empty when nothing does. */
export function listProblems(sample: Sample, size: number): readonly string[] {
  return [...listMemberProblems(sample, size), ...listStatusProblems(sample, size)];
}

function listMemberProblems({ views, cluster }: Sample, size: number): readonly string[] {
  const timelines = new Set(cluster.map(({ timeline }) => timeline));
  return [
    ...(views.length === size ? [] : [`${views.length} of ${size} pods`]),
    ...(cluster.length === size ? [] : [`${cluster.length} of ${size} members`]),
    ...views.filter((view) => view.state !== 'running').map((view) => describeView(view)),
    ...cluster
      .filter(({ role, state }) => state !== (role === 'leader' ? 'running' : 'streaming'))
      .map(({ name, role, state }) => `${name} is a ${role} and ${state}`),
    ...(cluster.some(({ role }) => role === 'leader') ? [] : ['no leader']),
    ...(timelines.size <= 1 ? [] : [`timelines ${[...timelines].join(' and ')}`]),
  ];
}

function describeView({ name, role, state }: MemberView): string {
  return role === 'silent' ? `${name} is silent` : `${name} says ${state}`;
}

function listStatusProblems(sample: Sample, size: number): readonly string[] {
  const { units } = sample;
  if (units === undefined) return ['no answer from Juju'];
  const leader = leaderOf(sample);
  return [
    ...(units.length === size ? [] : [`${units.length} of ${size} units`]),
    ...units
      .filter(({ name, workload, message }) => {
        const wanted = podOf(name) === leader ? 'Primary' : '';
        return workload !== 'active' || withoutFence(message) !== wanted;
      })
      .map(({ name, workload, message }) => `${name} shows ${workload} "${message}"`),
  ];
}

/** A unit goes on telling for a while that it was fenced; everything is well all the same. */
function withoutFence(message: string): string {
  return message.replace(/ ?\(?fenced lately: [^()]*\)?$/, '');
}

/**
 * Whether exactly the leader's unit calls itself primary. A unit whose agent cannot be there shows what it
 * showed last, and does not count: it has no pod, its charm's container does not run, or it is the one
 * that is said to be away.
 */
export function namesPrimary(sample: Sample, away?: string): boolean {
  const leader = leaderOf(sample);
  const reachable = sample.pods.filter(({ name, charmRuns }) => charmRuns && name !== away);
  const named = (sample.units ?? [])
    .filter(({ message }) => message.startsWith('Primary'))
    .map(({ name }) => podOf(name))
    .filter((pod) => reachable.some(({ name }) => name === pod));
  return leader !== undefined && named.length === 1 && named[0] === leader;
}

/** Whether exactly the leader's pod has the label of the primary. */
export function labelsPrimary(sample: Sample): boolean {
  const leader = leaderOf(sample);
  const labelled = sample.pods.filter(({ role }) => role === 'primary');
  return leader !== undefined && labelled.length === 1 && labelled[0]?.name === leader;
}

/** Whether the Service of the primary leads to the leader's pod, and nowhere else. */
export function leadsToPrimary(sample: Sample): boolean {
  const leader = leaderOf(sample);
  const pod = sample.pods.find(({ name }) => name === leader);
  const { primaryAddresses: addresses } = sample;
  return pod !== undefined && pod.address !== '' && addresses.join() === pod.address;
}

/** When a condition began to hold and held to the end; only samples from a moment on count. */
export function findLastingStart(
  samples: readonly Sample[],
  fromMs: number,
  holds: (sample: Sample) => boolean,
): number | undefined {
  let since: number | undefined;
  for (const sample of samples) {
    if (sample.atMs < fromMs) continue;
    since = holds(sample) ? (since ?? sample.atMs) : undefined;
  }
  return since;
}

/** Whether another member had the lock at any time. */
export function hasFailedOver(samples: readonly Sample[], before: string): boolean {
  return samples.some((sample) => (leaderOf(sample) ?? before) !== before);
}

/** Whether a member had the lock again in a window after another one had it. */
export function hasLockReturned(
  samples: readonly Sample[],
  before: string,
  window: Window,
): boolean {
  const lost = samples.findIndex((sample) => (leaderOf(sample) ?? before) !== before);
  return samples.some(
    (sample, index) =>
      lost !== -1 &&
      index > lost &&
      sample.atMs >= window.fromMs &&
      sample.atMs <= window.toMs &&
      leaderOf(sample) === before,
  );
}

/** How many samples show two members that say that they are the primary. */
export function countTwoPrimaries(samples: readonly Sample[]): number {
  return samples.filter(
    ({ views }) =>
      views.filter(({ role, state }) => role === 'primary' && state === 'running').length > 1,
  ).length;
}
