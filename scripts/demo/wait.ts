/** Waiting for a condition: bounded, and always able to say what is still missing. */

import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

import { DemoError } from './failure.ts';
import { JujuError } from './juju.ts';

export type Seen<T> =
  | { readonly kind: 'there'; readonly value: T }
  | { readonly kind: 'not-yet'; readonly why: string };

export type Say = (text: string) => void;

export interface WaitOptions {
  readonly what: string;
  readonly timeoutMs: number;
  readonly say: Say;
  readonly intervalMs?: number;
  /** How long it must stay so before it counts; 0 when absent. */
  readonly stableMs?: number;
}

export function there<T>(value: T): Seen<T> {
  return { kind: 'there', value };
}

export function notYet(why: string): Seen<never> {
  return { kind: 'not-yet', why };
}

/** Looks until it is there. A client command that fails is one more reason to look again. */
export async function waitFor<T>(look: () => Promise<Seen<T>>, options: WaitOptions): Promise<T> {
  const deadlineMs = performance.now() + options.timeoutMs;
  let thereSinceMs: number | undefined;
  for (;;) {
    const seen = await lookOnce(look);
    const nowMs = performance.now();
    if (seen.kind === 'there') {
      thereSinceMs ??= nowMs;
      if (nowMs - thereSinceMs >= (options.stableMs ?? 0)) return seen.value;
      options.say(`${options.what}: there, making sure that it stays so`);
    } else {
      thereSinceMs = undefined;
      options.say(seen.why);
      if (nowMs > deadlineMs) {
        const waited = Math.round(options.timeoutMs / 1000);
        throw new DemoError(
          `cannot go on: waited ${waited} s for ${options.what}, still ${seen.why}`,
        );
      }
    }
    await sleep(options.intervalMs ?? 1000);
  }
}

async function lookOnce<T>(look: () => Promise<Seen<T>>): Promise<Seen<T>> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof JujuError) return notYet(error.message);
    throw error;
  }
}
