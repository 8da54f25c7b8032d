// PostgreSQL's own log files, in the workload.

import { serverLogsOf } from '../core/backups/restore-log.ts';
import { logDirectory } from '../core/names.ts';
import type { PostgresqlHook } from './cluster.ts';

const tailTimeoutMs = 10_000;

/** Paths of the files that were begun since then (milliseconds since 1970), oldest first. */
export async function listServerLogs(
  hook: PostgresqlHook,
  sinceMs: number,
): Promise<readonly string[]> {
  const names = (await hook.ports.pebble.list(logDirectory, '*.log')).map(({ name }) => name);
  const logs = serverLogsOf(names, sinceMs, hook.ports.clock.nowMs());
  return logs.map((name) => `${logDirectory}/${name}`);
}

/** The files one after the other, of each so many bytes at the end, or with `+` from that byte on. */
export async function readTail(
  hook: PostgresqlHook,
  bytes: string,
  paths: readonly string[],
): Promise<string> {
  if (paths.length === 0) return '';
  const command = ['tail', '--quiet', `--bytes=${bytes}`, ...paths];
  const { stdout } = await hook.ports.pebble.exec(command, { timeoutMs: tailTimeoutMs });
  return stdout;
}
