// A unit that is being removed puts its cluster in order while its database still runs: it hands the
// primary over, and sees to it that commits do not wait for standbys that will not be there, because the
// leader learns of the departure only later.

import { poll } from '../lib/base/retry.ts';
import type { Handler } from '../lib/juju/hook.ts';
import { type Cluster, openCluster, ownMember, type PostgresqlHook } from './adapters/cluster.ts';
import { changeWhenPossible, updateSynchronousReplication } from './adapters/configuration.ts';
import { PatroniError } from './adapters/patroni.ts';
import type { Cluster as PatroniCluster } from './adapters/patroni-answers.ts';
import { readTurnMs } from './adapters/shared-configuration.ts';
import { heirOf, presentEndpoints } from './core/membership.ts';
import { memberOfUnit, unitOfMember } from './core/names.ts';
import type { PostgresqlPorts } from './ports.ts';

/** Juju detaches the storage of a unit that goes, not that of a pod that is replaced. */
export const storageDetaching: Handler<PostgresqlPorts> = async (hook) => {
  const cluster = await openCluster(hook);
  if (cluster === undefined || !(await cluster.appData()).initialised) return;
  // Wakes the others: Juju's own departed hook may come minutes later.
  cluster.setUnit({ departing: 'True' });
  const staying = (await hook.juju.plannedUnitNames()).filter((unit) => unit !== cluster.unit);
  if (staying.length === 0) return;
  if (await hook.juju.isLeader()) await cluster.removeDeparted(cluster.unit);
  if ((await cluster.health()) === undefined) return;
  await handOver(hook, cluster, staying);
  // Strictness is what would hold up every write of a member that stays alone.
  await updateSynchronousReplication(hook, cluster);
};

/** Takes members out whose units are gone; leader only. */
export async function followDepartures(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const before = (await cluster.appData()).endpoints;
  if (hook.event.name === 'update-status' && (await areListed(cluster, before))) return;
  await cluster.removeDeparted();
  if ((await cluster.appData()).endpoints.length === before.length) return;
  await updateSynchronousReplication(hook, cluster);
}

/**
 * Whether all members have a pod. Then none has gone unnoticed, and a quiet update-status need not ask
 * Juju, whose controller has to look through the whole model for its answer.
 */
async function areListed(cluster: Cluster, endpoints: readonly string[]): Promise<boolean> {
  if ((await cluster.ownListed()) === undefined) return false;
  const listed = (await cluster.patroniCluster())?.members ?? [];
  const units = listed.map(({ name }) => unitOfMember(name));
  return presentEndpoints(cluster.app, units, endpoints).length === endpoints.length;
}

/** A switchover to a synchronous standby that stays; without one Patroni fails over by itself. */
async function handOver(
  hook: PostgresqlHook,
  cluster: Cluster,
  staying: readonly string[],
): Promise<void> {
  const seen = await cluster.patroniCluster();
  if (seen === undefined || ownMember(seen, cluster.unit)?.role !== 'leader') return;
  const heir = heirOf(staying, seen.members) ?? (await raiseHeir(hook, cluster, staying));
  if (heir === undefined) {
    hook.log('WARNING', 'no unit that stays has all data yet; Patroni waits for one that has');
    return;
  }
  try {
    const patroni = await cluster.patroni();
    await patroni.switchover({ leader: memberOfUnit(cluster.unit), candidate: heir });
  } catch (error) {
    if (!(error instanceof PatroniError)) throw error;
    hook.log('WARNING', `${error.message}; the others choose a primary when this unit is gone`);
  }
}

const shortestPatienceMs = 30_000;

/** A replica that streams becomes synchronous within two of Patroni's rounds. */
async function patienceMs(cluster: Cluster): Promise<number> {
  try {
    return Math.max(shortestPatienceMs, 3 * (await readTurnMs(cluster)));
  } catch (error) {
    // That nobody tells how long they are keeps no unit from going.
    if (error instanceof PatroniError) return shortestPatienceMs;
    throw error;
  }
}

/**
 * When only units that go are synchronous, for a moment all replicas have to be: Patroni promotes
 * nobody else. The leader, and others that go, may change the number meanwhile, so it is asked for each
 * time, and again when that was refused.
 */
async function raiseHeir(
  hook: PostgresqlHook,
  cluster: Cluster,
  staying: readonly string[],
): Promise<string | undefined> {
  const timeoutMs = await patienceMs(cluster);
  return await poll({ clock: hook.ports.clock, intervalMs: 1_000, timeoutMs }, async () => {
    const seen = await lookAgain(cluster);
    if (seen === undefined) return undefined;
    const heir = heirOf(staying, seen.members);
    if (heir === undefined) {
      const count = seen.members.length - 1;
      await changeWhenPossible(hook, cluster, () => ({ synchronous_node_count: count }));
    }
    return heir;
  });
}

async function lookAgain(cluster: Cluster): Promise<PatroniCluster | undefined> {
  try {
    return await (await cluster.patroni()).cluster();
  } catch (error) {
    if (error instanceof PatroniError) return undefined;
    throw error;
  }
}
