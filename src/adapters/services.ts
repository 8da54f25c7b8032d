// The Services of the application in Kubernetes: whether they are as they have to be, and making them so.

import { memberOfUnit } from '../core/names.ts';
import {
  isAsWanted,
  renderMembersService,
  renderServices,
  type Service,
  type ServiceFacts,
} from '../core/render/services.ts';
import type { Cluster, PostgresqlHook } from './cluster.ts';

/**
 * Makes what is missing of the Services, and corrects what is otherwise; where all is well it asks twice
 * and writes nothing. They belong to the StatefulSet, so Kubernetes removes them, and with them Patroni's
 * state, when the application goes.
 */
export async function ensureServices(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const pod = await hook.ports.kube.get('pods', memberOfUnit(cluster.unit));
  const wrong = await findWrong(hook, {
    app: cluster.app,
    namespace: cluster.namespace,
    owners: pod?.metadata.ownerReferences ?? [],
  });
  for (const service of wrong) {
    await hook.ports.kube.apply('services', service, cluster.app);
    hook.log('INFO', `Service ${service.metadata.name} has been made, or made right`);
  }
}

/** Names of the Services that are missing, or not as they have to be. */
export async function wrongServices(
  hook: PostgresqlHook,
  { app, namespace }: Pick<Cluster, 'app' | 'namespace'>,
): Promise<readonly string[]> {
  const wrong = await findWrong(hook, { app, namespace, owners: [] });
  return wrong.map(({ metadata }) => metadata.name);
}

/** As they have to be. */
async function findWrong(
  { ports: { kube } }: PostgresqlHook,
  facts: ServiceFacts,
): Promise<readonly Service[]> {
  const present = await kube.list('services', `app.kubernetes.io/name=${facts.app}`);
  const find = (name: string) => present.find(({ metadata }) => metadata.name === name);
  const wrong = renderServices(facts).filter((service) => {
    return !isAsWanted(find(service.metadata.name), service);
  });
  const members = renderMembersService(facts);
  const { name } = members.metadata;
  // It is Juju's, which may have made it otherwise.
  const isThere = find(name) !== undefined || (await kube.get('services', name)) !== undefined;
  return isThere ? wrong : [...wrong, members];
}
