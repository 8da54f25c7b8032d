/** What a round's record comes to. Pure. */

import type { Fault } from './fault.ts';
import {
  countTwoPrimaries,
  findLastingStart,
  hasFailedOver,
  hasLockReturned,
  labelsPrimary,
  leaderOf,
  leadsToPrimary,
  namesPrimary,
  type Sample,
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
    recovered: wholeMs !== undefined,
    recovered_s: wholeMs === undefined ? null : toSeconds(wholeMs - endMs),
    ...judgeFailOver(fault, record, gap),
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

type FailOver = Pick<
  Result,
  | 'new_primary'
  | 'failed_over'
  | 'statuses_right_s'
  | 'labels_right_s'
  | 'endpoints_right_s'
  | 'right_in_time'
>;

/** What people and clients look at follows a fail-over within this. */
const rightWithinS = 5;

/**
 * Whoever is away can neither say that it is no primary any more nor be told: of such faults the times are
 * known and nobody is to blame for them. The others must be in time.
 */
function judgeFailOver(
  fault: Fault,
  { samples, primary, victim }: RoundRecord,
  gap: Gap,
): FailOver {
  const last = samples.at(-1);
  const failedOver = hasFailedOver(samples, primary);
  const away = fault.away === 'victim' ? victim : undefined;
  // A Juju that does not answer shows nothing, neither right nor wrong.
  const shown = samples.filter(({ units }) => units !== undefined);
  const secondsUntil = (
    holds: (sample: Sample) => boolean,
    seen: readonly Sample[] = samples,
  ): number | null => {
    const rightMs = failedOver ? findLastingStart(seen, gap.toMs, holds) : undefined;
    return rightMs === undefined ? null : toSeconds(rightMs - gap.toMs);
  };
  const times = {
    statuses_right_s: secondsUntil((sample) => namesPrimary(sample, away), shown),
    labels_right_s: secondsUntil(labelsPrimary),
    endpoints_right_s: secondsUntil(leadsToPrimary),
  };
  const isInTime = Object.values(times).every((time) => time !== null && time <= rightWithinS);
  return {
    new_primary: (last === undefined ? undefined : leaderOf(last)) ?? null,
    failed_over: failedOver,
    ...times,
    right_in_time: failedOver && fault.away === undefined ? isInTime : null,
  };
}

function toSeconds(ms: number): number {
  return Math.round(ms / 10) / 100;
}
