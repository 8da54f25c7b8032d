/** What a unit has shown, as Juju remembers it. */

import * as v from 'valibot';

import type { Model } from '../../../scripts/demo/model.ts';
import { notYet, type Say, there, waitFor } from '../../../scripts/demo/wait.ts';

const logSchema = v.array(
  v.object({
    status: v.optional(v.string(), ''),
    message: v.optional(v.string(), ''),
    since: v.string(),
    type: v.string(),
  }),
);

/** Statuses of the workload since a time, as `level: message`, the oldest first. */
export async function readShown(
  model: Model,
  unit: string,
  sinceMs: number,
): Promise<readonly string[]> {
  const args = [unit, '--type=workload', '-n', '100', '--utc', '--format=json'];
  const { stdout } = await model.run('show-status-log', args);
  return v
    .parse(logSchema, JSON.parse(stdout))
    .filter(({ since }) => Date.parse(since) >= sinceMs)
    .map(({ status, message }) => `${status}: ${message}`);
}

export interface Awaited {
  readonly sinceMs: number;
  readonly says: RegExp;
  readonly say: Say;
}

/** Waits until it has shown that, perhaps only until something else followed. */
export async function waitUntilShown(
  model: Model,
  unit: string,
  { sinceMs, says, say }: Awaited,
): Promise<void> {
  await waitFor(
    async () => {
      const shown = await readShown(model, unit, sinceMs);
      return shown.some((text) => says.test(text)) ? there(true) : notYet(shown.join(' | '));
    },
    { what: `${unit} to show ${says}`, timeoutMs: 600_000, say, intervalMs: 2_000 },
  );
}
