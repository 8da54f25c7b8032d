// What an application of the same name has left in Kubernetes of its cluster. Nobody owns Patroni's Endpoints
// themselves: a member that outlives the Services writes them anew, and a Patroni that finds a cluster
// without a leader waits for one for ever. They are known by their age: nothing of this application is
// older than its StatefulSet.

import { clusterName } from '../core/names.ts';
import { patroniService } from '../core/render/pebble-layer.ts';
import type { Cluster, PostgresqlHook } from './cluster.ts';
import { lockHolder, type PresentState, readPresentState } from './patroni-state.ts';
import { readSystemIdentifier } from './storage-identity.ts';

/**
 * Makes Patroni forget a cluster of which this unit has no data, if it is older than the application. Before
 * the application has a database, and before Patroni is started. Says whether the member may start: not
 * beside a member of the former application that still has the lock.
 */
export async function forgetFormerCluster(
  hook: PostgresqlHook,
  cluster: Cluster,
): Promise<boolean> {
  const { initialised } = await cluster.appData();
  if (initialised || (await isPatroniUp(hook))) return true;
  const present = await readPresentState(hook, cluster);
  const former = await findFormer(hook, cluster.app, present);
  if (former.length === 0) return true;
  const remembered = identifierIn(present, cluster.app);
  if (remembered !== undefined && (await readSystemIdentifier(hook)) === remembered) return true;
  const holder = holderOf(hook, cluster, present);
  if (holder !== undefined) {
    hook.log('WARNING', `${holder} of a former ${cluster.app} has the lock: waiting until it ends`);
    return false;
  }
  for (const name of former) await hook.ports.kube.delete('endpoints', name);
  hook.log('INFO', `what a former ${cluster.app} has left is gone: ${former.join(', ')}`);
  return true;
}

/**
 * Whether Patroni remembers a cluster that nobody leads, and no data of it are here, although the
 * application has no database yet. The leader's question: nobody else starts anything then.
 */
export async function waitsForStrangers(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  if ((await cluster.appData()).initialised || !(await hook.juju.isLeader())) return false;
  if ((await cluster.primary()) !== undefined) return false;
  const present = await readPresentState(hook, cluster);
  if (identifierIn(present, cluster.app) === undefined) return false;
  if (holderOf(hook, cluster, present) !== undefined) return false;
  return (await readSystemIdentifier(hook)) === undefined;
}

async function isPatroniUp({ ports }: PostgresqlHook): Promise<boolean> {
  const services = await ports.pebble.services([patroniService]);
  return services.some(({ current }) => current === 'active');
}

/** Names of those that are older than the application. */
async function findFormer(
  { ports }: PostgresqlHook,
  app: string,
  present: PresentState,
): Promise<readonly string[]> {
  if (present.length === 0) return [];
  const statefulSet = await ports.kube.get('statefulsets', app);
  const bornMs = Date.parse(statefulSet?.metadata.creationTimestamp ?? '');
  // What is without a time is older than nothing.
  return present.filter(({ created = '' }) => Date.parse(created) < bornMs).map(({ name }) => name);
}

function identifierIn(present: PresentState, app: string): string | undefined {
  const config = present.find(({ name }) => name === `${clusterName(app)}-config`);
  const identifier = config?.annotations['initialize'];
  return identifier === '' ? undefined : identifier;
}

function holderOf(
  { ports }: PostgresqlHook,
  { app }: Cluster,
  present: PresentState,
): string | undefined {
  return lockHolder(present, { app, nowMs: ports.clock.nowMs() });
}
