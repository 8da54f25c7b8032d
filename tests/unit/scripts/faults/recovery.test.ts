import { describe, expect, test } from '@jest/globals';

import { judgeRecovery, type Progress, type Verdict } from '../../../../scripts/faults/recovery.ts';
import { makeSample, type SampleOptions } from './samples.ts';

const endMs = 100_000;

/** A sample each second, of which those before the given one are broken. */
function samplesUntil(nowMs: number, wholeFromMs: number, broken: SampleOptions) {
  const count = Math.floor((nowMs - endMs) / 1000) + 1;
  return Array.from({ length: count }, (_, index) => {
    const atMs = endMs + index * 1000;
    return makeSample({ ...(atMs < wholeFromMs ? broken : {}), atMs });
  });
}

describe('judgeRecovery', () => {
  const broken = { silent: ['db-1'] };
  const rows: readonly {
    readonly summary: string;
    readonly change: Partial<Progress>;
    readonly nowMs: number;
    readonly wholeFromMs: number;
    readonly verdict: Verdict;
  }[] = [
    {
      summary: 'a cluster that has been whole for ten seconds is whole since then',
      change: {},
      nowMs: endMs + 25_000,
      wholeFromMs: endMs + 15_000,
      verdict: { kind: 'whole', sinceMs: endMs + 15_000 },
    },
    {
      summary: 'a cluster that looks whole may not have noticed yet',
      change: {},
      nowMs: endMs + 3000,
      wholeFromMs: endMs,
      verdict: { kind: 'waiting', why: '' },
    },
    {
      summary: 'a member that is missing is waited for',
      change: {},
      nowMs: endMs + 20_000,
      wholeFromMs: endMs + 99_000,
      verdict: { kind: 'waiting', why: 'db-1 is silent' },
    },
    {
      summary: 'a whole cluster that takes no writes is waited for',
      change: { lastAckMs: endMs },
      nowMs: endMs + 20_000,
      wholeFromMs: endMs,
      verdict: { kind: 'waiting', why: 'no writes' },
    },
    {
      summary: 'a cluster that has to be watched is watched, whole or not',
      change: { fault: { boundS: 60, watchS: 50 } },
      nowMs: endMs + 40_000,
      wholeFromMs: endMs,
      verdict: { kind: 'waiting', why: '' },
    },
    {
      summary: 'what becomes whole after the bound is late',
      change: {},
      nowMs: endMs + 75_000,
      wholeFromMs: endMs + 62_000,
      verdict: { kind: 'late' },
    },
    {
      summary: 'what is watched for longer than the bound is not late because of it',
      change: { fault: { boundS: 60, watchS: 90 } },
      nowMs: endMs + 91_000,
      wholeFromMs: endMs + 20_000,
      verdict: { kind: 'whole', sinceMs: endMs + 20_000 },
    },
  ];

  test.each(rows)('$summary', ({ change, nowMs, wholeFromMs, verdict }) => {
    const progress = {
      fault: { boundS: 60 },
      size: 3,
      samples: samplesUntil(nowMs, wholeFromMs, broken),
      lastAckMs: nowMs - 20,
      endMs,
      nowMs,
      ...change,
    };

    expect(judgeRecovery(progress)).toStrictEqual(verdict);
  });
});
