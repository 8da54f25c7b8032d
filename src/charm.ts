// How a unit comes to life: install, leader-elected and postgresql-pebble-ready, the latter two as
// their flowcharts draw them. The status that holds at the end of every hook is collected in
// `collect-status.ts`.

import { poll } from '../lib/base/retry.ts';
import type { Handler } from '../lib/juju/hook.ts';
import { KubeError } from '../lib/kube/error.ts';
import { planHasLayer } from '../lib/pebble/layer.ts';
import type { Layer } from '../lib/pebble/pebble.ts';
import { type Cluster, isStarted, openCluster, type PostgresqlHook } from './adapters/cluster.ts';
import {
  applyConfiguration,
  readUsableSettings,
  updateSynchronousReplication,
  writeMemberConfig,
} from './adapters/configuration.ts';
import { finishRemoval } from './adapters/data-directory.ts';
import { checkOptions } from './adapters/database-checks.ts';
import { labelPod } from './adapters/kubernetes.ts';
import { createPatroni, PatroniError } from './adapters/patroni.ts';
import { renewRepositoryConfig } from './adapters/repository.ts';
import { readRestoreMark, restoresAtStart } from './adapters/restore-mark.ts';
import { ensureServices } from './adapters/services.ts';
import { leaveUnfinished } from './adapters/unfinished.ts';
import { ensurePasswords, setUpDatabase } from './adapters/users.ts';
import { forgetView } from './adapters/view.ts';
import {
  ensureDirectories,
  ensureScripts,
  readVersion,
  readWorkload,
} from './adapters/workload.ts';
import { followSchedule } from './backup-schedule.ts';
import {
  patroniPort,
  patroniScheme,
  postgresPort,
  primaryServiceName,
  serviceHost,
} from './core/names.ts';
import {
  layerLabel,
  patroniService,
  renderLayer,
  watcherService,
} from './core/render/pebble-layer.ts';
import { awaitingMember, awaitingPrimaryEndpoint, failedToPatchPod } from './core/status.ts';
import { updateExtensions } from './extensions.ts';
import { admitUnits } from './peers.ts';
import type { PostgresqlPorts } from './ports.ts';
import { isHeldByRestore, resumeRestore } from './restore/follow.ts';
import { rollRestarts } from './rolling-restart.ts';
import {
  adoptStorage,
  confirmStorage,
  prepareStorage,
  settledStorage,
  tellMissingData,
} from './storage.ts';
import { followBackupServer } from './tls.ts';

type PostgresqlHandler = Handler<PostgresqlPorts>;

/** Opens the ports that clients and other members use. */
export const install: PostgresqlHandler = async (hook) => {
  hook.juju.openPorts([postgresPort, patroniPort]);
};

/** docs/flowcharts/leader-elected.mmd */
export const leaderElected: PostgresqlHandler = async (hook) => {
  const { walk } = hook;
  const cluster = await openCluster(hook);
  if (cluster === undefined) return;
  walk.step('generate_passwords');
  await ensurePasswords(hook, cluster);
  walk.step('create_k8s_resources');
  await ensureServices(hook, cluster);
  if (!walk.decide('is_part_of_cluster', await cluster.isMember())) {
    walk.step('add_to_cluster');
    await cluster.admit(cluster.unit);
  }
  walk.step('remove_departed_units');
  await cluster.removeDeparted();
  const { initialised } = await cluster.appData();
  if (!walk.decide('has_cluster_initialised', initialised)) {
    walk.step('rtn');
    return;
  }
  await followSchedule(hook, cluster);
  if ((await admitUnits(hook, cluster)) === 'deferred') return;
  walk.step('update_config');
  await updateSynchronousReplication(hook, cluster);
  await rollRestarts(hook, cluster);
  walk.step('rtn2');
};

/** docs/flowcharts/postgresql-pebble-ready.mmd */
export const pebbleReady: PostgresqlHandler = async (hook) => {
  const { walk, juju } = hook;
  const cluster = await openCluster(hook);
  if (cluster === undefined || !(await hook.ports.pebble.canConnect())) return;
  walk.step('create_pgdata');
  // On a full volume no directory could be made before.
  await finishRemoval(hook);
  await ensureDirectories(hook);
  const leader = await juju.isLeader();
  const { initialised } = await cluster.appData();
  if (!walk.decide('is_leader_or_has_cluster_initialised', leader || initialised)) {
    walk.step('defer');
    hook.defer();
    return;
  }
  if (!walk.decide('has_pushed_tls_files', await pushFiles(hook, cluster))) {
    walk.step('defer2');
    await tellMissingData(hook, cluster);
    hook.defer();
    return;
  }
  if (walk.decide('has_services_changed', await haveServicesChanged(hook))) {
    walk.step('update_and_restart_service');
    await startServices(hook, cluster);
  }
  if (!walk.decide('has_member_started', await hasMemberStarted(hook, cluster))) {
    walk.step('defer3');
    await tellMissingData(hook, cluster);
    hook.status(awaitingMember);
    hook.defer();
    return;
  }
  if (walk.decide('is_leader', leader) && (await initialise(hook, cluster)) === 'unfinished')
    return;
  walk.step('update_config');
  await applyConfiguration(hook, cluster);
  await updateExtensions(hook, cluster);
  await followBackupServer(hook, cluster);
  walk.step('set_active');
  await rollRestarts(hook, cluster);
  cluster.setUnit({ 'member-started': 'True', departing: undefined, ...settledStorage });
  await followSchedule(hook, cluster);
  walk.step('rtn2');
};

