// When which backup is due, and what became of it: a small state that the leader keeps in the peer
// databag, and the steps that change it. It decides by itself, so a wake-up that is lost, late or double
// does no harm. Times are seconds. Pure.
//
// Invariants: a time that has come is open until a backup that is as full and began after it is there;
// of several open types only the fullest is made, and it closes those that it stands for; a failure is
// repeated only so often, until the next time comes.

import * as v from 'valibot';

import { cut } from '../../../lib/base/cut.ts';
import { present } from '../../../lib/base/present.ts';
import { isCron } from '../config/cron.ts';
import type { BackupSchedules } from '../config/settings.ts';
import { type BackupType, backupTypes, standsFor } from './backup-types.ts';
import { isoSeconds, timeSchema } from './times.ts';

/** The first time after that one; `undefined` when there is none. */
export type NextTime = (cron: string, afterSeconds: number) => number | undefined;

const runSchema = v.object({
  cron: v.pipe(v.string(), v.check(isCron)),
  /** The time that comes next. */
  next: v.exactOptional(timeSchema),
  /** The first that has come and that there is no backup for. */
  due: v.exactOptional(timeSchema),
  /** More times have come since, and nobody was there to see it. */
  late: v.exactOptional(v.literal(true)),
  /** Failures since the last time that came. */
  failures: v.exactOptional(v.number()),
  /** Not before. */
  retry: v.exactOptional(timeSchema),
  /** Why there is no backup. */
  missed: v.exactOptional(v.string()),
  /** What it waits for; until its next time comes it is not missed. */
  delayed: v.exactOptional(v.string()),
});

const schema = v.object({
  runs: v.object({
    full: v.exactOptional(runSchema),
    differential: v.exactOptional(runSchema),
    incremental: v.exactOptional(runSchema),
  }),
  /** Age at which the last backup is older than it may be by these schedules. */
  tooOld: v.exactOptional(v.number()),
});

export type ScheduledRun = Readonly<v.InferOutput<typeof runSchema>>;
type Runs = Readonly<Partial<Record<BackupType, ScheduledRun>>>;

export interface Schedule {
  readonly runs: Runs;
  readonly tooOld?: number;
}

/** As it stands in the databag; without schedules, or if it is anything else, nothing. */
export function parseSchedule(text: string | undefined): Schedule {
  if (text === undefined) return { runs: {} };
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text);
  return result.success ? result.output : { runs: {} };
}

/** `undefined` when there is nothing to keep. The same state is always the same text. */
export function renderSchedule(schedule: Schedule): string | undefined {
  return runsOf(schedule).length === 0 ? undefined : JSON.stringify(v.parse(schema, schedule));
}

/** The types that have a schedule, the fullest first. */
export function runsOf({ runs }: Schedule): readonly (readonly [BackupType, ScheduledRun])[] {
  return backupTypes.flatMap((type) => {
    const run = runs[type];
    return run === undefined ? [] : [[type, run] as const];
  });
}

function mapRuns(
  schedule: Schedule,
  change: (run: ScheduledRun, type: BackupType) => ScheduledRun,
): Schedule {
  const runs = runsOf(schedule).map(([type, run]) => [type, change(run, type)] as const);
  return { ...schedule, runs: Object.fromEntries(runs) };
}

/** Whether these are the schedules that the state is about. */
export function isOf(schedule: Schedule, wanted: BackupSchedules): boolean {
  return backupTypes.every((type) => schedule.runs[type]?.cron === wanted[type]);
}

export interface Now {
  readonly seconds: number;
  readonly next: NextTime;
}

/** Takes over schedules that were changed: they begin now, and what is open stays open. */
export function follow(schedule: Schedule, wanted: BackupSchedules, now: Now): Schedule {
  const runs = backupTypes.flatMap((type) => {
    const [before, cron] = [schedule.runs[type], wanted[type]];
    if (cron === undefined) return [];
    if (before?.cron === cron) return [[type, before] as const];
    const { next: _next, ...open } = before ?? {};
    return [[type, withNext({ ...open, cron }, now.next(cron, now.seconds))] as const];
  });
  const tooOld = agesOf(Object.values(wanted), now);
  return { runs: Object.fromEntries(runs), ...(tooOld === undefined ? {} : { tooOld }) };
}

function withNext(run: Omit<ScheduledRun, 'next'>, next: number | undefined): ScheduledRun {
  return next === undefined ? run : { ...run, next };
}

/** Enough to see the longest pause of every schedule that people use. */
const timesLookedAt = 100;

/** Twice the longest pause of the schedule whose pauses are the shortest. */
function agesOf(crons: readonly string[], now: Now): number | undefined {
  const pauses = crons.map((cron) => {
    let longest = 0;
    let at = now.next(cron, now.seconds);
    for (let count = 0; count < timesLookedAt && at !== undefined; count += 1) {
      const next = now.next(cron, at);
      longest = Math.max(longest, next === undefined ? 0 : next - at);
      at = next;
    }
    return longest;
  });
  const known = pauses.filter((pause) => pause > 0);
  return known.length === 0 ? undefined : 2 * Math.min(...known);
}

