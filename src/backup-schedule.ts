// Backups by schedule. The leader keeps what is due when (core/backups/schedule.ts), writes the next
// time down for the watcher, and sees to the backup when the watcher tells that the time has come: it makes
// it, or tells the unit that can (backup-order.ts). Any other hook only keeps that in order.

import type { Cluster, PostgresqlHook } from './adapters/cluster.ts';
import { readSettings } from './adapters/configuration.ts';
import { loadNextTime } from './adapters/cron-times.ts';
import { lookAtBackups } from './adapters/last-backup.ts';
import { readBackupActivity } from './adapters/running-backup.ts';
import { isReachable } from './adapters/watch-state.ts';
import { pushIfChanged } from './adapters/workload.ts';
import { findMaker, order, takeAnswer, withdrawOrder } from './backup-order.ts';
import type { Backup } from './core/backups/backup-list.ts';
import {
  advance,
  chosenRun,
  delay,
  fail,
  follow,
  hold,
  isOf,
  type Now,
  type OpenRun,
  parseSchedule,
  renderSchedule,
  type Schedule,
  settle,
  tellLate,
  wakeTime,
} from './core/backups/schedule.ts';
import { isoSeconds } from './core/backups/times.ts';
import { backupDuePath } from './core/names.ts';
import {
  backupRuns,
  type DueBackup,
  makeDue,
  readBackups,
  reasonToWait,
  takeDue,
} from './scheduled-backup.ts';

const key = 'backup-schedule';

/**
 * Takes over changed schedules, takes note of backups that others made, and sees to it that the watcher
 * knows when to wake this unit. Without its container nothing wakes it: then it tells those that can make
 * what is due.
 */
export async function followSchedule(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const { backupSchedule } = await cluster.appData();
  const wanted = await readWanted(hook);
  if (!(await mayFollow(hook, cluster, wanted))) return;
  const schedule = await hear(
    hook,
    cluster,
    await takeOver(hook, parseSchedule(backupSchedule), wanted),
  );
  const last = (await cluster.appData()).lastBackup?.backup;
  const known = last === undefined ? schedule : settle(schedule, last);
  await keep(hook, cluster, (await isReachable(hook)) ? known : await see(hook, cluster, known));
}

/** There is something to follow, and this unit does. */
async function mayFollow(
  hook: PostgresqlHook,
  cluster: Cluster,
  wanted: Wanted | undefined,
): Promise<boolean> {
  const { backupSchedule, initialised } = await cluster.appData();
  if (wanted?.nothing === true && backupSchedule === undefined) return false;
  return initialised && (await hook.juju.isLeader());
}

/**
 * Where nobody has told yet which backup is the last one, its age cannot be told: by who has just begun to
 * ask. The last thing in a hook: a storage that is away makes pgBackRest wait for long.
 */
export async function knowLastBackup(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const { stanza, lastBackup } = await cluster.appData();
  if (stanza === undefined || lastBackup !== undefined) return;
  if (!(await mayFollow(hook, cluster, await readWanted(hook)))) return;
  if (!(await isReachable(hook))) return;
  await lookAtBackups(hook, cluster);
  await followSchedule(hook, cluster);
}

/** What came while an action of this leader ran had to wait for it, and was not missed. */
export async function excuseDelay(
  hook: PostgresqlHook,
  cluster: Cluster,
  { sinceMs, reason }: { readonly sinceMs: number; readonly reason: string },
): Promise<void> {
  const { backupSchedule } = await cluster.appData();
  if (backupSchedule === undefined || !(await hook.juju.isLeader({ fresh: true }))) return;
  const since = Math.floor(sinceMs / 1000);
  const held = hold(parseSchedule(backupSchedule), { since, reason }, await readNow(hook));
  cluster.setApp({ [key]: renderSchedule(held) });
}

interface Wanted {
  readonly schedules: Parameters<typeof isOf>[1];
  /** Neither a schedule nor a warning of old backups. */
  readonly nothing: boolean;
}

/** `undefined` while an option is wrong: what was there stays in force. */
async function readWanted(hook: PostgresqlHook): Promise<Wanted | undefined> {
  const read = await readSettings(hook);
  if (read.kind === 'invalid') return undefined;
  const { backupSchedules: schedules, backupAgeWarningHours } = read.settings;
  const nothing = Object.keys(schedules).length === 0 && backupAgeWarningHours === undefined;
  return { schedules, nothing };
}

async function takeOver(
  hook: PostgresqlHook,
  known: Schedule,
  wanted: Wanted | undefined,
): Promise<Schedule> {
  if (wanted === undefined || isOf(known, wanted.schedules)) return known;
  return follow(known, wanted.schedules, await readNow(hook));
}

async function readNow(hook: PostgresqlHook): Promise<Now> {
  return { seconds: secondsOf(hook), next: await loadNextTime() };
}

function secondsOf(hook: PostgresqlHook): number {
  return Math.floor(hook.ports.clock.nowMs() / 1000);
}

