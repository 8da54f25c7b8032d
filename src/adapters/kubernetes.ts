// The pods of the cluster: their labels, and what they may use. Each function makes one thing true or
// reads one thing.

import { CodedError } from '../../lib/base/error.ts';
import type { KubeObject } from '../../lib/kube/kube.ts';
import { parseBytes, parseCores } from '../../lib/kube/quantity.ts';
import type { Resources } from '../core/config/derive.ts';
import {
  clusterName,
  containerName,
  memberOfUnit,
  podLabels,
  unitOfMember,
} from '../core/names.ts';
import type { Cluster, PostgresqlHook } from './cluster.ts';

const noPod = 'no-pod';

/** Whether Kubernetes does not know the pod, or not where it is; it will. */
export function isPodUnknown(error: unknown): error is CodedError {
  return error instanceof CodedError && error.code === noPod;
}

export interface PodFacts {
  readonly podIp: string;
  readonly resources: Resources;
  readonly labels: Readonly<Record<string, string>>;
}

/** Gives a unit's pod the labels by which Patroni and the Services find it. */
export async function labelPod(hook: PostgresqlHook, app: string, unit: string): Promise<void> {
  const name = memberOfUnit(unit);
  const pod = await hook.ports.kube.get('pods', name);
  if (pod === undefined) {
    throw new CodedError(`cannot label pod "${name}": it is not there`, { code: noPod });
  }
  const labels = podLabels(app);
  const present = pod.metadata.labels ?? {};
  if (Object.entries(labels).every(([key, value]) => present[key] === value)) return;
  await hook.ports.kube.patch('pods', name, { metadata: { labels } });
}

/** Whether a unit has a pod: also one that is only about to go, or is on a node that does not answer. */
export async function isPodThere(hook: PostgresqlHook, unit: string): Promise<boolean> {
  return (await hook.ports.kube.get('pods', memberOfUnit(unit))) !== undefined;
}

/** Units besides this one that have been, or are just being, started as members: by their pods' labels. */
export async function otherMembers(
  hook: PostgresqlHook,
  { app, unit }: Pick<Cluster, 'app' | 'unit'>,
): Promise<readonly string[]> {
  const pods = await hook.ports.kube.list('pods', `cluster-name=${clusterName(app)}`);
  const units = pods.map(({ metadata }) => unitOfMember(metadata.name));
  return units.filter((other) => other !== unit);
}

/**
 * Takes the primary's role label off the pods that only used to be: a pod that is dead, frozen or cut
 * off cannot do it itself. Called on the unit that leads, which is checked against the lock.
 */
export async function clearFormerPrimaries(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const { kube } = hook.ports;
  const labelled = await kube.list('pods', `cluster-name=${clusterName(cluster.app)},role=primary`);
  const own = memberOfUnit(cluster.unit);
  const former = labelled.filter(({ metadata }) => metadata.name !== own);
  if (former.length === 0) return;
  const lock = await kube.get('endpoints', clusterName(cluster.app));
  if (lock?.metadata.annotations?.['leader'] !== own) return;
  for (const { metadata } of former) {
    await kube.patch('pods', metadata.name, { metadata: { labels: { role: null } } });
    hook.log('INFO', `pod ${metadata.name} no longer has the label of the primary`);
  }
}

/** Address of the own pod, and the cores and memory that its workload may use. */
export async function readPod(
  hook: PostgresqlHook,
  { unit }: Pick<Cluster, 'unit'>,
): Promise<PodFacts> {
  const name = memberOfUnit(unit);
  const pod = await hook.ports.kube.get('pods', name);
  const podIp = text(field(pod, 'status', 'podIP'));
  const nodeName = text(field(pod, 'spec', 'nodeName'));
  if (pod === undefined || podIp === undefined || nodeName === undefined) {
    throw new CodedError(`cannot read pod "${name}": it has no address yet`, { code: noPod });
  }
  const node = await hook.ports.kube.get('nodes', nodeName);
  const allocatable = field(node, 'status', 'allocatable');
  const limits = containerLimits(pod);
  return {
    podIp,
    labels: pod.metadata.labels ?? {},
    resources: {
      cores: smallest(parseCores, field(allocatable, 'cpu'), field(limits, 'cpu')) ?? 1,
      memoryBytes:
        smallest(parseBytes, field(allocatable, 'memory'), field(limits, 'memory')) ?? 2 ** 30,
    },
  };
}

function containerLimits(pod: KubeObject): unknown {
  const containers = field(pod, 'spec', 'containers');
  if (!Array.isArray(containers)) return undefined;
  const own: unknown = containers.find(
    (container: unknown) => field(container, 'name') === containerName,
  );
  return field(own, 'resources', 'limits');
}

function smallest(
  parse: (quantity: string) => number | undefined,
  ...quantities: readonly unknown[]
): number | undefined {
  const values = quantities.flatMap((quantity) => {
    const value = typeof quantity === 'string' ? parse(quantity) : undefined;
    // A limit of nothing is how Kubernetes says that there is none.
    return value === undefined || value === 0 ? [] : [value];
  });
  return values.length === 0 ? undefined : Math.min(...values);
}

function field(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (current, key) =>
      typeof current === 'object' && current !== null ? Reflect.get(current, key) : undefined,
    value,
  );
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