/** So many times one after another; after that the clock has been wrong, or all was down for long. */
const mostSteps = 1_000;

/** Opens what has come by now. */
export function advance(schedule: Schedule, now: Now): Schedule {
  return mapRuns(schedule, (run) => advanceRun(run, now));
}

function advanceRun(run: ScheduledRun, now: Now): ScheduledRun {
  let { next } = run;
  if (next === undefined || next > now.seconds) return run;
  const first = next;
  let times = 0;
  while (next !== undefined && next <= now.seconds) {
    times += 1;
    next = now.next(run.cron, times < mostSteps ? next : now.seconds);
  }
  const { failures: _failures, retry: _retry, next: _next, ...open } = run;
  const unseen = times > 1 && run.delayed === undefined ? ({ late: true } as const) : {};
  return withNext({ ...open, due: run.due ?? first, ...unseen, ...missedAt(run) }, next);
}

export interface Hold {
  /** When it began that nothing else could be done. */
  readonly since: number;
  readonly reason: string;
}

/** Opens what has come since, which had to wait for a reason, however often it came. */
export function hold(schedule: Schedule, { since, reason }: Hold, now: Now): Schedule {
  return mapRuns(schedule, (run) => {
    if (run.next === undefined || run.next < since || run.next > now.seconds) return run;
    const { late: _late, ...open } = advanceRun(run, now);
    return { ...open, delayed: reason };
  });
}

/** What has waited until its next time has been missed, whatever for. */
function missedAt({ due, missed, delayed }: ScheduledRun): Pick<ScheduledRun, 'missed'> {
  return present({ missed: due === undefined ? missed : (missed ?? delayed) });
}

const retrySeconds = 15 * 60;
const mostRetries = 3;

function isReady({ due, retry, failures = 0 }: ScheduledRun, seconds: number): boolean {
  return due !== undefined && failures <= mostRetries && (retry ?? due) <= seconds;
}

export interface OpenRun {
  readonly type: BackupType;
  readonly due: number;
}

/** What is to be made now: the fullest of what is open. */
export function chosenRun(schedule: Schedule, seconds: number): OpenRun | undefined {
  const [found] = runsOf(schedule).filter(([, run]) => isReady(run, seconds));
  if (found === undefined) return undefined;
  const [type, { due = seconds }] = found;
  return { type, due };
}

/** A backup that was begun in time, whoever made it, closes what it stands for. */
export function settle(
  schedule: Schedule,
  { type: made, start }: { readonly type: BackupType; readonly start: number },
): Schedule {
  return mapRuns(schedule, (run, type) => {
    const { cron, next, due } = run;
    if (due === undefined || start < due || !standsFor(made, type)) return run;
    return withNext({ cron }, next);
  });
}

export interface Failure {
  readonly type: BackupType;
  readonly reason: string;
}

/** It came to nothing, and with it all that it would have stood for. */
export function fail(schedule: Schedule, { type, reason }: Failure, seconds: number): Schedule {
  return mapRuns(schedule, (run, other) => {
    if (!standsFor(type, other) || !isReady(run, seconds)) return run;
    const { delayed: _delayed, retry: _retry, late: _late, failures = 0, ...open } = run;
    const again = failures < mostRetries ? { retry: seconds + retrySeconds } : {};
    return { ...open, failures: failures + 1, missed: reason, ...again };
  });
}

/** What is open has to wait for something that ends by itself. */
export function delay(schedule: Schedule, reason: string, seconds: number): Schedule {
  return mapRuns(schedule, (run) => {
    if (!isReady(run, seconds)) return run;
    const { late: _late, ...open } = run;
    return { ...open, delayed: reason };
  });
}

/** Tells what has been missed because nobody was there; the types that are new to it. */
export function tellLate(
  schedule: Schedule,
  reason: string | undefined,
): { readonly schedule: Schedule; readonly told: readonly OpenRun[] } {
  const told: OpenRun[] = [];
  const changed = mapRuns(schedule, ({ late, ...run }, type) => {
    if (late === undefined || reason === undefined || run.missed !== undefined) return run;
    told.push({ type, due: run.due ?? 0 });
    return { ...run, missed: reason };
  });
  return { schedule: changed, told };
}

/** When there is something to do again. */
export function wakeTime(schedule: Schedule): number | undefined {
  const times = runsOf(schedule).flatMap(([, run]) => {
    const { next, due, retry, failures = 0 } = run;
    const open = due === undefined || failures > mostRetries ? [] : [retry ?? due];
    return [...open, ...(next === undefined ? [] : [next])];
  });
  return times.length === 0 ? undefined : Math.min(...times);
}

/** The fullest that has been missed, in words. */
export function missedRun(schedule: Schedule): string | undefined {
  return runsOf(schedule).flatMap(([type, run]) => describeMiss(type, run) ?? [])[0];
}

const longestReason = 120;

/** `full due 2026-01-31T02:00:00Z (the reason)` */
export function describeMiss(type: BackupType, { due, missed }: ScheduledRun): string | undefined {
  if (due === undefined || missed === undefined) return undefined;
  const reason = cut(missed, longestReason);
  return `${type} due ${isoSeconds(due)} (${reason})`;
}
