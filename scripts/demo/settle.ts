/** Waits until a model is quiet: all units there, active, idle, and staying so. */

import type { Model } from './model.ts';
import { describeUnsettled, type Expected, type ModelStatus, parseStatus } from './status.ts';
import { notYet, type Say, there, waitFor } from './wait.ts';

export interface SettleOptions {
  readonly say: Say;
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 420_000;
/** Juju may call a unit idle between two hooks. */
const stableMs = 4000;

export async function readStatus(model: Model): Promise<ModelStatus> {
  const { stdout } = await model.run('status', ['--format=json'], { timeoutMs: 30_000 });
  return parseStatus(stdout);
}

export async function waitUntilSettled(
  model: Model,
  expected: Expected,
  options: SettleOptions,
): Promise<ModelStatus> {
  const look = async () => {
    const status = await readStatus(model);
    const unsettled = describeUnsettled(status, expected);
    return unsettled === undefined ? there(status) : notYet(unsettled);
  };
  return await waitFor(look, {
    what: 'all units to be active and idle',
    timeoutMs: options.timeoutMs ?? defaultTimeoutMs,
    say: options.say,
    stableMs,
  });
}
