// pause-failover and resume-failover: Patroni's maintenance mode. Patroni keeps the state, and the
// watcher of each unit sees it change, so that the status of every unit follows.

import { poll } from '../../lib/base/retry.ts';
import type { Handler } from '../../lib/juju/hook.ts';
import { type Cluster, openCluster, type PostgresqlHook } from '../adapters/cluster.ts';
import { isPatroniOutage, PatroniError } from '../adapters/patroni.ts';
import { changeShared, readShared } from '../adapters/shared-configuration.ts';
import type { PostgresqlPorts } from '../ports.ts';
import { createVoice } from './voice.ts';

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
  const outcome = await tellPatroni(hook, cluster, mode);
  if ('failure' in outcome) {
    action.fail(outcome.failure);
    return;
  }
  await action.log(
    outcome.changed
      ? `failover ${mode}; all members follow within seconds`
      : `failover is ${words[mode]} already`,
  );
  action.setResults({ status: `failover ${mode}` });
}

const words = { paused: 'paused', resumed: 'active' } as const;

/** A member that is restarted, another that writes, or Kubernetes that is away for a moment. */
const patience = { intervalMs: 1_000, timeoutMs: 15_000 };

type Outcome = { readonly changed: boolean } | { readonly failure: string };

/**
 * Any member can be told; the configuration is that of all. Each round looks anew: what was refused, or
 * not answered, may have been done all the same.
 */
async function tellPatroni(hook: PostgresqlHook, cluster: Cluster, mode: Mode): Promise<Outcome> {
  const say = createVoice(hook);
  let asked = false;
  let refusal: PatroniError | undefined;
  const done = await poll({ clock: hook.ports.clock, ...patience }, async () => {
    let found: Mode | undefined;
    try {
      await changeShared(cluster, ({ present }) => {
        found = modeIn(present);
        if (found === mode) return {};
        asked = true;
        return { pause: mode === 'paused' ? true : null };
      });
      refusal = undefined;
    } catch (error) {
      if (!isPatroniOutage(error)) throw error;
      refusal = error;
    }
    if (refusal === undefined && found !== undefined) return true;
    await say(`trying again: ${reasonOf(refusal)}`);
    return undefined;
  });
  if (done !== undefined) return { changed: asked };
  const reason = reasonOf(refusal);
  if (asked) return await tellEnd(cluster, mode, reason);
  const way = 'run the action again when it answers';
  return { failure: `Patroni cannot be asked, nothing has been changed: ${reason}; ${way}` };
}

/** After the last attempt: what holds is said, not what was answered. */
async function tellEnd(cluster: Cluster, mode: Mode, reason: string): Promise<Outcome> {
  const found = await readMode(cluster);
  if (found === mode) return { changed: true };
  const state =
    found === undefined
      ? 'Patroni does not tell whether failover is paused now'
      : `failover is still ${words[found]}`;
  return { failure: `${state}: ${reason}; run the action again` };
}

function reasonOf(refusal: PatroniError | undefined): string {
  return refusal?.message ?? 'the cluster has no shared configuration yet';
}

function modeIn(shared: Readonly<Record<string, unknown>>): Mode {
  return shared['pause'] === true ? 'paused' : 'resumed';
}

async function readMode(cluster: Cluster): Promise<Mode | undefined> {
  try {
    const shared = await readShared(cluster);
    return shared === undefined ? undefined : modeIn(shared);
  } catch (error) {
    if (error instanceof PatroniError) return undefined;
    throw error;
  }
}