/**
 * Puts the files in place that the member starts with, on a volume that is its own. With an invalid
 * configuration they are made of the settings of before; without any there is nothing to start with. A
 * file that came with the volume is that of another pod, perhaps of another cluster.
 */
async function pushFiles(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  if (await isHeldByRestore(hook, cluster)) return false;
  if (!(await prepareStorage(hook, cluster))) return false;
  await checkOptions(hook, cluster);
  const usable = await readUsableSettings(hook);
  await renewRepositoryConfig(hook, cluster);
  if (usable === undefined) return false;
  await writeMemberConfig(hook, cluster, usable.settings);
  return true;
}

/** The layer as it has to be now. */
async function wantedLayer(hook: PostgresqlHook): Promise<Layer> {
  const mark = await readRestoreMark(hook);
  return renderLayer({ restart: mark === undefined || !restoresAtStart(mark) });
}

async function haveServicesChanged(hook: PostgresqlHook): Promise<boolean> {
  const { pebble } = hook.ports;
  if (!planHasLayer(await pebble.plan(), await wantedLayer(hook))) return true;
  const names = [patroniService, watcherService];
  const services = await pebble.services(names);
  return services.length < names.length || services.some(({ current }) => current !== 'active');
}

async function startServices(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const { pebble } = hook.ports;
  await ensureScripts(hook);
  // Patroni finds its members by these labels, so they come before its start.
  await labelPod(hook, cluster.app, cluster.unit);
  if (!(await confirmStorage(hook, cluster))) return;
  const version = await readVersion(hook, (await readWorkload(hook)).binDir);
  if (version !== undefined) await hook.juju.setWorkloadVersion(version);
  // An interrupted restore goes on from here; an ordinary start would make an empty database.
  if (await resumeRestore(hook, cluster)) return;
  await pebble.addLayer(layerLabel, await wantedLayer(hook));
  await pebble.replan();
  forgetView(hook);
}

// A start takes a moment; what takes longer is announced by a notice, which ends the deferral.
const startPatience = { intervalMs: 500, timeoutMs: 3_000 };

async function hasMemberStarted(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  const started = await poll({ clock: hook.ports.clock, ...startPatience }, async () => {
    const health = await cluster.health({ fresh: true });
    return health !== undefined && isStarted(health.state) ? true : undefined;
  });
  return started === true;
}

/** The leader's part of pebble-ready: labels, the Service, users, and the mark in the databag. */
async function initialise(hook: PostgresqlHook, cluster: Cluster): Promise<'done' | 'unfinished'> {
  const { walk } = hook;
  const failure = await labelFailure(hook, cluster);
  if (!walk.decide('has_patched_pod_labels', failure === undefined)) {
    walk.step('set_blocked');
    hook.status(failedToPatchPod(failure ?? ''));
    await leaveUnfinished(hook, 'everything');
    walk.step('rtn');
    return 'unfinished';
  }
  if (
    !walk.decide('is_service_redirecting_traffic', await doesServiceReachPrimary(hook, cluster))
  ) {
    walk.step('set_waiting');
    hook.status(awaitingPrimaryEndpoint);
    walk.step('defer4');
    hook.defer();
    return 'unfinished';
  }
  walk.step('mark_cluster_as_initialised');
  if (!(await cluster.appData()).initialised) {
    await adoptStorage(hook, cluster);
    await setUpDatabase(hook, cluster);
    cluster.setApp({ cluster_initialised: 'True' });
  }
  return 'done';
}

async function labelFailure(hook: PostgresqlHook, cluster: Cluster): Promise<string | undefined> {
  try {
    await labelPod(hook, cluster.app, cluster.unit);
    return undefined;
  } catch (error) {
    if (error instanceof KubeError && error.code !== 'forbidden') return error.message;
    throw error;
  }
}

const servicePatience = { intervalMs: 500, timeoutMs: 10_000 };

async function doesServiceReachPrimary(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  const primary = createPatroni({
    http: hook.ports.http,
    host: serviceHost(primaryServiceName(cluster.app), cluster.namespace),
    port: patroniPort,
    scheme: patroniScheme,
  });
  const reached = await poll({ clock: hook.ports.clock, ...servicePatience }, async () => {
    try {
      const { state } = await primary.health();
      return isStarted(state) ? true : undefined;
    } catch (error) {
      if (error instanceof PatroniError) return undefined;
      throw error;
    }
  });
  return reached === true;
}
