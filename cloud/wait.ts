/** Waiting for a condition, with a deadline. */

import { setTimeout as sleep } from 'node:timers/promises';

import { readClockMs } from './build/machine.ts';

export interface WaitOptions {
  readonly what: string;
  readonly timeoutMs: number;
  readonly intervalMs?: number;
}

/** Asks until the answer is yes. The last error of `isTrue` is the cause when time runs out. */
export async function waitUntil(
  isTrue: () => Promise<boolean>,
  options: WaitOptions,
): Promise<void> {
  const deadlineMs = readClockMs() + options.timeoutMs;
  let cause: unknown;
  for (;;) {
    try {
      if (await isTrue()) return;
    } catch (error) {
      cause = error;
    }
    if (readClockMs() > deadlineMs) {
      const seconds = Math.round(options.timeoutMs / 1000);
      throw new Error(`cannot go on: ${options.what} after ${seconds} s`, { cause });
    }
    await sleep(options.intervalMs ?? 100);
  }
}
