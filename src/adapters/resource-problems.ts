// Whether the pod has what the settings ask for. Looks at Kubernetes only when an option asks for
// anything, and once in a hook.

import { KubeError } from '../../lib/kube/error.ts';
import type { Resources } from '../core/config/derive.ts';
import { dependsOnResources, validateAgainstResources } from '../core/config/resource-checks.ts';
import type { SettingsResult } from '../core/config/validate.ts';
import type { PostgresqlHook } from './cluster.ts';
import { isPodUnknown, readPod } from './kubernetes.ts';

/** The same result, or the problems that valid settings have with the pod. */
export async function checkResources(
  hook: PostgresqlHook,
  result: SettingsResult,
): Promise<SettingsResult> {
  if (result.kind === 'invalid' || !dependsOnResources(result.settings)) return result;
  const resources = await readResources(hook);
  if (resources === undefined) return result;
  const problems = validateAgainstResources(result.settings, resources);
  return problems.length === 0 ? result : { kind: 'invalid', problems };
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
