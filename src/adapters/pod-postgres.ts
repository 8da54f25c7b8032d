// The way to a PostgreSQL server as its superuser: into its pod with the Kubernetes API, and there to
// the unix socket, where the operating system's user is believed. No password, and nothing that
// works from elsewhere in the network.

import { KubeError } from '../../lib/kube/error.ts';
import type { Kube } from '../../lib/kube/kube.ts';
import { PostgresError } from '../../lib/sql/error.ts';
import { containerName, postgresSocket, workloadUser } from '../core/names.ts';
import { bridgeCommand } from '../core/render/socket-bridge.ts';
import type { Postgres, PostgresTarget } from '../ports.ts';
import { connectPostgres } from './postgres.ts';

// Kubernetes' part; the server's own is bounded by the connection.
const openMs = 5_000;

const bridge = bridgeCommand({
  socket: postgresSocket,
  user: workloadUser,
  patienceSeconds: 600,
});

/** Connects to a server in its pod. See `PostgresqlPorts.connectPostgres`. */
export async function connectInPod(kube: Kube, target: PostgresTarget): Promise<Postgres> {
  const { pod, database = 'postgres' } = target;
  const stream = await enter(kube, pod);
  try {
    return await connectPostgres({ stream, host: pod, user: 'operator', database });
  } catch (error) {
    stream.destroy();
    throw error;
  }
}

async function enter(kube: Kube, pod: string): ReturnType<Kube['exec']> {
  try {
    const exec = { container: containerName, command: bridge, timeoutMs: openMs };
    return await kube.exec(pod, exec);
  } catch (error) {
    if (!(error instanceof KubeError) || error.code === 'forbidden') throw error;
    throw new PostgresError(`cannot connect to PostgreSQL in pod "${pod}": ${error.message}`, {
      code: 'unreachable',
      cause: error,
    });
  }
}
