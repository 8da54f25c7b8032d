// What to do about a replica that does not follow its primary. Patroni makes up for much by itself: it
// starts PostgreSQL again, rewinds a diverged member, clones one whose data directory is empty. Left
// are a replica that runs without ever getting its WAL, and one that cannot be started. Pure.
//
// Invariants, whatever the cluster looks like:
// - data is deleted on a replica only, and only while another member leads and answers: the newest
//   data is there, and core/clone-admission.ts sees to a second copy;
// - a restart is tried before data is deleted, where PostgreSQL runs at all;
// - a replica that still replays what it has is left alone;
// - data that PostgreSQL has not even looked at, because it refuses its settings, is left alone;
// - attempts are bounded, and further apart each time; then a person has to look. Those after which the
//   member has worked for minutes are forgotten. Where no data are left there is nothing to look at, and
//   a clone is tried every minute.

import {
  findTrouble,
  type Loss,
  type RepairMember,
  type Trouble,
  type TroubleView,
} from './trouble.ts';

export interface Attempt {
  readonly kind: 'restart' | 'clone';
  readonly atMs: number;
}

export interface RepairView extends TroubleView {
  readonly paused: boolean;
  /** Oldest first. */
  readonly attempts: readonly Attempt[];
}

export type RepairStep =
  | { readonly kind: 'none' }
  | {
      /** `give-up`: all attempts have been in vain. A clone has still to be admitted. */
      readonly kind: 'restart' | 'clone' | 'give-up';
      readonly reason: string;
      readonly leader: string;
      readonly loses: Loss;
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

/** Those of the present trouble: after the others the member has worked for a while. */
export function attemptsThatCount({ attempts, seen, nowMs }: RepairView): readonly Attempt[] {
  const { steadyAtMs = 0 } = seen;
  return attempts.filter(({ atMs }) => atMs >= steadyAtMs && nowMs - atMs < memoryMs);
}

/** The next step for this member, when its time has come. */
export function decideRepair(view: RepairView): RepairStep {
  const { step, inMs } = planRepair(view);
  return inMs > 0 ? { kind: 'none' } : step;
}

export interface ForeseenRepair {
  readonly kind: Exclude<RepairStep['kind'], 'none'>;
  readonly reason: string;
  /** When its time comes, or since when it is due, as things are now. */
  readonly atMs: number;
}

/** What comes next for this member, although its time may not have come. */
export function foreseeRepair(view: RepairView): ForeseenRepair | undefined {
  const { step, inMs } = planRepair(view);
  if (step.kind === 'none') return undefined;
  return { kind: step.kind, reason: step.reason, atMs: view.nowMs + inMs };
}

interface PlannedRepair {
  readonly step: RepairStep;
  readonly inMs: number;
}

function planRepair(view: RepairView): PlannedRepair {
  const leader = view.members.find(({ leads }) => leads);
  const trouble = findTrouble(view);
  if (trouble === undefined || leader === undefined || isUnsafe(view, leader)) {
    return { step: { kind: 'none' }, inMs: 0 };
  }
  const { reason, loses } = trouble;
  const { kind, inMs } = nextAttempt(view, trouble);
  return { step: { kind, reason, leader: leader.name, loses }, inMs };
}

interface NextAttempt {
  readonly kind: ForeseenRepair['kind'];
  /** Not above zero: it is due. */
  readonly inMs: number;
}

function nextAttempt(view: RepairView, trouble: Trouble): NextAttempt {
  const recent = attemptsThatCount(view);
  const clones = recent.filter(({ kind }) => kind === 'clone');
  const sinceLastMs = view.nowMs - (recent.at(-1)?.atMs ?? 0);
  if (trouble.runs && recent.length === 0) {
    return { kind: 'restart', inMs: restartAfterMs - trouble.forMs };
  }
  if (clones.length >= maximumClones && trouble.loses !== 'nothing') {
    return { kind: 'give-up', inMs: 0 };
  }
  const patience = patienceWith(view, trouble, clones.length);
  const inMs = Math.max(patience.forMs - trouble.forMs, patience.sinceLastMs - sinceLastMs);
  return { kind: 'clone', inMs };
}

/** Replicas that fail together take turns, so that each sees what has become of those before it. */
function patienceWith({ own, members }: RepairView, { loses }: Trouble, clones: number) {
  if (loses === 'nothing') return { forMs: replaceAfterMs, sinceLastMs: minuteMs };
  const before = members.filter(({ name, leads, state }) => {
    return !leads && name < own.name && state !== 'streaming';
  });
  return {
    forMs: cloneAfterMs + before.length * minuteMs,
    sinceLastMs: cloneAfterMs * (1 + clones),
  };
}

/** Reasons to leave everything as it is. */
function isUnsafe({ own, paused }: RepairView, leader: RepairMember): boolean {
  const ahead = (own.timeline ?? 0) > (leader.timeline ?? 0);
  return paused || ahead || !upStates.includes(leader.state);
}
