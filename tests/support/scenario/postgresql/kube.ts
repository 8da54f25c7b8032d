// Kubernetes in memory: objects by kind and name. Applying is server-side apply by one manager, as
// the real server merges it for objects that nobody else writes: fields that are given replace those
// that are there. Objects carry no resource version, so that two worlds can be compared.

import { KubeError } from '../../../../lib/kube/error.ts';
import type { Kube, KubeKind, KubeObject } from '../../../../lib/kube/kube.ts';
import type { Host } from '../host.ts';
import { isObject, merge, visibleMembers } from './patroni.ts';
import { type KubeWorld, kubeKey, type PostgresqlWorld } from './world.ts';

export function createFakeKube(host: Host<PostgresqlWorld>): Kube {
  const objects = (): KubeWorld['objects'] => host.world.get().kube.objects;
  const store = (key: string, object: KubeObject | undefined): void => {
    const { [key]: _, ...others } = objects();
    const changed = object === undefined ? others : { ...objects(), [key]: object };
    host.world.update((now) => ({ ...now, kube: { ...now.kube, objects: changed } }));
  };
  const check = (verb: string, kind: KubeKind): void => {
    allow(verb, kind, host.world.get().kube);
  };

  return {
    get: async (kind, name) => {
      check('get', kind);
      return await Promise.resolve(
        objects()[kubeKey(kind, name)] ?? patroniConfig(host, kind, name),
      );
    },
    list: async (kind, selector) => {
      check('list', kind);
      const found = Object.entries(objects()).filter(
        ([key, object]) => key.startsWith(`${kind}/`) && isSelected(host, selector, object),
      );
      return await Promise.resolve(found.map(([, object]) => object));
    },
    apply: async (kind, manifest) => {
      check('apply', kind);
      const key = kubeKey(kind, manifest.metadata.name);
      const applied = asObject(merge(objects()[key] ?? {}, manifest), manifest);
      store(key, applied);
      return await Promise.resolve(applied);
    },
    patch: async (kind, name, change) => {
      check('patch', kind);
      const key = kubeKey(kind, name);
      const before = objects()[key] ?? patroniConfig(host, kind, name);
      if (before === undefined) {
        const fields = { status: 404, reason: 'NotFound' };
        throw new KubeError(`cannot change ${kind} "${name}": not found`, { code: 'api', fields });
      }
      const changed = asObject(merge(before, change), before);
      store(key, changed);
      return await Promise.resolve(changed);
    },
    delete: async (kind, name) => {
      check('delete', kind);
      store(kubeKey(kind, name), undefined);
      await Promise.resolve();
    },
    exec: async (pod) => await Promise.reject(host.unexpected(`program in pod "${pod}"`)),
  };
}

/** Rejects what the world does not let happen. */
export function allow(verb: string, kind: KubeKind, { faults }: KubeWorld): void {
  const code = faults[`${verb} ${kind}`] ?? faults['*'];
  if (code === undefined) return;
  throw new KubeError(`cannot ${verb} ${kind}: ${code}`, {
    code,
    fields: { status: statuses[code] },
  });
}

/** What Patroni itself writes once it has bootstrapped a cluster. */
function patroniConfig(
  host: Host<PostgresqlWorld>,
  kind: KubeKind,
  name: string,
): KubeObject | undefined {
  const { members, systemIdentifier } = host.world.get().patroni;
  const bootstrapped = members.length > 0 || visibleMembers(host).length > 0;
  if (!bootstrapped || kubeKey(kind, name) !== 'endpoints/patroni-postgresql-k8s-config') {
    return undefined;
  }
  return { metadata: { name, annotations: { initialize: systemIdentifier } } };
}

const statuses = { forbidden: 403, conflict: 409, unreachable: undefined, api: 500 };

// Merging keeps the metadata an object; only its labels and annotations can have changed.
function asObject(merged: Readonly<Record<string, unknown>>, model: KubeObject): KubeObject {
  const { metadata } = merged;
  const labels = mapOf(metadata, 'labels');
  const annotations = mapOf(metadata, 'annotations');
  return {
    ...merged,
    metadata: {
      ...(isObject(metadata) ? metadata : {}),
      name: model.metadata.name,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
  };
}

function mapOf(metadata: unknown, field: string): Readonly<Record<string, string>> | undefined {
  if (typeof metadata !== 'object' || metadata === null) return undefined;
  const value: unknown = Reflect.get(metadata, field);
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, String(one)]));
}

function isSelected(host: Host<PostgresqlWorld>, selector: string, object: KubeObject): boolean {
  return selector.split(',').every((part) => {
    const [key, value] = part.split('=');
    if (key === undefined || value === undefined)
      throw host.unexpected(`label selector "${selector}"`);
    return object.metadata.labels?.[key] === value;
  });
}
