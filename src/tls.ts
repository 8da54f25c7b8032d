// TLS of the members, as far as backups need it: with certificates, each member runs pgBackRest's
// server, through which a replica that is backed up reaches the primary. There is no relation to a
// certificates provider yet, so only the databag key `tls` of a unit says that it has some.

import { isServing, startBackupServer, stopBackupServer } from './adapters/backup-server.ts';
import { type Cluster, isTlsEnabled, type PostgresqlHook } from './adapters/cluster.ts';
import { pingServer } from './adapters/pgbackrest.ts';
import { renewRepositoryConfig } from './adapters/repository.ts';
import { memberHost } from './core/names.ts';
import { quietly } from './quietly.ts';

/**
 * docs/flowcharts/s3-credentials-changed.mmd from `is_tls_disabled_or_single_unit_cluster` on: the
 * server runs where it is of use. A replica waits for the primary's; the primary's unit databag
 * tells when that has been started, which wakes the others.
 */
export async function updateBackupServer(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const { walk } = hook;
  const alone = !(await isTlsEnabled(cluster)) || (await cluster.units()).length === 1;
  if (walk.decide('is_tls_disabled_or_single_unit_cluster', alone)) {
    walk.step('stop_pgbackrest_tls_server');
    await stopBackupServer(hook);
    cluster.setUnit({ 'backup-server': undefined });
    walk.step('rtn');
    return;
  }
  const waits = !(await isServedByPrimary(hook, cluster));
  if (walk.decide('is_replica_and_tls_server_not_running_on_primary', waits)) {
    walk.step('rtn');
    return;
  }
  walk.step('start_pgbackrest_tls_server');
  const runs = await startBackupServer(hook);
  cluster.setUnit({ 'backup-server': runs ? 'started' : undefined });
  walk.step('rtn');
}

/** Whether this is the primary, or the primary's server answers. */
async function isServedByPrimary(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  const primary = await cluster.primary();
  if (primary === undefined) return false;
  if (primary === cluster.unit) return true;
  return await pingServer(hook.ports.pebble, memberHost(primary, cluster.app));
}

/**
 * The same on behalf of other events: members or certificates came or went, or the container was replaced.
 * Without usable settings for backups there is no server to start.
 */
export async function followBackupServer(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const ready =
    (await isConcerned(cluster)) && (await renewRepositoryConfig(hook, cluster)) === 'ready';
  if (ready) await updateBackupServer(quietly(hook), cluster);
  else await stopBackupServer(hook);
}

/**
 * Makes up for what no event has told: the primary has moved or come back, and serves by now, or its
 * databag says what it said before, which wakes nobody.
 */
export async function keepBackupServer(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  if (!(await isConcerned(cluster)) || (await cluster.peers.units()).length === 0) return;
  const told = (await cluster.unitData())['backup-server'] !== undefined;
  const settled = told && (await isTlsEnabled(cluster)) && (await isServing(hook));
  if (!settled) await followBackupServer(hook, cluster);
}

/** Whether it has certificates, or had them: then pgBackRest's file is still that of a server. */
export async function isConcerned(cluster: Cluster): Promise<boolean> {
  if (await isTlsEnabled(cluster)) return true;
  return (await cluster.unitData())['backup-server'] !== undefined;
}
