// Whether the pods have what the settings ask for. Looks at Kubernetes only when an option asks for
// anything, and once in a hook. What one member has no room for, all refuse: the others would go on with
// settings that it lacks, and restarts that are due would wait for it.

import { KubeError } from '../../lib/kube/error.ts';
import type { Resources } from '../core/config/derive.ts';
import { dependsOnResources, validateAgainstResources } from '../core/config/resource-checks.ts';
import type { Settings } from '../core/config/settings.ts';
import { memberHost } from '../core/names.ts';
import { parseSizes } from '../core/pod-sizes.ts';
import { openCluster, type PostgresqlHook } from './cluster.ts';
import { isPodUnknown, readPod } from './kubernetes.ts';

/** The problems that settings have with the pods, or the own pod; none while nobody can tell. */
export async function findResourceProblems(
  hook: PostgresqlHook,
  settings: Settings,
  pods: 'all' | 'own',
): Promise<readonly string[]> {
  if (!dependsOnResources(settings)) return [];
  const resources = await readResources(hook);
  if (resources === undefined) return [];
  const own = validateAgainstResources(settings, resources);
  return own.length > 0 || pods === 'own' ? own : await findOtherProblems(hook, settings);
}

/** Those of the first other member that has any. */
async function findOtherProblems(
  hook: PostgresqlHook,
  settings: Settings,
): Promise<readonly string[]> {
  const cluster = await openCluster(hook);
  if (cluster === undefined) return [];
  const { endpoints, podSizes } = await cluster.appData();
  for (const [unit, size] of Object.entries(parseSizes(podSizes))) {
    const counts = unit !== cluster.unit && endpoints.includes(memberHost(unit, cluster.app));
    const problems = counts ? validateAgainstResources(settings, size) : [];
    if (problems.length > 0) return problems.map((problem) => `for ${unit}: ${problem}`);
  }
  return [];
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