/** In the databag, and for the watcher. */
async function keep(hook: PostgresqlHook, cluster: Cluster, schedule: Schedule): Promise<void> {
  const text = renderSchedule(schedule);
  const before = (await cluster.appData()).backupSchedule;
  if (text === undefined && before === undefined) return;
  if (text === undefined) await withdrawOrder(cluster);
  if (text !== before) cluster.setApp({ [key]: text });
  if (!(await isReachable(hook))) return;
  const wake = wakeTime(schedule);
  if (wake === undefined) await stopWaking(hook);
  else await pushIfChanged(hook, { path: backupDuePath, content: isoSeconds(wake), mode: '0644' });
}

async function stopWaking(hook: PostgresqlHook): Promise<void> {
  await hook.ports.pebble.remove(backupDuePath, { recursive: true });
}

/** The watcher says that the time has come. */
export async function backupDue(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const { initialised, backupSchedule } = await cluster.appData();
  if (!(await hook.juju.isLeader())) {
    // It was once; whoever is now has a file of its own.
    await stopWaking(hook);
    return;
  }
  if (!initialised) return;
  const wanted = await readWanted(hook);
  const taken = await takeOver(hook, parseSchedule(backupSchedule), wanted);
  const known = await hear(hook, cluster, taken);
  const reached = await see(hook, cluster, known);
  // A backup takes longer than an answer about who leads holds.
  if (await hook.juju.isLeader()) await keep(hook, cluster, reached);
  else await stopWaking(hook);
}

/** What is known when everything has been done about it that can be done now. */
async function see(hook: PostgresqlHook, cluster: Cluster, known: Schedule): Promise<Schedule> {
  if (renderSchedule(known) === undefined || (await isBeingMade(hook, cluster))) return known;
  const now = await readNow(hook);
  const open = advance(known, now);
  if (chosenRun(open, now.seconds) !== undefined) return await act(hook, cluster, open);
  await withdrawOrder(cluster);
  return open;
}

/** By the unit that was told to: what comes meanwhile is seen to when it says what has become of it. */
async function isBeingMade(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  if ((await cluster.appData()).backupOrder === undefined) return false;
  return (await readBackupActivity(hook, cluster)) === 'running';
}

/** Makes what is open, unless it is there already or has to wait; gives what is then known. */
async function act(hook: PostgresqlHook, cluster: Cluster, open: Schedule): Promise<Schedule> {
  const seconds = secondsOf(hook);
  const reason = await reasonToWait(hook, cluster);
  if (reason !== undefined) {
    hook.log('INFO', `scheduled backups wait: ${reason}`);
    return delay(open, reason, seconds);
  }
  const backups = await readBackups(hook, cluster);
  const told = tellMisses(hook, open, backups);
  const chosen = chosenRun(told, seconds);
  if (chosen === undefined) return told;
  const there = await takeDue(hook, backups, chosen);
  const maker = await findMaker(cluster);
  if (there === undefined && maker !== cluster.unit) {
    await order(hook, cluster, { ...chosen, unit: maker });
    return delay(told, `${maker} has not made it yet`, seconds);
  }
  await withdrawOrder(cluster);
  if (!(await isReachable(hook))) return delay(told, noContainer, seconds);
  const due = there ?? (await makeDue(hook, cluster, chosen));
  return await conclude(hook, told, { chosen, due });
}

/** What the unit says that was told to make a backup. */
async function hear(hook: PostgresqlHook, cluster: Cluster, known: Schedule): Promise<Schedule> {
  const told = await takeAnswer(cluster);
  if (told === undefined) return known;
  const { order: chosen, answer } = told;
  if (answer.waits !== undefined) return delay(known, answer.waits, secondsOf(hook));
  return await conclude(hook, known, { chosen, due: answer });
}

interface Ended {
  readonly chosen: OpenRun;
  readonly due: DueBackup;
}

async function conclude(
  hook: PostgresqlHook,
  schedule: Schedule,
  { chosen, due: { made, failure = '' } }: Ended,
): Promise<Schedule> {
  const { type, due } = chosen;
  if (made === undefined) warn(hook, chosen, failure);
  else hook.log('INFO', `${made.id} is the ${type} backup of ${isoSeconds(due)}`);
  const ended =
    made === undefined
      ? fail(schedule, { type, reason: failure }, secondsOf(hook))
      : settle(schedule, made);
  // What has come meanwhile waited for this one.
  const now = await readNow(hook);
  return delay(advance(ended, now), backupRuns, now.seconds);
}

const noContainer = 'the workload container of the leader is down';
const nobody = 'no leader was at work';

/** A backup that took longer than the time between two is no reason to say that one was missed. */
function tellMisses(hook: PostgresqlHook, open: Schedule, backups: readonly Backup[]): Schedule {
  const first = chosenRun(open, secondsOf(hook))?.due ?? 0;
  const busy = backups.some(({ startSeconds, stopSeconds }) => {
    return startSeconds <= first && stopSeconds >= first;
  });
  const { schedule, told } = tellLate(open, busy ? undefined : nobody);
  for (const miss of told) warn(hook, miss, nobody);
  return schedule;
}

function warn(hook: PostgresqlHook, { type, due }: OpenRun, reason: string): void {
  hook.log('WARNING', `backup missed: ${type} due ${isoSeconds(due)} (${reason})`);
}
