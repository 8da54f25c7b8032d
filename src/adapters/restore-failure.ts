// Why Patroni has given up a restore, from the logs of the workload.

import { failureReason, namesError } from '../core/backups/restore-log.ts';
import { logDirectory } from '../core/names.ts';
import type { PostgresqlHook } from './cluster.ts';
import type { RestoreMark } from './restore-mark.ts';
import { listServerLogs, readTail } from './server-logs.ts';

const outputPath = `${logDirectory}/patroni-output.log`;
const tailBytes = 256 * 1024;

/** How much Patroni's service has written so far: what comes later is of the restore. */
export async function measureOutput(hook: PostgresqlHook): Promise<number> {
  return (await hook.ports.pebble.stat(outputPath))?.sizeBytes ?? 0;
}

/** Whether a program of the restore has named an error, after which it copies no more. */
export async function hasNamedError(
  hook: PostgresqlHook,
  { outputBytes = 0 }: Pick<RestoreMark, 'outputBytes'>,
): Promise<boolean> {
  return namesError(await readTail(hook, `+${outputBytes + 1}`, [outputPath]));
}

/** In the words of whoever failed; a sentence in any case. */
export async function readFailureReason(
  hook: PostgresqlHook,
  { startedMs, outputBytes = 0 }: Pick<RestoreMark, 'startedMs' | 'outputBytes'>,
): Promise<string> {
  const sinceMs = startedMs ?? hook.ports.clock.nowMs();
  const logs = await listServerLogs(hook, sinceMs);
  const reason = failureReason(
    {
      output: await readTail(hook, `+${outputBytes + 1}`, [outputPath]),
      server: await readTail(hook, `${tailBytes}`, logs),
    },
    sinceMs,
  );
  return reason ?? `Patroni has ended, see ${logDirectory}/patroni.log`;
}
