// What to do about a replica that does not follow its primary. Patroni makes up for much by itself: it
// starts PostgreSQL again, rewinds a diverged member, clones one whose data directory is empty. Left
// are a replica that runs without ever getting its WAL, and one that cannot be started. Pure.
//
// Invariants, whatever the cluster looks like:
// - data is deleted on a replica only, and only while another member leads and answers: the newest
//   data, and a second copy, are there;
// - a restart is tried before data is deleted, where PostgreSQL runs at all;
// - data that PostgreSQL has not even looked at, because it refuses its settings, is left alone;
// - attempts are bounded, and further apart each time; then a person has to look. Where no data are left
//   there is nothing to look at, and a clone is tried every minute.

import { refusalToStart, type WatchState } from './watch-state.ts';

export interface RepairMember {
  readonly name: string;
  readonly leads: boolean;
  /** In Patroni's words. */
  readonly state: string;
  readonly timeline?: number;
}

export interface Attempt {
  readonly kind: 'restart' | 'clone';
  readonly atMs: number;
}

export interface RepairView {
  readonly own: RepairMember;
  readonly members: readonly RepairMember[];
  readonly paused: boolean;
  readonly seen: WatchState;
  /** Oldest first. */
  readonly attempts: readonly Attempt[];
  readonly nowMs: number;
}

export type RepairStep =
  | { readonly kind: 'none' }
  | {
      /** `give-up`: all attempts have been in vain. */
      readonly kind: 'restart' | 'clone' | 'give-up';
      readonly reason: string;
      readonly leader: string;
    };

const minuteMs = 60_000;
/** Networks, and what Patroni does by itself, get this long. */
const restartAfterMs = minuteMs;
const cloneAfterMs = 3 * minuteMs;
/** Without a control file there is nothing to wait for: no server can start there, and none can read it. */
const replaceAfterMs = 10_000;
const maximumClones = 3;
const memoryMs = 24 * 60 * minuteMs;

const upStates: readonly string[] = ['running', 'streaming', 'in archive recovery'];
/** It is down, or about to be: a start that fails goes through all of them, time and again. */
const downStates: readonly string[] = [
  'starting',
  'start failed',
  'restarting',
  'restart failed',
  'crashed',
  'stopped',
];
/** Failed starts in a row that are more than an accident. */
const failedStarts = 3;

interface Trouble {
  readonly reason: string;
  readonly forMs: number;
  /** Whether PostgreSQL runs, so that a restart may help. */
  readonly runs: boolean;
  /** Whether the data are gone already, so that a clone takes nothing away. */
  readonly empty: boolean;
}

/** Whether anything may be wrong at all, before more is asked for. */
export function needsLook(own: RepairMember, { brokenAtMs }: WatchState): boolean {
  if (own.leads) return false;
  const claims = own.state === streaming && brokenAtMs !== undefined;
  return claims || own.state === 'running' || downStates.includes(own.state);
}

/** PostgreSQL also says so while it waits for WAL that its primary will never have. */
const streaming = 'streaming';

/** The next step for this member. */
export function decideRepair(view: RepairView): RepairStep {
  const leader = view.members.find(({ leads }) => leads);
  const trouble = findTrouble(view);
  if (trouble === undefined || leader === undefined || isUnsafe(view, leader)) {
    return { kind: 'none' };
  }
  const kind = nextAttempt(view, trouble);
  return kind === 'none' ? { kind } : { kind, reason: trouble.reason, leader: leader.name };
}

function nextAttempt(view: RepairView, trouble: Trouble): RepairStep['kind'] {
  const recent = view.attempts.filter(({ atMs }) => view.nowMs - atMs < memoryMs);
  const clones = recent.filter(({ kind }) => kind === 'clone');
  const sinceLastMs = view.nowMs - (recent.at(-1)?.atMs ?? 0);
  if (trouble.runs && recent.length === 0) {
    return trouble.forMs < restartAfterMs ? 'none' : 'restart';
  }
  if (clones.length >= maximumClones && !trouble.empty) return 'give-up';
  const patience = patienceWith(trouble, clones.length);
  const early = trouble.forMs < patience.forMs || sinceLastMs < patience.sinceLastMs;
  return early ? 'none' : 'clone';
}

function patienceWith({ empty }: Trouble, clones: number) {
  return empty
    ? { forMs: replaceAfterMs, sinceLastMs: minuteMs }
    : { forMs: cloneAfterMs, sinceLastMs: cloneAfterMs * (1 + clones) };
}

function findTrouble(view: RepairView): Trouble | undefined {
  const { own, seen, nowMs } = view;
  if (own.leads || refusalToStart(seen) !== undefined) return undefined;
  const { down, brokenAtMs } = seen;
  if (downStates.includes(own.state) && down !== undefined && isHopeless(down)) {
    const [forMs, empty] = [nowMs - down.atMs, !down.control];
    const reason = empty ? 'its data directory is no database' : 'PostgreSQL cannot be started';
    return { reason, forMs, runs: false, empty };
  }
  return brokenAtMs === undefined ? undefined : findLackOfWal(view, nowMs - brokenAtMs);
}

function findLackOfWal({ own, members }: RepairView, forMs: number): Trouble | undefined {
  if (own.state === 'running')
    return { reason: 'it gets no WAL from its primary', forMs, runs: true, empty: false };
  const leading = members.find(({ leads }) => leads)?.timeline ?? 0;
  if (own.state !== streaming || own.timeline === undefined || own.timeline >= leading) {
    return undefined;
  }
  // It has the beginning of a record, up to the end of a file, that its new primary has not: it asks for
  // what follows there, and does so again after a restart.
  return { reason: 'it has WAL that its primary does not have', forMs, runs: false, empty: false };
}

function isHopeless({ starts, control, refusal }: NonNullable<WatchState['down']>): boolean {
  return starts >= failedStarts || !control || refusal !== undefined;
}

/** Reasons to leave everything as it is. */
function isUnsafe({ own, paused }: RepairView, leader: RepairMember): boolean {
  const ahead = (own.timeline ?? 0) > (leader.timeline ?? 0);
  return paused || ahead || !upStates.includes(leader.state);
}
