// get-primary and promote-to-primary: which unit takes writes, and making this one do so.

import type { Handler } from '../../lib/juju/hook.ts';
import { type Cluster, openCluster, type PostgresqlHook } from '../adapters/cluster.ts';
import { shorten } from '../core/action-parameters.ts';
import type { PostgresqlPorts } from '../ports.ts';
import { forcePromotion } from './forced-promotion.ts';
import { switchOver } from './switchover.ts';

type PostgresqlHandler = Handler<PostgresqlPorts>;

/** Parity: without a primary the action succeeds and has no result; scripts of others rely on it. */
export const getPrimary: PostgresqlHandler = async (hook) => {
  const action = hook.juju.action();
  const primary = await (await openCluster(hook))?.primary();
  if (primary === undefined) {
    await action.log('No primary: the cluster has not started, or is choosing a new one.');
    return;
  }
  action.setResults({ primary });
};

/** Tells what is true: a switchover that was reported lost, but happened, is a success. */
export const promoteToPrimary: PostgresqlHandler = async (hook) => {
  const action = hook.juju.action();
  const { scope, force } = await action.params();
  const cluster = await openCluster(hook);
  const refusal =
    refuseScope(scope) ??
    (await refuseCluster(cluster)) ??
    (scope === 'cluster' ? noOtherCluster : await promoteUnit(hook, cluster, force === true));
  if (refusal !== undefined) action.fail(refusal);
};

const noOtherCluster =
  'No primary cluster found: there is no relation to another cluster. ' +
  'With scope=unit this unit becomes the primary of its own cluster.';

function refuseScope(scope: unknown): string | undefined {
  if (scope !== 'unit' && scope !== 'cluster') {
    const given = typeof scope === 'string' ? `, not ${shorten(scope)}` : '';
    return `Scope should be either cluster or unit${given}`;
  }
  return undefined;
}

async function refuseCluster(cluster: Cluster | undefined): Promise<string | undefined> {
  const initialised = (await cluster?.appData())?.initialised === true;
  return initialised ? undefined : 'Cluster not initialised yet.';
}

async function promoteUnit(
  hook: PostgresqlHook,
  cluster: Cluster | undefined,
  force: boolean,
): Promise<string | undefined> {
  if (cluster === undefined) return undefined;
  if (force) {
    const refusal = await forcePromotion(hook, cluster);
    if (refusal !== undefined) return refusal;
  } else {
    const outcome = await switchOver(hook, cluster);
    if (outcome.kind === 'failed') {
      hook.log('WARNING', `promote-to-primary: ${outcome.reason}`);
      return outcome.message;
    }
  }
  hook.juju.action().setResults({ primary: cluster.unit });
  return undefined;
}
