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
  /** The cluster was whole for good within the bound of the fault. */
  readonly recovered: boolean;
  /** From the end of the fault until then; null when it took too long. */
  readonly recovered_s: number | null;
  readonly new_primary: string | null;
  readonly failed_over: boolean;
  /**
   * After a fail-over: from the first write until, of the units that can be reached, exactly the right one
   * shows `Primary`, for good. Null: there was no fail-over, or they never were.
   */
  readonly statuses_right_s: number | null;
  /** The same until exactly the pod of the primary has its label. */
  readonly labels_right_s: number | null;
  /** The same until the Service of the primary leads to its pod, and nowhere else. */
  readonly endpoints_right_s: number | null;
  /** All three within five seconds; null when that is not judged, see judge.ts. */
  readonly right_in_time: boolean | null;
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
    result.recovered &&
    result.right_in_time !== false &&
    result.members_agree === true &&
    !result.lock_returned
  );
}
