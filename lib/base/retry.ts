// Polling and retrying with a stated interval and a stated total, on a clock that tests can turn.

import type { Clock } from './clock.ts';

export interface PollOptions {
  readonly clock: Clock;
  readonly intervalMs: number;
  /** Total; the first attempt is made at once, so 0 means exactly one attempt. */
  readonly timeoutMs: number;
}

/** Calls `attempt` until it gives something other than `undefined`; `undefined` when time is up. */
export async function poll<T>(
  options: PollOptions,
  attempt: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const deadlineMs = options.clock.nowMs() + options.timeoutMs;
  for (;;) {
    const result = await attempt();
    if (result !== undefined) return result;
    if (options.clock.nowMs() + options.intervalMs > deadlineMs) return undefined;
    await options.clock.sleep(options.intervalMs);
  }
}
