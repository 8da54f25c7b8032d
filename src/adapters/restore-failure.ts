// Why Patroni has given up a restore, from the logs of the workload.

import { failureReason, serverLogsOf } from '../core/backups/restore-log.ts';
import { logDirectory } from '../core/names.ts';
import type { PostgresqlHook } from './cluster.ts';
import type { RestoreMark } from './restore-mark.ts';

const outputPath = `${logDirectory}/patroni-output.log`;
const tailTimeoutMs = 10_000;
const tailBytes = 256 * 1024;

/** How much Patroni's service has written so far: what comes later is of the restore. */
export async function measureOutput(hook: PostgresqlHook): Promise<number> {
  return (await hook.ports.pebble.stat(outputPath))?.sizeBytes ?? 0;
}

/** In the words of whoever failed; a sentence in any case. */
export async function readFailureReason(
  hook: PostgresqlHook,
  { startedMs, outputBytes = 0 }: Pick<RestoreMark, 'startedMs' | 'outputBytes'>,
): Promise<string> {
  const nowMs = hook.ports.clock.nowMs();
  const sinceMs = startedMs ?? nowMs;
  const names = (await hook.ports.pebble.list(logDirectory, '*.log')).map(({ name }) => name);
  const logs = serverLogsOf(names, sinceMs, nowMs).map((name) => `${logDirectory}/${name}`);
  const reason = failureReason(
    {
      output: await read(hook, `+${outputBytes + 1}`, [outputPath]),
      server: await read(hook, `${tailBytes}`, logs),
    },
    sinceMs,
  );
  return reason ?? `Patroni has ended, see ${logDirectory}/patroni.log`;
}

/** From that byte on, or so many at the end, of those files that there are. */
async function read(
  hook: PostgresqlHook,
  bytes: string,
  paths: readonly string[],
): Promise<string> {
  if (paths.length === 0) return '';
  const command = ['tail', '--quiet', `--bytes=${bytes}`, ...paths];
  const { stdout } = await hook.ports.pebble.exec(command, { timeoutMs: tailTimeoutMs });
  return stdout;
}
