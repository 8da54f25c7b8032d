/** The pods of the application and Patroni's records of them, as Kubernetes has them. */

import * as v from 'valibot';

import { kubectl } from '../../cloud/client.ts';
import type { ContainerId } from './agent-requests.ts';
import type { ClusterMember, SeenPod } from './observations.ts';

export interface Pod extends SeenPod {
  readonly uid: string;
  /** The container that runs PostgreSQL; empty until it runs. */
  readonly workload: ContainerId;
  /** The container in which the charm's hooks run. */
  readonly charm: ContainerId;
}

export const workloadContainer = 'postgresql';
const charmContainer = 'charm';

const podSchema = v.object({
  kind: v.literal('Pod'),
  metadata: v.object({
    name: v.string(),
    uid: v.string(),
    labels: v.optional(v.record(v.string(), v.string()), {}),
    annotations: v.optional(v.record(v.string(), v.string()), {}),
  }),
  status: v.object({
    podIP: v.optional(v.string(), ''),
    containerStatuses: v.optional(
      v.array(
        v.object({
          name: v.string(),
          containerID: v.optional(v.string(), ''),
          state: v.optional(v.object({ running: v.optional(v.unknown()) }), {}),
        }),
      ),
      [],
    ),
  }),
});
const endpointsSchema = v.object({
  kind: v.literal('Endpoints'),
  metadata: v.object({
    name: v.string(),
    annotations: v.optional(v.record(v.string(), v.string()), {}),
  }),
  subsets: v.optional(
    v.array(v.object({ addresses: v.optional(v.array(v.object({ ip: v.string() })), []) })),
    [],
  ),
});
const listSchema = v.object({
  items: v.array(v.variant('kind', [podSchema, endpointsSchema])),
});

/** What a member writes about itself into its pod's annotation. */
const memberStatusSchema = v.object({
  state: v.optional(v.string(), ''),
  replication_state: v.optional(v.string()),
  timeline: v.optional(v.number(), 0),
});

type PodObject = v.InferOutput<typeof podSchema>;
type Items = v.InferOutput<typeof listSchema>['items'];

/** Pods and Patroni's records, read at the same time. */
export interface Cluster {
  readonly pods: readonly Pod[];
  /** The members that have written something about themselves. */
  readonly members: readonly ClusterMember[];
  /** Where the Service of the primary leads: the host of clients is an alias of it. */
  readonly primaryAddresses: readonly string[];
}

/**
 * Asks Kubernetes, where Patroni keeps its records. Not a member's `/cluster`: answering that, Patroni
 * reads the lock anew beside its own loop, so who asks at the wrong moment takes part in an election.
 */
export async function fetchCluster(namespace: string, app: string): Promise<Cluster> {
  const args = ['-n', namespace, 'get', 'pods,endpoints', '-o', 'json'];
  const { stdout } = await kubectl(args, { timeoutMs: 10_000 });
  return parseCluster(stdout, app, Date.now());
}

export function parseCluster(json: string, app: string, nowMs: number): Cluster {
  const { items } = v.parse(listSchema, JSON.parse(json));
  const lock = findLock(items, `patroni-${app}`);
  const leader = holderOf(lock, nowMs);
  const pods = items
    .filter((item) => item.kind === 'Pod')
    .filter(({ metadata }) => metadata.labels['app.kubernetes.io/name'] === app);
  return {
    pods: pods.map(toPod),
    members: pods.flatMap((pod) => toMember(pod, leader)),
    primaryAddresses: (lock?.subsets ?? []).flatMap(({ addresses }) =>
      addresses.map(({ ip }) => ip),
    ),
  };
}

type Lock = v.InferOutput<typeof endpointsSchema>;

/** Patroni's lock, which is where the Service of the primary leads as well. */
function findLock(items: Items, name: string): Lock | undefined {
  return items
    .filter((item) => item.kind === 'Endpoints')
    .find(({ metadata }) => metadata.name === name);
}

/** Who holds the lock; nobody when it has not been renewed for its whole time to live. */
function holderOf(lock: Lock | undefined, nowMs: number): string | undefined {
  const { leader, renewTime = '', ttl = '0' } = lock?.metadata.annotations ?? {};
  return nowMs - Date.parse(renewTime) <= Number(ttl) * 1000 ? leader : undefined;
}

function toPod({ metadata, status }: PodObject): Pod {
  const find = (wanted: string) => status.containerStatuses.find(({ name }) => name === wanted);
  const container = (wanted: string): ContainerId => {
    const containerId = find(wanted)?.containerID.split('//')[1] ?? '';
    return { podUid: metadata.uid, containerId };
  };
  return {
    name: metadata.name,
    uid: metadata.uid,
    address: status.podIP,
    role: metadata.labels['role'],
    charmRuns: find(charmContainer)?.state.running !== undefined,
    workload: container(workloadContainer),
    charm: container(charmContainer),
  };
}

function toMember({ metadata }: PodObject, leader: string | undefined): readonly ClusterMember[] {
  const text = metadata.annotations['status'];
  if (text === undefined) return [];
  const { state, replication_state, timeline } = v.parse(memberStatusSchema, JSON.parse(text));
  const { name } = metadata;
  if (name === leader) return [{ name, role: 'leader', state, timeline }];
  return [{ name, role: 'replica', state: replication_state ?? state, timeline }];
}
