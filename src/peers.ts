// The peer relation: who is a member, and what every member does when the others change.
// docs/flowcharts/peer-relation-changed.mmd and peer-relation-departed.mmd.

import type { Handler } from '../lib/juju/hook.ts';
import { type Cluster, isStarted, openCluster, type PostgresqlHook } from './adapters/cluster.ts';
import { applyConfiguration, updateSynchronousReplication } from './adapters/configuration.ts';
import { labelPod } from './adapters/kubernetes.ts';
import { adoptLastBackup } from './adapters/last-backup.ts';
import { followOrder } from './backup-order.ts';
import { followSchedule } from './backup-schedule.ts';
import { followDepartures } from './departure.ts';
import type { PostgresqlPorts } from './ports.ts';
import { followRestore } from './restore/follow.ts';
import { rollRestarts } from './rolling-restart.ts';
import { followBackupServer } from './tls.ts';

/** docs/flowcharts/peer-relation-changed.mmd */
export const peerRelationChanged: Handler<PostgresqlPorts> = async (hook) => {
  const { walk } = hook;
  const cluster = await openCluster(hook);
  if (cluster === undefined) return;
  const { initialised } = await cluster.appData();
  if (!walk.decide('has_cluster_initialised', initialised)) {
    walk.step('defer');
    hook.defer();
    return;
  }
  await followRestore(hook, cluster);
  if (walk.decide('is_leader', await hook.juju.isLeader())) {
    const { event } = hook;
    if (event.kind === 'relation' && event.remoteUnit !== undefined) {
      await adoptLastBackup(hook, cluster, event.remoteUnit);
      await followSchedule(hook, cluster);
    }
    // Juju may announce a departure minutes late, or not at all.
    await followDepartures(hook, cluster);
    if ((await admitUnits(hook, cluster)) === 'deferred') return;
  }
  if (!walk.decide('is_part_of_cluster', await cluster.isMember())) {
    walk.step('rtn');
    return;
  }
  await followCluster(hook, cluster);
};

async function followCluster(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const { walk } = hook;
  const reachable = await hook.ports.pebble.canConnect();
  const health = reachable ? await cluster.health() : undefined;
  walk.step('update_config');
  // An unreachable container gets its configuration when it starts; the others wait for the leader's.
  if (reachable) await applyConfiguration(hook, cluster);
  else if (await hook.juju.isLeader()) await updateSynchronousReplication(hook, cluster);
  walk.step('restart_postgresql');
  if (reachable) await rollRestarts(hook, cluster);
  if (!walk.decide('has_member_started', health !== undefined && isStarted(health.state))) {
    walk.step('defer3');
    hook.defer();
    return;
  }
  walk.step('update_read_only_endpoint');
  await followBackupServer(hook, cluster);
  walk.step('set_active');
  walk.step('rtn2');
  await followOrder(hook, cluster);
}

/** docs/flowcharts/peer-relation-departed.mmd */
export const peerRelationDeparted: Handler<PostgresqlPorts> = async (hook) => {
  const { walk, event } = hook;
  const cluster = await openCluster(hook);
  if (cluster === undefined || event.kind !== 'relation') return;
  const { departingUnit } = event;
  const stays = (await hook.juju.isLeader()) && departingUnit !== cluster.unit;
  if (!walk.decide('is_leader_and_is_not_departing', stays)) {
    walk.step('rtn');
    return;
  }
  const { initialised } = await cluster.appData();
  if (!walk.decide('has_cluster_initialised', initialised)) {
    walk.step('defer');
    hook.defer();
    return;
  }
  walk.step('update_read_only_endpoint');
  walk.step('remove_departing_units');
  await cluster.removeDeparted(departingUnit);
  walk.step('update_config');
  await updateSynchronousReplication(hook, cluster);
  walk.step('rtn2');
};

/**
 * The loop that three charts share: admit the units that are missing, one after another, as long
 * as all members are ready: those that Patroni lists at that moment. Leader only.
 */
export async function admitUnits(
  hook: PostgresqlHook,
  cluster: Cluster,
): Promise<'complete' | 'deferred'> {
  const { walk } = hook;
  for (;;) {
    const [next] = await cluster.missingUnits();
    walk.decide('all_units_on_cluster', next === undefined);
    if (next === undefined) return 'complete';
    // The one that was admitted last may be on its way already.
    const ready = await cluster.allMembersReady({ fresh: true });
    if (!walk.decide('are_all_members_ready', ready)) {
      walk.step('defer2');
      hook.defer();
      return 'deferred';
    }
    walk.step('add_unit_to_cluster');
    await cluster.admit(next);
    walk.step('patch_pod_labels');
    await labelPod(hook, cluster.app, next);
  }
}
