// What a charm's fakes are built on: the world that they keep, a clock and randomness that belong to
// the run, and `watch`, through which every call to the outside is seen, so that the kit knows each
// moment at which the process could have died.

import type { Clock } from '../../../lib/base/clock.ts';
import type { Random } from '../../../lib/base/random.ts';
import type { FakePebble } from '../fake-pebble.ts';
import type { State } from './state.ts';

/** Immutable data that fakes replace as a whole. */
export interface Cell<T> {
  get(): T;
  update(change: (now: T) => T): void;
}

export interface Host<W> {
  /** The state now; what Juju has not committed is not in it. */
  state(): State<W>;
  readonly world: Cell<W>;
  readonly clock: Clock;
  readonly random: Random;
  /** Pebble of a container that metadata.yaml declares. */
  pebble(container: string): FakePebble;
  /** Makes every call of this object (or function) an outside call under the port's name. */
  watch<T extends object>(port: string, target: T): T;
  /** Notes an interruption of the service that no state shows, such as a restart. */
  disturb(what: string): void;
  /** For a call that the fake was not made for: fails the scenario even if the charm catches it. */
  unexpected(what: string): Error;
}

export interface OutsideCall {
  readonly port: string;
  readonly method: string;
  /** The arguments, shortened; secrets print as a placeholder. */
  readonly summary: string;
}

export function createCell<T>(start: T): Cell<T> {
  let now = start;
  return {
    get: () => now,
    update: (change) => {
      now = change(now);
    },
  };
}

const longestRunMs = 2 * 60 * 60 * 1000;

/** Time that passes only when somebody waits. */
export function createClock(startMs: number): Clock {
  let nowMs = startMs;
  return {
    nowMs: () => nowMs,
    sleep: async (ms) => {
      nowMs += ms;
      if (nowMs - startMs > longestRunMs)
        throw new Error('the charm waited for more than two hours');
      await Promise.resolve();
    },
  };
}

/** Passwords that can be told apart, and that tell in which run they were made. */
export function createRandom(runTag: string): Random {
  let made = 0;
  return {
    password: (length) => {
      if (length < randomToken.length) {
        throw new Error(`the kit makes passwords of at least ${randomToken.length} characters`);
      }
      made += 1;
      return `Rq${runTag.padStart(4, '0')}n${String(made).padStart(4, '0')}`.padEnd(length, 'Z');
    },
  };
}

const randomToken = { length: 11 };

/** What is made anew in every run; two states are the same when they differ only in these names. */
export const madeTokens = /Rq[0-9a-z]{4}n\d{4}Z*|made[0-9a-z]{16}/g;

/** See `Host.watch`. */
export function watchCalls<T extends object>(
  port: string,
  target: T,
  after: (call: OutsideCall) => void,
): T {
  const observed = (method: string, args: readonly unknown[], result: unknown): unknown => {
    const call = { port, method, summary: summarise(args) };
    if (!(result instanceof Promise)) {
      after(call);
      return result;
    }
    return result.finally(() => {
      after(call);
    });
  };
  return new Proxy(target, {
    get: (object, key) => {
      const value: unknown = Reflect.get(object, key);
      if (typeof value !== 'function' || typeof key === 'symbol') return value;
      return (...args: unknown[]) => observed(key, args, Reflect.apply(value, object, args));
    },
    apply: (fn, self, args: unknown[]) => {
      if (typeof fn !== 'function') throw new TypeError('cannot call what is no function');
      return observed('call', args, Reflect.apply(fn, self, args));
    },
  });
}

function summarise(args: readonly unknown[]): string {
  const text = args
    .map((arg) => (typeof arg === 'function' ? '…' : (JSON.stringify(arg) ?? '')))
    .filter((one) => one !== '')
    .join(' ');
  return text.length > 160 ? `${text.slice(0, 159)}…` : text;
}
