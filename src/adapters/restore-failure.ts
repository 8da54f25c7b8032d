// Why Patroni has given up a restore, from the logs of the workload.

import { failureReason, serverLogNames } from '../core/backups/restore-log.ts';
import { logDirectory } from '../core/names.ts';
import type { PostgresqlHook } from './cluster.ts';

const tailTimeoutMs = 10_000;
const tailBytes = 256 * 1024;

/** In the words of whoever failed; a sentence in any case. */
export async function readFailureReason(hook: PostgresqlHook, sinceMs: number): Promise<string> {
  const names = serverLogNames(sinceMs, hook.ports.clock.nowMs());
  const reason = failureReason(
    {
      output: await tailOf(hook, ['patroni-output.log']),
      server: await tailOf(hook, names),
    },
    sinceMs,
  );
  return reason ?? `Patroni has ended, see ${logDirectory}/patroni.log`;
}

/** The ends of those files that there are. */
async function tailOf(hook: PostgresqlHook, names: readonly string[]): Promise<string> {
  const paths = names.map((name) => `${logDirectory}/${name}`);
  const { stdout } = await hook.ports.pebble.exec(
    ['tail', '--quiet', `--bytes=${tailBytes}`, ...paths],
    { timeoutMs: tailTimeoutMs },
  );
  return stdout;
}
