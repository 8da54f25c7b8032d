/** What a round's record comes to. Pure. */

import type { Fault } from './fault.ts';
import {
  countTwoPrimaries,
  findLastingStart,
  hasFailedOver,
  hasLockReturned,
  leaderOf,
  namesPrimary,
} from './observations.ts';
import type { Result } from './result.ts';
import type { RoundRecord } from './round.ts';
import { findGap, type Gap, lengthOf } from './writes.ts';

export interface Evidence {
  readonly round: number;
  /** The machine's load when the fault began. */
  readonly load: number;
  readonly record: RoundRecord;
}

export function judgeRound(fault: Fault, { round, load, record }: Evidence): Result {
  const { startMs, endMs, wholeMs, doneMs, samples, acks, primary } = record;
  const gap = findGap(acks, { fromMs: startMs, toMs: wholeMs ?? doneMs });
  return {
    fault: fault.name,
    target: fault.target,
    round,
    write_gap_s: toSeconds(lengthOf(gap)),
    acknowledged: acks.length,
    ...judgeData(record),
    recovered: wholeMs === undefined ? null : toSeconds(wholeMs - endMs),
    ...judgeFailOver(record, gap),
    ...judgeAgreement(record),
    lock_returned:
      fault.watchS !== undefined &&
      hasLockReturned(samples, primary, { fromMs: endMs, toMs: doneMs }),
    two_primaries: countTwoPrimaries(samples),
    load,
    at: new Date(startMs).toISOString(),
    problem: record.problem ?? null,
  };
}

function judgeData({ comparison }: RoundRecord): Pick<Result, 'lost' | 'duplicated'> {
  return {
    lost: comparison?.lost.length ?? null,
    duplicated: comparison?.duplicated.length ?? null,
  };
}

function judgeAgreement({ comparison }: RoundRecord): Pick<Result, 'members_agree'> {
  return { members_agree: comparison?.agree ?? null };
}

function judgeFailOver(
  { samples, primary }: RoundRecord,
  gap: Gap,
): Pick<Result, 'new_primary' | 'failed_over' | 'statuses_right_s'> {
  const last = samples.at(-1);
  const failedOver = hasFailedOver(samples, primary);
  const rightMs = failedOver ? findLastingStart(samples, gap.toMs, namesPrimary) : undefined;
  return {
    new_primary: (last === undefined ? undefined : leaderOf(last)) ?? null,
    failed_over: failedOver,
    statuses_right_s: rightMs === undefined ? null : toSeconds(rightMs - gap.toMs),
  };
}

function toSeconds(ms: number): number {
  return Math.round(ms / 10) / 100;
}
