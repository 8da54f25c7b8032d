// What keeps a running unit right: configuration changes, update-status, and the notices that a
// member sends when it starts, stops or changes its role.

import type { Handler } from '../lib/juju/hook.ts';
import { type Cluster, isStarted, openCluster, type PostgresqlHook } from './adapters/cluster.ts';
import { applyConfiguration, readSettings } from './adapters/configuration.ts';
import { retryRepository } from './backups.ts';
import { leaderElected, pebbleReady } from './charm.ts';
import { endInterruptedBackup } from './create-backup.ts';
import type { PostgresqlPorts } from './ports.ts';
import { quietly } from './quietly.ts';
import { restoreOutcome, resumeRestore } from './restore.ts';

type PostgresqlHandler = Handler<PostgresqlPorts>;

/** New settings are checked as a whole; invalid ones change nothing and are named in the status. */
export const configChanged: PostgresqlHandler = async (hook) => {
  const result = await readSettings(hook);
  if (result.kind === 'invalid') {
    for (const problem of result.problems) hook.log('ERROR', `option ${problem}`);
    return;
  }
  await repair(hook);
};

/** Makes up for what another hook could not do, and otherwise does nothing. */
export const updateStatus: PostgresqlHandler = async (hook) => {
  await repair(hook);
  const cluster = await openCluster(hook);
  if (cluster === undefined) return;
  await retryRepository(quietly(hook), cluster);
  await endInterruptedBackup(hook, cluster);
};

/** A member started, stopped or changed its role: statuses and what waits for it follow. */
export const memberNotice: PostgresqlHandler = async (hook) => {
  const cluster = await openCluster(hook);
  if (cluster !== undefined) await restoreOutcome(hook, cluster);
};

async function repair(hook: PostgresqlHook): Promise<void> {
  const cluster = await openCluster(hook);
  if (cluster === undefined) return;
  const silent = quietly(hook);
  const { initialised, restoringBackup } = await cluster.appData();
  if (restoringBackup !== undefined) {
    await restoreOutcome(hook, cluster);
    return;
  }
  if (await hook.juju.isLeader()) {
    if (!initialised) await leaderElected(silent);
    if (await resumeInterrupted(silent, cluster)) return;
  }
  if (!initialised || !(await hasStarted(cluster))) await pebbleReady(silent);
  else if (hook.event.name !== 'update-status') await applyConfiguration(hook, cluster);
}

async function resumeInterrupted(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  return (await hook.ports.pebble.canConnect()) && (await resumeRestore(hook, cluster));
}

async function hasStarted(cluster: Cluster): Promise<boolean> {
  const health = await cluster.health();
  return health !== undefined && isStarted(health.state);
}
