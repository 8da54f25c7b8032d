// What is wrong with a member that should follow its primary, and what there is to lose. Pure.

import { refusalToStart, type WatchState } from './watch-state.ts';

export interface RepairMember {
  readonly name: string;
  readonly leads: boolean;
  /** In Patroni's words. */
  readonly state: string;
  readonly timeline?: number;
}

/** Up to where a replica has replayed its WAL, and since when it has come no further. */
export interface Replay {
  readonly location: number;
  readonly sinceMs: number;
}

export interface TroubleView {
  readonly own: RepairMember;
  readonly members: readonly RepairMember[];
  readonly seen: WatchState;
  /** `undefined` when that is not known. */
  readonly replay: Replay | undefined;
  readonly nowMs: number;
}

export interface Trouble {
  readonly reason: string;
  readonly forMs: number;
  /** Whether PostgreSQL runs, so that a restart may help. */
  readonly runs: boolean;
  readonly loses: Loss;
}

/** What a clone takes away: `beyond-repair`: data that only a clone mends, as PostgreSQL says. */
export type Loss = 'nothing' | 'beyond-repair' | 'data';

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
/** One look and the next are a minute apart. */
const stillAfterMs = 45_000;
/** PostgreSQL also says so while it waits for WAL that its primary will never have. */
const streaming = 'streaming';

/** Whether anything may be wrong at all, before more is asked for. */
export function needsLook(own: RepairMember, { brokenAtMs }: WatchState): boolean {
  if (own.leads) return false;
  const claims = own.state === streaming && brokenAtMs !== undefined;
  return claims || own.state === 'running' || downStates.includes(own.state);
}

/** What is known of the replay after another look. */
export function followReplay(
  known: Replay | undefined,
  location: number | undefined,
  nowMs: number,
): Replay | undefined {
  if (location === undefined) return undefined;
  return known?.location === location ? known : { location, sinceMs: nowMs };
}

/** `undefined` when nothing is, or it may still mend itself. */
export function findTrouble(view: TroubleView): Trouble | undefined {
  const { own, seen, nowMs } = view;
  if (own.leads || refusalToStart(seen) !== undefined) return undefined;
  const { down, brokenAtMs } = seen;
  if (downStates.includes(own.state) && down !== undefined && isHopeless(down)) {
    return findDown(down, nowMs);
  }
  return brokenAtMs === undefined ? undefined : findLackOfWal(view, nowMs - brokenAtMs);
}

type Down = NonNullable<WatchState['down']>;

function isHopeless({ starts, control, refusal }: Down): boolean {
  return starts >= failedStarts || !control || refusal !== undefined;
}

function findDown({ atMs, control, refusal }: Down, nowMs: number): Trouble {
  const forMs = nowMs - atMs;
  if (!control) {
    return { reason: 'its data directory is no database', forMs, runs: false, loses: 'nothing' };
  }
  // By its own word about the data: all other refusals have been sorted out.
  const loses = refusal === undefined ? 'data' : 'beyond-repair';
  return { reason: 'PostgreSQL cannot be started', forMs, runs: false, loses };
}

function findLackOfWal(view: TroubleView, forMs: number): Trouble | undefined {
  const { own, members } = view;
  if (!isStill(view)) return undefined;
  if (own.state === 'running')
    return { reason: 'it gets no WAL from its primary', forMs, runs: true, loses: 'data' };
  const leading = members.find(({ leads }) => leads)?.timeline ?? 0;
  if (own.state !== streaming || own.timeline === undefined || own.timeline >= leading) {
    return undefined;
  }
  // It has the beginning of a record, up to the end of a file, that its new primary has not: it asks for
  // what follows there, and does so again after a restart.
  const reason = 'it has WAL that its primary does not have';
  return { reason, forMs, runs: false, loses: 'beyond-repair' };
}

/** Before it has replayed all that it has, it asks nobody for more. */
function isStill({ replay, nowMs }: TroubleView): boolean {
  return replay !== undefined && nowMs - replay.sinceMs >= stillAfterMs;
}
