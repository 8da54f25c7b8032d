// The restore action as its flowchart draws it, and what follows: the unit becomes active or
// blocked when the restored database answers or Patroni gave up.

import { CodedError } from '../lib/base/error.ts';
import type { Handler } from '../lib/juju/hook.ts';
import { KubeError } from '../lib/kube/error.ts';
import { PebbleError } from '../lib/pebble/errors.ts';
import {
  type Cluster,
  isStarted,
  isTlsEnabled,
  openCluster,
  type PostgresqlHook,
} from './adapters/cluster.ts';
import { applyConfiguration, readSettings, writeMemberConfig } from './adapters/configuration.ts';
import { forgetCluster } from './adapters/kubernetes.ts';
import { info } from './adapters/pgbackrest.ts';
import { readRepository, refusalOf, writeRepositoryConfig } from './adapters/repository.ts';
import {
  type RestoreMark,
  readRestoreMark,
  removeRestoreMark,
  writeRestoreMark,
} from './adapters/restore-mark.ts';
import { setUpDatabase } from './adapters/users.ts';
import { forgetView } from './adapters/view.ts';
import { shown } from './core/action-parameters.ts';
import { type Backup, restorableBackups } from './core/backups/backup-list.ts';
import { dataDirectory, memberOfUnit, stanzaName, workloadUser } from './core/names.ts';
import { layerLabel, patroniService, renderLayer } from './core/render/pebble-layer.ts';
import { allowsRestore, restoringBackup } from './core/status.ts';
import { updateExtensions } from './extensions.ts';
import type { PostgresqlPorts } from './ports.ts';

/** docs/flowcharts/restore.mmd */
export const restore: Handler<PostgresqlPorts> = async (hook) => {
  const action = hook.juju.action();
  const id = (await action.params())['backup-id'];
  const admitted = await admitRestore(hook, typeof id === 'string' ? id.trim() : '');
  const outcome = 'refusal' in admitted ? admitted : await performRestore(hook, admitted);
  if (outcome !== undefined) {
    hook.walk.step('fail_action');
    action.fail(outcome.refusal);
    return;
  }
  hook.walk.step('finish_action');
  action.setResults({ 'restore-status': 'restore started' });
};

interface Refusal {
  readonly refusal: string;
}

interface AdmittedRestore {
  readonly cluster: Cluster;
  readonly backup: Backup;
}

/** Everything that can be checked is checked before anything is touched. */
async function admitRestore(hook: PostgresqlHook, id: string): Promise<AdmittedRestore | Refusal> {
  const { walk } = hook;
  if (!walk.decide('has_user_provided_backup_id', id !== '')) {
    return { refusal: 'A backup-id needs to be provided to be able to do restore' };
  }
  const cluster = await openCluster(hook);
  const accessible = cluster !== undefined && (await hook.ports.pebble.canConnect());
  if (!walk.decide('is_workload_container_accessible', accessible) || cluster === undefined) {
    return { refusal: 'Workload container not ready yet!' };
  }
  const refused = await refuseUnit(hook, cluster);
  if (refused !== undefined) return refused;
  const found = await findBackup(hook, cluster, id);
  walk.decide('is_backup_id_valid', !('refusal' in found));
  return 'refusal' in found ? found : { cluster, backup: found };
}

async function refuseUnit(hook: PostgresqlHook, cluster: Cluster): Promise<Refusal | undefined> {
  const { walk, juju } = hook;
  if (walk.decide('is_blocked', await isBlocked(hook, cluster))) {
    return { refusal: 'Cluster or unit is in a blocking state' };
  }
  const single = await isSingleUnit(hook, cluster);
  if (!walk.decide('is_single_unit_cluster', single)) {
    return { refusal: 'Unit cannot restore backup as there are more than one unit in the cluster' };
  }
  if (!walk.decide('is_leader', await juju.isLeader())) {
    return { refusal: 'Unit cannot restore backup as it was not elected the leader unit yet' };
  }
  return undefined;
}

/** No other unit is wanted, and no other member is left, whatever Juju's relation still shows. */
async function isSingleUnit(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  if ((await cluster.units()).length > 1 || (await hook.juju.plannedUnits()) !== 1) return false;
  const members = (await cluster.patroniCluster())?.members ?? [];
  return members.every(({ name }) => name === memberOfUnit(cluster.unit));
}

/** By something that a restore does not end: S3, or a restore that has failed. */
async function isBlocked(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  const status = await hook.juju.unitStatus();
  if (status?.level !== 'blocked' || allowsRestore(status.message)) return false;
  return (await cluster.appData()).restoringBackup === undefined;
}

async function findBackup(
  hook: PostgresqlHook,
  cluster: Cluster,
  id: string,
): Promise<Backup | Refusal> {
  const reading = await readRepository(hook);
  if (reading.kind !== 'ready') return { refusal: refusalOf(reading) ?? '' };
  try {
    await writeRepositoryConfig(hook, cluster, reading.parameters);
    const own = stanzaName(cluster.namespace, cluster.app);
    const found = restorableBackups(await info(hook.ports.pebble), own).find(
      (candidate) => candidate.id === id,
    );
    return found ?? { refusal: `Invalid backup-id: ${shown(id)}` };
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return { refusal: `Failed to list PostgreSQL backups with error: ${error.message}` };
  }
}

