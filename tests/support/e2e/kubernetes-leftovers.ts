/** What an application has in Kubernetes besides its pods, and what can stay of it. */

import * as v from 'valibot';

import { kubectl } from '../../../cloud/client.ts';

/** Where Services, and what leads to pods or locks anything, can be. */
const kinds = ['services', 'endpoints', 'endpointslices', 'leases'];

const texts = v.optional(v.record(v.string(), v.string()), {});
const objectSchema = v.object({
  kind: v.string(),
  metadata: v.object({
    name: v.string(),
    labels: texts,
    annotations: texts,
    creationTimestamp: v.string(),
  }),
});
const listSchema = v.object({ items: v.array(objectSchema) });

export type Remainder = v.InferOutput<typeof objectSchema>;

/** All that is named after the application or its cluster, or has the label of either. */
export async function listRemainders(
  namespace: string,
  app: string,
): Promise<readonly Remainder[]> {
  const args = ['-n', namespace, 'get', kinds.join(','), '-o', 'json'];
  const { stdout } = await kubectl(args, { timeoutMs: 30_000 });
  const { items } = v.parse(listSchema, JSON.parse(stdout));
  return items.filter(({ metadata: { name, labels } }) => {
    if ([app, `patroni-${app}`].some((one) => name === one || name.startsWith(`${one}-`)))
      return true;
    return Object.values(labels).some((one) => one === app || one === `patroni-${app}`);
  });
}

/** `Service/postgresql-k8s`, in order. */
export function namesOf(remainders: readonly Remainder[]): readonly string[] {
  return remainders.map(({ kind, metadata }) => `${kind}/${metadata.name}`).toSorted();
}

/** Writes Patroni's Endpoints as a member does: anew, and nobody's. */
export async function writePatroniNotes(
  namespace: string,
  remainders: readonly Remainder[],
): Promise<void> {
  const notes = remainders
    .filter(({ kind, metadata }) => kind === 'Endpoints' && metadata.name.startsWith('patroni-'))
    .map(({ metadata: { name, labels, annotations } }) => ({
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name, labels, annotations },
    }));
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: notes });
  await kubectl(['-n', namespace, 'create', '-f', '-'], { input });
}

const metadataSchema = v.object({
  metadata: v.object({ uid: v.string(), creationTimestamp: v.string(), annotations: texts }),
});

/** Metadata of one object. */
export async function readMetadata(
  namespace: string,
  object: string,
): Promise<v.InferOutput<typeof metadataSchema>['metadata']> {
  const { stdout } = await kubectl(['-n', namespace, 'get', object, '-o', 'json']);
  return v.parse(metadataSchema, JSON.parse(stdout)).metadata;
}
