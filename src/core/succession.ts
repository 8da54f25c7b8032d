// Who may become the primary when nobody is. A commit waits for synchronous replicas, so they and the
// last primary are the only ones that may have all that was committed, and Patroni chooses among them
// alone. With quorum commit it waits for some of them, whichever are first: then one of them has all
// of it only for sure when so many of them are up that no commit has left all of these out. When too few
// are there, somebody has to decide what is given up. Pure.
//
// As Patroni 4 does it (ha.py, `_is_healthiest_node`): a candidate needs the votes of more than
// `quorum` of the listed replicas, its own among them, and the last primary needs none.

export interface Candidate {
  readonly unit: string;
  readonly role: string;
  /** Whether its PostgreSQL answers. */
  readonly started: boolean;
  readonly timeline?: number;
  /** Behind the last position that the primary has told; absent: not known. */
  readonly lagBytes?: number;
}

/** What Patroni remembers of commits. */
export interface CommitRecord {
  /** The last primary: it has all that was committed. */
  readonly leader: string;
  /** The replicas that commits waited for. */
  readonly standbys: readonly string[];
  /** So many of them may be without a commit; 0 unless commits wait for a quorum. */
  readonly quorum: number;
}

/** The last primary, or so many more of these replicas, have to come back; `count` 0: only the former. */
export interface Awaited {
  readonly leader: string;
  readonly count: number;
  readonly standbys: readonly string[];
}

export type Succession =
  /** Somebody leads, or Patroni can choose who does. */
  | { readonly kind: 'open' }
  | {
      readonly kind: 'stuck';
      readonly awaited: Awaited;
      /** Of the units that are up. */
      readonly newest?: Candidate;
    };

/** What can happen with these members; without a record Patroni may choose anybody. */
export function judgeSuccession(
  members: readonly Candidate[],
  record: CommitRecord | undefined,
): Succession {
  const up = members.filter(({ started }) => started);
  const led = members.some(({ role }) => role === 'leader' || role === 'standby_leader');
  const isUp = (unit: string): boolean => up.some((member) => member.unit === unit);
  if (led || record === undefined || isUp(record.leader)) return { kind: 'open' };
  const { leader } = record;
  const standbys = record.standbys.filter((unit) => !isUp(unit));
  const missing = quorumOf(members, record) + 1 - (record.standbys.length - standbys.length);
  if (missing <= 0) return { kind: 'open' };
  const [newest] = up.toSorted(byAge);
  return {
    kind: 'stuck',
    awaited: { leader, count: missing > standbys.length ? 0 : missing, standbys },
    ...(newest === undefined ? {} : { newest }),
  };
}

/** The record keeps its number when commits do not wait for a quorum any more; Patroni heeds it no more. */
function quorumOf(members: readonly Candidate[], { quorum }: CommitRecord): number {
  return members.some(({ role }) => role === 'sync_standby') ? 0 : quorum;
}

/** `a or b`, or `a, or 2 of b, c, d` */
export function describeAwaited({ leader, count, standbys }: Awaited): string {
  if (count > 1) return `${leader}, or ${count} of ${standbys.join(', ')}`;
  return [leader, ...(count === 0 ? [] : standbys)].join(' or ');
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
