// pause-failover and resume-failover: Patroni's maintenance mode. Patroni keeps the state, and the
// watcher of each unit sees it change, so that the status of every unit follows.

import type { Handler } from '../../lib/juju/hook.ts';
import { type Cluster, openCluster, type PostgresqlHook } from '../adapters/cluster.ts';
import { type Patroni, PatroniError } from '../adapters/patroni.ts';
import type { PostgresqlPorts } from '../ports.ts';

type Mode = 'paused' | 'resumed';

export const pauseFailover: Handler<PostgresqlPorts> = async (hook) => {
  await setMode(hook, 'paused');
};

export const resumeFailover: Handler<PostgresqlPorts> = async (hook) => {
  await setMode(hook, 'resumed');
};

async function setMode(hook: PostgresqlHook, mode: Mode): Promise<void> {
  const action = hook.juju.action();
  const cluster = await openCluster(hook);
  if (cluster === undefined || !(await cluster.appData()).initialised) {
    action.fail('Cluster not initialised yet.');
    return;
  }
  const change = await tellPatroni(cluster, mode);
  if (change === 'nobody-answers') {
    action.fail('Patroni does not answer on any unit; nothing has been changed');
    return;
  }
  await action.log(
    change === 'none'
      ? `failover is ${mode === 'paused' ? 'paused' : 'active'} already`
      : `failover ${mode}; all members follow within seconds`,
  );
  action.setResults({ status: `failover ${mode}` });
}

/** The first member that answers is told; the configuration is that of all. */
async function tellPatroni(
  cluster: Cluster,
  mode: Mode,
): Promise<'changed' | 'none' | 'nobody-answers'> {
  for (const unit of await cluster.units()) {
    try {
      return await changeMode(await cluster.patroni(unit), mode);
    } catch (error) {
      if (!(error instanceof PatroniError) || error.code !== 'unreachable') throw error;
    }
  }
  return 'nobody-answers';
}

async function changeMode(patroni: Patroni, mode: Mode): Promise<'changed' | 'none'> {
  const paused = (await patroni.config())['pause'] === true;
  if (paused === (mode === 'paused')) return 'none';
  await patroni.patchConfig({ pause: mode === 'paused' ? true : null });
  return 'changed';
}
