// A unit that is being removed puts its cluster in order while its database still runs: it hands the
// primary over, and takes itself out of what commits wait for. The leader learns of the departure
// only later, and until then strict synchronous replication would hold up every write.

import type { Handler } from '../lib/juju/hook.ts';
import { type Cluster, openCluster, ownMember, type PostgresqlHook } from './adapters/cluster.ts';
import { updateSynchronousReplication } from './adapters/configuration.ts';
import { PatroniError } from './adapters/patroni.ts';
import { memberOfUnit } from './core/names.ts';
import type { PostgresqlPorts } from './ports.ts';

/** Juju detaches the storage of a unit that goes, not that of a pod that is replaced. */
export const storageDetaching: Handler<PostgresqlPorts> = async (hook) => {
  const cluster = await openCluster(hook);
  if (cluster === undefined || !(await cluster.appData()).initialised) return;
  // Wakes the others: Juju's own departed hook may come minutes later.
  cluster.setUnit({ departing: 'True' });
  const staying = (await hook.juju.plannedUnitNames()).filter((unit) => unit !== cluster.unit);
  if (staying.length === 0 || (await cluster.health()) === undefined) return;
  await handOver(hook, cluster, staying);
  await updateSynchronousReplication(hook, cluster);
};

/** A switchover to a synchronous standby that stays; without one Patroni fails over by itself. */
async function handOver(
  hook: PostgresqlHook,
  cluster: Cluster,
  staying: readonly string[],
): Promise<void> {
  const seen = await cluster.patroniCluster();
  if (seen === undefined || ownMember(seen, cluster.unit)?.role !== 'leader') return;
  const names = staying.map(memberOfUnit);
  const candidate = seen.members.find(
    ({ name, role }) => role === 'sync_standby' && names.includes(name),
  );
  if (candidate === undefined) return;
  try {
    const patroni = await cluster.patroni();
    await patroni.switchover({ leader: memberOfUnit(cluster.unit), candidate: candidate.name });
  } catch (error) {
    if (!(error instanceof PatroniError)) throw error;
    hook.log('WARNING', `${error.message}; the others choose a primary when this unit is gone`);
  }
}
