// Patroni's service during a restore, in which Pebble does not start it again: its end is what tells.

import { CodedError } from '../../lib/base/error.ts';
import { type Cluster, isStarted, type PostgresqlHook } from '../adapters/cluster.ts';
import { hasWayBack } from '../adapters/data-directory.ts';
import { hasFailed, type RestoreMark } from '../adapters/restore-mark.ts';
import { forgetView } from '../adapters/view.ts';
import type { RestoreTarget } from '../core/backups/restore-target.ts';
import {
  layerLabel,
  patroniService,
  renderLayer,
  watcherService,
} from '../core/render/pebble-layer.ts';

/** Patroni is started again from now on whenever it ends; one that runs is not interrupted. */
export async function resumeService(hook: PostgresqlHook): Promise<void> {
  await setLayer(hook, { restart: true });
  await startDatabase(hook);
}

export async function setLayer(
  hook: PostgresqlHook,
  { restart }: { readonly restart: boolean },
): Promise<void> {
  await hook.ports.pebble.addLayer(layerLabel, renderLayer({ restart }));
}

/** A Patroni that ends at once is no failure of the hook: the status tells. */
export async function startDatabase(hook: PostgresqlHook): Promise<void> {
  const failure = await failureOf(async () => {
    await hook.ports.pebble.start(watcherService, patroniService);
    forgetView(hook);
  });
  if (failure !== undefined) hook.log('ERROR', failure);
}

/** Whether nothing has been started in it yet. */
export async function isNewContainer(hook: PostgresqlHook): Promise<boolean> {
  return (await hook.ports.pebble.services([patroniService])).length === 0;
}

export async function isServiceActive(hook: PostgresqlHook): Promise<boolean> {
  const [service] = await hook.ports.pebble.services([patroniService]);
  return service?.current === 'active';
}

export async function doesPrimaryAnswer(cluster: Cluster): Promise<boolean> {
  const health = await cluster.health();
  return health !== undefined && health.role === 'primary' && isStarted(health.state);
}

/** What is wrong with a database that answers here, but is not the one that was to be restored. */
export async function findStranger(
  cluster: Cluster,
  { systemId }: Pick<RestoreTarget, 'systemId'>,
): Promise<string | undefined> {
  const health = await cluster.health();
  if (health === undefined || !isStarted(health.state)) return undefined;
  const { systemIdentifier: found } = health;
  if (systemId === undefined || found === undefined || found === systemId) return undefined;
  return `another database answers (system identifier ${found}, not ${systemId})`;
}

export async function failureOf(attempt: () => Promise<void>): Promise<string | undefined> {
  try {
    await attempt();
    return undefined;
  } catch (error) {
    if (error instanceof CodedError) return error.message;
    throw error;
  }
}

/** Whether a restore has come to its end, or as far as it can, and there is nothing to go back to. */
export async function hasLeftNothing(hook: PostgresqlHook, mark: RestoreMark): Promise<boolean> {
  if (hasFailed(mark)) return true;
  const { phase, notSetUp } = mark;
  return phase === 'started' && notSetUp !== undefined && !(await hasWayBack(hook, mark));
}
