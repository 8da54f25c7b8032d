/**
 * SQL on one member, asked in its pod: needs neither the network of the pod nor Juju. The workload's
 * own user becomes the database's administrator over the local socket.
 */

import { kubectl } from '../../cloud/client.ts';
import { workloadContainer } from './pods.ts';

export interface Member {
  readonly namespace: string;
  readonly pod: string;
}

export interface SqlRequest {
  readonly sql: string;
  readonly database?: string;
  readonly timeoutMs?: number;
}

export const dataDirectory = '/var/lib/postgresql/data/pgdata';

const defaultTimeoutMs = 60_000;

/** Rows as lines, columns separated by `|`. */
export async function query(member: Member, request: SqlRequest): Promise<string> {
  const { sql, database = 'postgres', timeoutMs = defaultTimeoutMs } = request;
  const psql = `psql -X -q -At -v ON_ERROR_STOP=1 -U operator -d ${database}`;
  // The data may be gone; the folder above it belongs to the same user.
  const script = `exec runuser -u "$(stat -c %U ${dataDirectory}/..)" -- ${psql}`;
  return await runInPod(member, { script, input: `${sql}\n`, timeoutMs });
}

export interface ScriptRequest {
  readonly script: string;
  readonly input?: string;
  readonly timeoutMs?: number;
}

/** Runs a shell script in the workload's container, as root. */
export async function runInPod(member: Member, request: ScriptRequest): Promise<string> {
  const { script, input = '', timeoutMs = defaultTimeoutMs } = request;
  const where = ['-n', member.namespace, 'exec', '-i', member.pod, '-c', workloadContainer];
  const { stdout } = await kubectl([...where, '--', 'sh', '-c', script], { input, timeoutMs });
  return stdout;
}
