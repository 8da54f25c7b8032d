// What Patroni keeps of a cluster in Kubernetes: lock, configuration, history and who is synchronous. It
// stands in the labels and annotations of Endpoints objects, and can be put back from a copy of these.

import { patroniEndpoints } from '../core/names.ts';
import type { Cluster, PostgresqlHook } from './cluster.ts';
import type { SavedState } from './restore-mark.ts';

/** A copy of what there is; read when nothing writes to it any more. */
export async function readPatroniState(
  hook: PostgresqlHook,
  { app }: Pick<Cluster, 'app'>,
): Promise<SavedState> {
  const saved: SavedState[number][] = [];
  for (const name of patroniEndpoints(app)) {
    const found = await hook.ports.kube.get('endpoints', name);
    if (found === undefined) continue;
    const { labels = {}, annotations = {} } = found.metadata;
    saved.push({ name, labels: { ...labels }, annotations: { ...annotations } });
  }
  return saved;
}

/** Makes Patroni remember the cluster of the copy again. */
export async function writePatroniState(
  hook: PostgresqlHook,
  { app, namespace }: Pick<Cluster, 'app' | 'namespace'>,
  saved: SavedState,
): Promise<void> {
  const present = await readPatroniState(hook, { app });
  for (const { name, labels, annotations } of saved) {
    if (present.some((one) => isSame(one, { name, labels, annotations }))) continue;
    // An annotation of the cluster that failed has no place in that of before.
    await hook.ports.kube.delete('endpoints', name);
    await hook.ports.kube.apply(
      'endpoints',
      {
        apiVersion: 'v1',
        kind: 'Endpoints',
        metadata: { name, namespace, labels, annotations },
      },
      app,
    );
  }
}

function isSame(one: SavedState[number], other: SavedState[number]): boolean {
  const flat = ({ name, labels, annotations }: SavedState[number]): string =>
    JSON.stringify([name, sorted(labels), sorted(annotations)]);
  return flat(one) === flat(other);
}

function sorted(map: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  return Object.entries(map).toSorted(([one], [other]) => (one < other ? -1 : 1));
}

/** Makes Patroni forget the cluster: the next start bootstraps anew. */
export async function forgetCluster(hook: PostgresqlHook, app: string): Promise<void> {
  for (const name of patroniEndpoints(app)) await hook.ports.kube.delete('endpoints', name);
}
