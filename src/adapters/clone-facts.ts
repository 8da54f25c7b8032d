// Finds out what core/clone-admission.ts has to know, from the pod of the replica: only there it shows
// whether a copy of the primary can be made.

import { isPebbleError } from '../../lib/pebble/errors.ts';
import { loginFailure, saysBeyondRepair } from '../core/clone-admission.ts';
import { memberHost, postgresPort, workloadUser } from '../core/names.ts';
import type { Cluster, PostgresqlHook } from './cluster.ts';
import { PatroniError } from './patroni.ts';
import { listServerLogs, readTail } from './server-logs.ts';
import { readWorkload } from './workload.ts';

const connectSeconds = 5;

/**
 * Logs in as pg_basebackup would, which also takes one of the connections for replication. Why that fails;
 * `undefined` when it does not.
 */
export async function tryReplicationLogin(
  hook: PostgresqlHook,
  cluster: Cluster,
  leader: string,
): Promise<string | undefined> {
  const { binDir } = await readWorkload(hook);
  const password = await cluster.password('replication');
  const target = [
    `host=${memberHost(leader, cluster.app)} port=${postgresPort} user=replication`,
    `replication=true connect_timeout=${connectSeconds}`,
  ].join(' ');
  const command = [`${binDir}/psql`, target, '-XAtw', '-c', 'IDENTIFY_SYSTEM'];
  try {
    const { exitCode, stderr } = await hook.ports.pebble.exec(command, {
      user: workloadUser,
      group: workloadUser,
      // Patroni has the same password in its file, and writes it where pg_basebackup looks.
      environment: { LC_ALL: 'C', PGPASSWORD: password?.reveal() ?? '' },
      timeoutMs: 3 * connectSeconds * 1000,
    });
    return exitCode === 0 ? undefined : loginFailure(stderr);
  } catch (error) {
    if (isPebbleError(error, 'timeout')) return 'the primary does not answer';
    if (isPebbleError(error, 'not-found')) return 'there is no psql to try it with';
    throw error;
  }
}

/** The names that the leader sends its WAL to, by its own word. */
export async function readStreaming(cluster: Cluster, leader: string): Promise<readonly string[]> {
  try {
    return (await (await cluster.patroni(leader)).health()).followers ?? [];
  } catch (error) {
    if (error instanceof PatroniError) return [];
    throw error;
  }
}

const tailBytes = 256 * 1024;

/** Whether the server's log has said since then that its primary will never have what it asks for. */
export async function logSaysBeyondRepair(hook: PostgresqlHook, sinceMs: number): Promise<boolean> {
  const log = await readTail(hook, `${tailBytes}`, await listServerLogs(hook, sinceMs));
  return saysBeyondRepair(log, sinceMs);
}
