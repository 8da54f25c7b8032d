// Whether the pod has what the settings ask for. Looks at Kubernetes only when an option asks for
// anything, and once in a hook.

import { KubeError } from '../../lib/kube/error.ts';
import type { Resources } from '../core/config/derive.ts';
import { dependsOnResources, validateAgainstResources } from '../core/config/resource-checks.ts';
import type { Settings } from '../core/config/settings.ts';
import type { PostgresqlHook } from './cluster.ts';
import { isPodUnknown, readPod } from './kubernetes.ts';

/** The problems that settings have with the pod; none while nobody can tell. */
export async function findResourceProblems(
  hook: PostgresqlHook,
  settings: Settings,
): Promise<readonly string[]> {
  if (!dependsOnResources(settings)) return [];
  const resources = await readResources(hook);
  return resources === undefined ? [] : validateAgainstResources(settings, resources);
}

const seen = new WeakMap<PostgresqlHook['juju'], Resources>();

/** `undefined` while nobody can tell: no configuration is written then either. */
async function readResources(hook: PostgresqlHook): Promise<Resources | undefined> {
  const known = seen.get(hook.juju);
  if (known !== undefined) return known;
  try {
    const { resources } = await readPod(hook, hook.juju.context);
    seen.set(hook.juju, resources);
    return resources;
  } catch (error) {
    if (error instanceof KubeError || isPodUnknown(error)) return undefined;
    throw error;
  }
}
