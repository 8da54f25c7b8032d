/** The pods of the application, as Kubernetes knows them. */

import * as v from 'valibot';

import { kubectl } from '../../cloud/client.ts';
import type { ContainerId } from './agent-requests.ts';

export interface Pod {
  readonly name: string;
  readonly uid: string;
  /** Empty until the pod has been started. */
  readonly address: string;
  /** The container that runs PostgreSQL; empty until it runs. */
  readonly workload: ContainerId;
  /** The container in which the charm's hooks run. */
  readonly charm: ContainerId;
}

export const workloadContainer = 'postgresql';
const charmContainer = 'charm';

const podsSchema = v.object({
  items: v.array(
    v.object({
      metadata: v.object({ name: v.string(), uid: v.string() }),
      status: v.object({
        podIP: v.optional(v.string(), ''),
        containerStatuses: v.optional(
          v.array(v.object({ name: v.string(), containerID: v.optional(v.string(), '') })),
          [],
        ),
      }),
    }),
  ),
});

export async function listPods(namespace: string, app: string): Promise<readonly Pod[]> {
  const label = `app.kubernetes.io/name=${app}`;
  const args = ['-n', namespace, 'get', 'pods', '-l', label, '-o', 'json'];
  const { stdout } = await kubectl(args, { timeoutMs: 10_000 });
  return parsePods(stdout);
}

export function parsePods(json: string): readonly Pod[] {
  const { items } = v.parse(podsSchema, JSON.parse(json));
  return items.map(({ metadata, status }) => {
    const container = (wanted: string): ContainerId => {
      const found = status.containerStatuses.find(({ name }) => name === wanted);
      return { podUid: metadata.uid, containerId: found?.containerID.split('//')[1] ?? '' };
    };
    return {
      name: metadata.name,
      uid: metadata.uid,
      address: status.podIP,
      workload: container(workloadContainer),
      charm: container(charmContainer),
    };
  });
}

/** `postgresql-k8s-0` is the pod of `postgresql-k8s/0`. */
export function unitOf(pod: string): string {
  return pod.replace(/-(\d+)$/, '/$1');
}

export function podOf(unit: string): string {
  return unit.replace('/', '-');
}
