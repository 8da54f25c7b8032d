// What Patroni keeps of a cluster in Kubernetes: lock, configuration, history and who is synchronous. It
// stands in the labels and annotations of Endpoints objects, and can be put back from a copy of these.

import { clusterName, patroniEndpoints, unitOfMember } from '../core/names.ts';
import { noticeDomain } from '../core/render/watcher.ts';
import type { Cluster, PostgresqlHook } from './cluster.ts';
import { parseKeptState, type SavedState } from './restore-mark.ts';

/** What there is, each object with the version that it has and the time at which it was made. */
export type PresentState = readonly (SavedState[number] & {
  readonly version?: string;
  readonly created?: string;
})[];

export async function readPresentState(
  hook: PostgresqlHook,
  { app }: Pick<Cluster, 'app'>,
): Promise<PresentState> {
  const state: PresentState[number][] = [];
  for (const name of patroniEndpoints(app)) {
    const found = await hook.ports.kube.get('endpoints', name);
    if (found === undefined) continue;
    const { metadata } = found;
    const { labels = {}, annotations = {}, resourceVersion: version } = metadata;
    const { creationTimestamp: created } = metadata;
    state.push({
      name,
      labels: { ...labels },
      annotations: { ...annotations },
      ...(version === undefined ? {} : { version }),
      ...(created === undefined ? {} : { created }),
    });
  }
  return state;
}

/** A copy of what there is; read when nothing writes to it any more. */
export async function readPatroniState(
  hook: PostgresqlHook,
  { app }: Pick<Cluster, 'app'>,
): Promise<SavedState> {
  const present = await readPresentState(hook, { app });
  return present.map(({ name, labels, annotations }) => ({ name, labels, annotations }));
}

const usualTtlSeconds = 30;

/**
 * The unit that holds the lock, and has renewed it within its time: it is at work, also when it does not
 * answer. By Patroni's own notes in Kubernetes.
 */
export function lockHolder(
  present: PresentState,
  { app, nowMs }: { readonly app: string; readonly nowMs: number },
): string | undefined {
  const lock = present.find(({ name }) => name === clusterName(app))?.annotations ?? {};
  const { leader, renewTime = '', ttl } = lock;
  if (leader === undefined || leader === '') return undefined;
  const seconds = ttl === undefined ? usualTtlSeconds : Number(ttl);
  const ageMs = nowMs - Date.parse(renewTime);
  return ageMs < seconds * 1000 ? unitOfMember(leader) : undefined;
}

/**
 * Makes Patroni remember the cluster of the copy again, and nothing else. An object that is there is
 * changed at once: Patroni never sees it without what makes it the cluster's. Given what is there, an
 * object that has been written since is left alone, and `KubeError` tells of a conflict.
 */
export async function writePatroniState(
  hook: PostgresqlHook,
  { app, namespace }: Pick<Cluster, 'app' | 'namespace'>,
  { saved, known }: { readonly saved: SavedState; readonly known?: PresentState | undefined },
): Promise<void> {
  const { kube } = hook.ports;
  const present: PresentState = known ?? (await readPatroniState(hook, { app }));
  for (const name of patroniEndpoints(app)) {
    const found = present.find((one) => one.name === name);
    const wanted = saved.find((one) => one.name === name);
    if (wanted === undefined) {
      if (found !== undefined) await kube.delete('endpoints', name);
    } else if (found === undefined) {
      const { labels, annotations } = wanted;
      const metadata = { name, namespace, labels, annotations };
      await kube.apply('endpoints', { apiVersion: 'v1', kind: 'Endpoints', metadata }, app);
    } else if (!isSame(found, wanted)) {
      const labels = replacing(found.labels, wanted.labels);
      const annotations = replacing(found.annotations, wanted.annotations);
      const version = found.version === undefined ? {} : { resourceVersion: found.version };
      const metadata = { ...version, labels, annotations };
      // Addresses are of the cluster that failed; whoever leads next writes its own.
      await kube.patch('endpoints', name, { metadata, subsets: null });
    }
  }
}

type Texts = Readonly<Record<string, string>>;

/** As a patch: what was there and is not wanted goes. */
function replacing(found: Texts, wanted: Texts): Readonly<Record<string, string | null>> {
  const gone = Object.keys(found).map((key) => [key, null] as const);
  return { ...Object.fromEntries(gone), ...wanted };
}

// A Service of this name is always there, so what is noted on it outlives every unit and its volume.
const keptOn = (app: string): string => `${clusterName(app)}-config`;
const keptKey = `${noticeDomain}/before-restore`;

/** The copy for a request of the cluster, whatever becomes of the unit that restores. */
export async function readKeptState(
  hook: PostgresqlHook,
  { app }: Pick<Cluster, 'app'>,
  request: string,
): Promise<SavedState | undefined> {
  const service = await hook.ports.kube.get('services', keptOn(app));
  const kept = parseKeptState(service?.metadata.annotations?.[keptKey]);
  return kept?.request === request ? kept.saved : undefined;
}

export async function keepState(
  hook: PostgresqlHook,
  { app }: Pick<Cluster, 'app'>,
  kept: { readonly request: string; readonly saved: SavedState },
): Promise<void> {
  const annotations = { [keptKey]: JSON.stringify(kept) };
  await hook.ports.kube.patch('services', keptOn(app), { metadata: { annotations } });
}

export async function dropKeptState(
  hook: PostgresqlHook,
  { app }: Pick<Cluster, 'app'>,
): Promise<void> {
  const service = await hook.ports.kube.get('services', keptOn(app));
  if (service?.metadata.annotations?.[keptKey] === undefined) return;
  const annotations = { [keptKey]: null };
  await hook.ports.kube.patch('services', keptOn(app), { metadata: { annotations } });
}

function isSame(one: SavedState[number], other: SavedState[number]): boolean {
  const flat = ({ name, labels, annotations }: SavedState[number]): string =>
    JSON.stringify([name, sorted(labels), sorted(annotations)]);
  return flat(one) === flat(other);
}

function sorted(map: Texts): readonly (readonly [string, string])[] {
  return Object.entries(map).toSorted(([one], [other]) => (one < other ? -1 : 1));
}

/** Makes Patroni forget the cluster: the next start bootstraps anew. */
export async function forgetCluster(hook: PostgresqlHook, app: string): Promise<void> {
  for (const name of patroniEndpoints(app)) await hook.ports.kube.delete('endpoints', name);
}
