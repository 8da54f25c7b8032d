// The way out when the last primary and so many of its synchronous replicas are gone for good that
// nobody is sure to have all that was committed: the operator makes the unit with the newest data the primary, and gives up what it does not have.

import { poll } from '../../lib/base/retry.ts';
import { type Cluster, ownMember, type PostgresqlHook } from '../adapters/cluster.ts';
import { PatroniError } from '../adapters/patroni.ts';
import { readSuccession, toCandidates } from '../adapters/succession.ts';
import { memberOfUnit } from '../core/names.ts';
import { isNewest } from '../core/succession.ts';

// Parity: spelt as in the charm that this one stands in for, which always answers with it.
const superfluous = 'Suprerfluous force flag with unit scope';

const patience = { intervalMs: 500, timeoutMs: 60_000 };

/** Makes this unit the primary although it may lack commits; the reason when it does not. */
export async function forcePromotion(
  hook: PostgresqlHook,
  cluster: Cluster,
): Promise<string | undefined> {
  const seen = await cluster.patroniCluster();
  if (seen !== undefined && ownMember(seen, cluster.unit)?.role === 'leader') {
    await hook.juju.action().log(`${cluster.unit} is the primary already`);
    return undefined;
  }
  const succession = seen === undefined ? undefined : await readSuccession(hook, cluster, seen);
  if (seen === undefined || succession?.kind !== 'stuck') return superfluous;
  const { newest, awaited } = succession;
  if (newest === undefined) return 'No PostgreSQL is up that could become the primary';
  if (!isNewest(cluster.unit, newest, toCandidates(seen.members))) {
    return `${newest.unit} has newer data: run the action there`;
  }
  const lost = `what only ${[awaited.leader, ...awaited.standbys].join(', ')} had is given up`;
  hook.log('WARNING', `${cluster.unit} is promoted by force: ${lost}`);
  await hook.juju.action().log(`promoting ${cluster.unit}: ${lost}`);
  return await requestAndFollow(hook, cluster);
}

/** What Patroni answers is only a hint; whether the unit takes writes is what counts. */
async function requestAndFollow(
  hook: PostgresqlHook,
  cluster: Cluster,
): Promise<string | undefined> {
  const patroni = await cluster.patroni();
  let answer = 'it still does not lead';
  try {
    await patroni.failover(memberOfUnit(cluster.unit));
  } catch (error) {
    if (!(error instanceof PatroniError)) throw error;
    answer = error.message;
    if (error.fields['status'] === 412) return failed(answer);
  }
  const leads = await poll({ clock: hook.ports.clock, ...patience }, async () => {
    try {
      return (await patroni.isLeader()) ? true : undefined;
    } catch (error) {
      if (error instanceof PatroniError) return undefined;
      throw error;
    }
  });
  return leads === true ? undefined : failed(answer);
}

function failed(reason: string): string {
  return `Switchover failed or timed out, check the logs for details: ${reason}`;
}
