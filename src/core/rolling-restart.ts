// Which member to restart next, when a changed parameter takes effect only with a restart. One step at
// a time, decided from what Patroni shows now, so that a round that was interrupted goes on. Pure.
//
// Invariants, whatever the cluster looks like:
// - no step while a member is down, so at most one is down at any time;
// - the primary comes after every replica that can take its new values already;
// - PostgreSQL refuses a standby with less connections, workers, senders, transactions or locks than
//   its primary runs with, and Patroni keeps the old value until the primary has the new one: when
//   one of these decreases, the primary is restarted in place, and its standbys after it;
// - a restart that does not clear the mark is remembered, and repeated only so often.

/** What a parameter has, and what it is to have. */
export interface PendingChange {
  readonly from: string;
  readonly to: string;
}

export interface RestartMember {
  /** The pod's name. */
  readonly name: string;
  /** `standby`: a switchover to it loses no commit; a primary that ends in good order sends all it has. */
  readonly role: 'leader' | 'standby_leader' | 'standby' | 'replica';
  /** PostgreSQL is up, and a replica streams. */
  readonly ready: boolean;
  /** Its unit has taken over the leader's configuration. */
  readonly applied: boolean;
  readonly pending: boolean;
  /** By parameter; Patroni 3 does not tell. */
  readonly changes?: Readonly<Record<string, PendingChange>>;
  /** Restarts in this round that left the mark as it was. */
  readonly attempts: number;
}

export interface RestartView {
  readonly members: readonly RestartMember[];
  readonly paused: boolean;
}

export type RestartStep =
  /** No member has to be restarted, and none will have to be. */
  | { readonly kind: 'finished' }
  | { readonly kind: 'wait'; readonly for: string }
  | {
      readonly kind: 'restart';
      readonly member: string;
      /** The primary, in place, only because none of its replicas is synchronous: one may become it. */
      readonly lacksStandby?: true;
    }
  | { readonly kind: 'switchover'; readonly leader: string; readonly candidate: string }
  /** Restarting does not help these. */
  | { readonly kind: 'stuck'; readonly members: readonly string[] };

/** The next step. */
export function decideRestart(view: RestartView): RestartStep {
  const pending = view.members.filter((member) => member.pending);
  if (pending.length === 0 && isComplete(view)) return { kind: 'finished' };
  for (const obstacle of obstacles) {
    const reason = obstacle(view);
    if (reason !== undefined) return { kind: 'wait', for: reason };
  }
  const leader = view.members.find(isLeader);
  const replica = pending.find((member) => canRestartNow(member, leader));
  if (replica !== undefined) return { kind: 'restart', member: replica.name };
  if (leader?.pending === true && leader.attempts === 0) return stepOfLeader(leader, view.members);
  return { kind: 'stuck', members: pending.map(({ name }) => name) };
}

/** Nobody is missing who could still turn out to need a restart. */
function isComplete({ members }: RestartView): boolean {
  return members.some(isLeader) && members.every(({ ready, applied }) => ready && applied);
}

/** Each says why nobody may be restarted now, if that is so. */
const obstacles: readonly ((view: RestartView) => string | undefined)[] = [
  ({ paused }) => (paused ? 'failover to be resumed' : undefined),
  ({ members }) => (members.some(isLeader) ? undefined : 'a primary'),
  ({ members }) => waitFor(members, ({ ready }) => !ready, 'to run'),
  ({ members }) => waitFor(members, ({ applied }) => !applied, 'to take over the configuration'),
];

function waitFor(
  members: readonly RestartMember[],
  lacks: (member: RestartMember) => boolean,
  what: string,
): string | undefined {
  const names = members.filter(lacks).map(({ name }) => name);
  return names.length === 0 ? undefined : `${names.join(', ')} ${what}`;
}

function isLeader({ role }: RestartMember): boolean {
  return role === 'leader' || role === 'standby_leader';
}

// One before the primary has its new values, one after it, and one more for a standby that was
// restarted before it had heard of them.
const maximumAttempts = 3;

function canRestartNow(member: RestartMember, leader: RestartMember | undefined): boolean {
  if (isLeader(member) || member.attempts >= maximumAttempts) return false;
  if (member.changes !== undefined && leader?.changes !== undefined) {
    const held = decreasesOf(leader);
    return Object.keys(member.changes).some((parameter) => !held.includes(parameter));
  }
  return member.attempts === 0 || leader?.pending !== true;
}

/** What a standby may not have less of than its primary. */
const followedParameters: readonly string[] = [
  'max_connections',
  'max_locks_per_transaction',
  'max_prepared_transactions',
  'max_wal_senders',
  'max_worker_processes',
];

function decreasesOf({ changes = {} }: RestartMember): readonly string[] {
  return followedParameters.filter((parameter) => {
    const change = changes[parameter];
    return change !== undefined && Number(change.to) < Number(change.from);
  });
}

function stepOfLeader(leader: RestartMember, members: readonly RestartMember[]): RestartStep {
  const inPlace = leader.role === 'standby_leader' || decreasesOf(leader).length > 0;
  const candidate = members.find(({ role, pending }) => role === 'standby' && !pending);
  if (!inPlace && candidate !== undefined) {
    return { kind: 'switchover', leader: leader.name, candidate: candidate.name };
  }
  const mayCome = !inPlace && members.some(({ role, pending }) => role === 'replica' && !pending);
  return { kind: 'restart', member: leader.name, ...(mayCome ? { lacksStandby: true } : {}) };
}

/** What has to outlive a hook: the configuration of the round, and what restarts did not help. */
export interface RestartRound {
  readonly configuration: string;
  readonly attempts: Readonly<Record<string, number>>;
}

/** The round of this configuration that was begun; `undefined` when there is none. */
export function parseRound(
  text: string | undefined,
  configuration: string,
): RestartRound | undefined {
  const found = parseObject(text);
  if (found['configuration'] !== configuration) return undefined;
  const attempts = Object.entries(toObject(found['attempts'])).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number',
  );
  return { configuration, attempts: Object.fromEntries(attempts) };
}

export function renderRound({ configuration, attempts }: RestartRound): string {
  const sorted = Object.entries(attempts).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify({ configuration, attempts: Object.fromEntries(sorted) });
}

/** The round after a restart that left the mark. */
export function addAttempt(round: RestartRound, member: string): RestartRound {
  const attempts = { ...round.attempts, [member]: (round.attempts[member] ?? 0) + 1 };
  return { ...round, attempts };
}

function parseObject(text: string | undefined): Readonly<Record<string, unknown>> {
  try {
    return toObject(JSON.parse(text ?? '{}'));
  } catch {
    return {};
  }
}

function toObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
