// Who may become the primary when nobody is. A commit waits for the synchronous replicas, so they and
// the last primary are the only ones sure to have all that was committed, and Patroni chooses among
// them alone. When all of them are gone, somebody has to decide what is given up. Pure.

export interface Candidate {
  readonly unit: string;
  readonly role: string;
  /** Whether its PostgreSQL answers. */
  readonly started: boolean;
  readonly timeline?: number;
  /** Behind the last position that the primary has told; absent: not known. */
  readonly lagBytes?: number;
}

export type Succession =
  /** Somebody leads, or Patroni can choose who does. */
  | { readonly kind: 'open' }
  | {
      readonly kind: 'stuck';
      /** Units that have all that was committed; none of them is up. */
      readonly complete: readonly string[];
      /** Of the units that are up. */
      readonly newest?: Candidate;
    };

/** What can happen with these members; `complete`: the last primary and its synchronous replicas. */
export function judgeSuccession(
  members: readonly Candidate[],
  complete: readonly string[],
): Succession {
  const up = members.filter(({ started }) => started);
  const led = members.some(({ role }) => role === 'leader' || role === 'standby_leader');
  const chosen = complete.length === 0 || up.some(({ unit }) => complete.includes(unit));
  if (led || chosen) return { kind: 'open' };
  const [newest] = up.toSorted(byAge);
  return { kind: 'stuck', complete, ...(newest === undefined ? {} : { newest }) };
}

/** Newest first; whose lag is not known comes last of its timeline. */
function byAge(one: Candidate, other: Candidate): number {
  const timelines = (other.timeline ?? 0) - (one.timeline ?? 0);
  if (timelines !== 0) return timelines;
  return (one.lagBytes ?? Number.MAX_SAFE_INTEGER) - (other.lagBytes ?? Number.MAX_SAFE_INTEGER);
}

/** Whether this unit has as much as the newest one. */
export function isNewest(unit: string, newest: Candidate, members: readonly Candidate[]): boolean {
  const own = members.find((member) => member.unit === unit);
  return own?.started === true && byAge(own, newest) === 0;
}
