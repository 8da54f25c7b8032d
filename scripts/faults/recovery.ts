/** When a disturbed cluster counts as whole again. Pure. */

import type { Fault } from './fault.ts';
import { findLastingStart, listProblems, type Sample } from './observations.ts';

/** So long a cluster has to be whole before it counts: twice Patroni's own interval. */
const stableMs = 10_000;
/** A client that writes all the time has had an answer within this. */
const freshMs = 1000;

export interface Progress {
  readonly fault: Pick<Fault, 'boundS' | 'watchS'>;
  readonly size: number;
  readonly samples: readonly Sample[];
  /** When the last write was acknowledged. */
  readonly lastAckMs: number;
  readonly endMs: number;
  readonly nowMs: number;
}

export type Verdict =
  | { readonly kind: 'whole'; readonly sinceMs: number }
  /** The bound is over. */
  | { readonly kind: 'late' }
  | { readonly kind: 'waiting'; readonly why: string };

/** Whole means: members, statuses and writes are right, and have been for a while. */
export function judgeRecovery(progress: Progress): Verdict {
  const { fault, size, samples, lastAckMs, endMs, nowMs } = progress;
  const boundMs = fault.boundS * 1000;
  const isWatched = nowMs - endMs >= (fault.watchS ?? 0) * 1000;
  const writes = nowMs - lastAckMs < freshMs;
  const isWhole = (sample: Sample): boolean => listProblems(sample, size).length === 0;
  const sinceMs = findLastingStart(samples, endMs, isWhole);
  if (sinceMs !== undefined && isWatched && writes && nowMs - sinceMs >= stableMs) {
    return sinceMs - endMs > boundMs ? { kind: 'late' } : { kind: 'whole', sinceMs };
  }
  if (isWatched && nowMs - endMs > boundMs + stableMs) return { kind: 'late' };
  return { kind: 'waiting', why: describe(progress, writes) };
}

function describe({ samples, size }: Progress, writes: boolean): string {
  const last = samples.at(-1);
  const problems = last === undefined ? [] : listProblems(last, size);
  return [...(writes ? [] : ['no writes']), ...problems].join('; ');
}