async function performRestore(
  hook: PostgresqlHook,
  { cluster, backup }: { readonly cluster: Cluster; readonly backup: RestoreTarget },
): Promise<Refusal | undefined> {
  const { walk } = hook;
  walk.step('set_maintenance');
  await hook.juju.showProgress(restoringBackup);
  const mark = { label: backup.label, stanza: backup.stanza };
  await writeRestoreMark(hook, { ...mark, phase: 'preparing' });
  const notStopped = await failureOf(async () => {
    // While a restore runs, a Patroni that gives up must stay down: so its failure is seen.
    await setLayer(hook, cluster, { restart: false });
    await hook.ports.pebble.stop(patroniService);
    forgetView(hook);
  });
  if (!walk.decide('has_database_stopped', notStopped === undefined)) {
    await removeRestoreMark(hook);
    await setLayer(hook, cluster, { restart: true });
    return { refusal: `Failed to stop database service with error: ${notStopped ?? ''}` };
  }
  const notForgotten = await failureOf(async () => {
    await forgetCluster(hook, cluster.app);
  });
  if (!walk.decide('was_previous_cluster_info_removed', notForgotten === undefined)) {
    return await backOut(
      hook,
      cluster,
      `Failed to remove previous cluster information with error: ${notForgotten ?? ''}`,
    );
  }
  const notEmptied = await failureOf(async () => {
    await emptyDataDirectory(hook);
  });
  if (!walk.decide('was_data_directory_emptied', notEmptied === undefined)) {
    return await backOut(
      hook,
      cluster,
      `Failed to remove contents of the data directory with error: ${notEmptied ?? ''}`,
    );
  }
  walk.step('configure_restore');
  markInDatabag(cluster, backup);
  const settings = await readSettings(hook);
  if (settings.kind === 'valid') await writeMemberConfig(hook, cluster, settings.settings);
  walk.step('start_database');
  await startDatabase(hook);
  await writeRestoreMark(hook, { ...mark, phase: 'started' });
  return undefined;
}

type RestoreTarget = Pick<Backup, 'label' | 'stanza'>;

/**
 * Takes up a restore that was interrupted before Juju learned of it. Says whether there was one.
 * Every step may be done twice; what has been started is not started again.
 */
export async function resumeRestore(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  const mark = await readRestoreMark(hook);
  if (mark === undefined) return false;
  if (mark.phase === 'preparing') await restart(hook, cluster, mark);
  else markInDatabag(cluster, mark);
  return true;
}

async function restart(hook: PostgresqlHook, cluster: Cluster, mark: RestoreMark): Promise<void> {
  const refused = await performRestore(hook, { cluster, backup: mark });
  if (refused !== undefined) hook.log('ERROR', `cannot resume the restore: ${refused.refusal}`);
}

function markInDatabag(cluster: Cluster, { label, stanza }: RestoreTarget): void {
  cluster.setApp({
    'restoring-backup': label,
    'restore-stanza': stanza,
    's3-initialization-block-message': undefined,
  });
}

async function setLayer(
  hook: PostgresqlHook,
  cluster: Cluster,
  { restart }: { readonly restart: boolean },
): Promise<void> {
  const scheme = (await isTlsEnabled(cluster)) ? 'https' : 'http';
  await hook.ports.pebble.addLayer(layerLabel, renderLayer({ scheme, restart }));
}

/** A Patroni that ends at once is no failure of the hook: the status tells. */
async function startDatabase(hook: PostgresqlHook): Promise<void> {
  const failure = await failureOf(async () => {
    await hook.ports.pebble.start(patroniService);
    forgetView(hook);
  });
  if (failure !== undefined) hook.log('ERROR', failure);
}

async function emptyDataDirectory(hook: PostgresqlHook): Promise<void> {
  const { pebble } = hook.ports;
  await pebble.remove(dataDirectory, { recursive: true });
  await pebble.makeDir(dataDirectory, { user: workloadUser, group: workloadUser, mode: '0700' });
}

async function backOut(hook: PostgresqlHook, cluster: Cluster, refusal: string): Promise<Refusal> {
  hook.walk.step('start_database_again');
  await removeRestoreMark(hook);
  await setLayer(hook, cluster, { restart: true });
  await startDatabase(hook);
  return { refusal };
}

async function failureOf(attempt: () => Promise<void>): Promise<string | undefined> {
  try {
    await attempt();
    return undefined;
  } catch (error) {
    if (error instanceof PebbleError || error instanceof KubeError) return error.message;
    throw error;
  }
}

/**
 * Ends a restore that has succeeded: the marks in the databag go, Patroni gets its ordinary
 * configuration back, and the users of this model are in force. A restore that goes on, or has
 * failed, is left as it is; the status says which. Leader only. Says whether it has ended one:
 * then it has to be asked anew whose the repository is.
 */
export async function restoreOutcome(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  const { restoringBackup: label } = await cluster.appData();
  if (label === undefined || !(await hook.juju.isLeader())) return false;
  const health = await cluster.health();
  if (health === undefined || health.role !== 'primary' || !isStarted(health.state)) return false;
  await setUpDatabase(hook, cluster);
  await removeRestoreMark(hook);
  // The restored database has the extensions of its own time.
  cluster.setApp({
    'restoring-backup': undefined,
    'restore-stanza': undefined,
    extensions: undefined,
  });
  await setLayer(hook, cluster, { restart: true });
  // A running service takes over its new layer when it is told to start; it is not interrupted.
  await hook.ports.pebble.start(patroniService);
  await applyConfiguration(hook, cluster);
  await updateExtensions(hook, cluster);
  hook.log('INFO', `backup ${label} has been restored`);
  return true;
}

/** Whether a restore is under way and Patroni has given up. */
export async function hasRestoreFailed(hook: PostgresqlHook): Promise<boolean> {
  const [service] = await hook.ports.pebble.services([patroniService]);
  return service === undefined || service.current !== 'active';
}
