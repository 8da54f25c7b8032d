/** The outcome of one round, as it is written to `dist/faults.json`. */

import type { Target } from './fault.ts';

export interface Result {
  readonly fault: string;
  readonly target: Target;
  readonly round: number;
  /** The longest time without an acknowledged write that overlaps the fault or the recovery. */
  readonly write_gap_s: number;
  readonly acknowledged: number;
  /** Acknowledged and missing on any member; null when the members could not be read. */
  readonly lost: number | null;
  readonly duplicated: number | null;
  /** From the end of the fault until the cluster was whole for good; null when it took too long. */
  readonly recovered: number | null;
  readonly new_primary: string | null;
  readonly failed_over: boolean;
  /** From the first write after the gap until `Primary` is shown by exactly the right unit. */
  readonly statuses_right_s: number | null;
  /** Every member has the same rows. */
  readonly members_agree: boolean | null;
  /** The old primary had the lock again after the fault; looked for where a fault is watched. */
  readonly lock_returned: boolean;
  /** How often two members said that they were the primary. */
  readonly two_primaries: number;
  /** How many processes wanted to run, on average over a minute, when the fault began. */
  readonly load: number;
  /** When the fault began, ISO 8601: rows of one file may have been played on different days. */
  readonly at: string;
  readonly problem: string | null;
}

/** Whether a round ended as it must. */
export function hasPassed(result: Result): boolean {
  return (
    result.lost === 0 &&
    result.duplicated === 0 &&
    result.recovered !== null &&
    result.members_agree === true &&
    !result.lock_returned
  );
}
