// Backups by schedule. The leader keeps what is due when (core/backups/schedule.ts), writes the next
// time down for the watcher, and makes the backup when the watcher tells that the time has come; any
// other hook only keeps that in order. The backup is made here, under the rules of create-backup.

import { CodedError } from '../lib/base/error.ts';
import { type Cluster, isRestoring, type PostgresqlHook } from './adapters/cluster.ts';
import { readSettings } from './adapters/configuration.ts';
import { loadNextTime } from './adapters/cron-times.ts';
import { lookAtBackups, noteBackups } from './adapters/last-backup.ts';
import { info } from './adapters/pgbackrest.ts';
import { readBackupActivity } from './adapters/running-backup.ts';
import { isReachable } from './adapters/watch-state.ts';
import { pushIfChanged } from './adapters/workload.ts';
import { admitBackup } from './backup-admission.ts';
import { performBackup } from './backup-run.ts';
import { type Backup, typeOfLabel, usableBackups } from './core/backups/backup-list.ts';
import { type BackupType, standsFor } from './core/backups/backup-types.ts';
import {
  advance,
  chosenRun,
  delay,
  fail,
  follow,
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
import { quietly } from './quietly.ts';

const key = 'backup-schedule';

/**
 * Takes over changed schedules, takes note of backups that others made, and sees to it that the watcher
 * knows when to wake this unit.
 */
export async function followSchedule(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const { backupSchedule, initialised } = await cluster.appData();
  const wanted = await readWanted(hook);
  if (wanted?.nothing === true && backupSchedule === undefined) return;
  if (!initialised || !(await hook.juju.isLeader()) || !(await isReachable(hook))) return;
  const schedule = await takeOver(hook, parseSchedule(backupSchedule), wanted);
  await knowLastBackup(hook, cluster);
  const last = (await cluster.appData()).lastBackup?.backup;
  await keep(hook, cluster, last === undefined ? schedule : settle(schedule, last));
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
  if (text !== before) cluster.setApp({ [key]: text });
  const wake = wakeTime(schedule);
  if (wake === undefined) await hook.ports.pebble.remove(backupDuePath, { recursive: true });
  else await pushIfChanged(hook, { path: backupDuePath, content: isoSeconds(wake), mode: '0644' });
}

/** Without it the age of the last backup cannot be told: by who has just begun to ask. */
async function knowLastBackup(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const { stanza, lastBackup } = await cluster.appData();
  if (stanza !== undefined && lastBackup === undefined) await lookAtBackups(hook, cluster);
}

/** The watcher says that the time has come. */
export async function backupDue(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const { initialised, backupSchedule } = await cluster.appData();
  if (!(await hook.juju.isLeader())) {
    // It was once; whoever is now has a file of its own.
    await hook.ports.pebble.remove(backupDuePath, { recursive: true });
    return;
  }
  if (!initialised) return;
  const wanted = await readWanted(hook);
  const known = await takeOver(hook, parseSchedule(backupSchedule), wanted);
  if (renderSchedule(known) === undefined) {
    await keep(hook, cluster, known);
    return;
  }
  const now = await readNow(hook);
  const open = advance(known, now);
  const chosen = chosenRun(open, now.seconds);
  await keep(hook, cluster, chosen === undefined ? open : await act(hook, cluster, open));
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
  const there = backups.find(({ startSeconds, type }) => {
    return startSeconds >= chosen.due && standsFor(type, chosen.type);
  });
  if (there !== undefined) {
    hook.log('INFO', `${there.id} is the ${chosen.type} backup of ${isoSeconds(chosen.due)}`);
    return settle(told, { type: there.type, start: there.startSeconds });
  }
  return await attempt(hook, cluster, { schedule: told, chosen, seconds });
}

async function reasonToWait(hook: PostgresqlHook, cluster: Cluster): Promise<string | undefined> {
  const app = await cluster.appData();
  if (isRestoring(app)) return 'a restore is under way';
  if (app.restartRound !== undefined && app.restartFailure === undefined) {
    return 'members are being restarted';
  }
  if ((await cluster.patroniCluster())?.paused === true) return 'failover is paused';
  const activity = await readBackupActivity(hook, cluster);
  return activity === 'running' ? 'a backup is being made' : undefined;
}

/** What there is; none when the repository cannot be asked, which the attempt will tell. */
async function readBackups(hook: PostgresqlHook, cluster: Cluster): Promise<readonly Backup[]> {
  const { stanza } = await cluster.appData();
  if (stanza === undefined) return [];
  try {
    const stanzas = await info(hook.ports.pebble);
    await noteBackups(hook, cluster, stanzas);
    return usableBackups(stanzas, stanza);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return [];
  }
}

const nobody = 'no leader was up';

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

interface Attempt {
  readonly schedule: Schedule;
  readonly chosen: OpenRun;
  readonly seconds: number;
}

async function attempt(
  hook: PostgresqlHook,
  cluster: Cluster,
  { schedule, chosen, seconds }: Attempt,
): Promise<Schedule> {
  const { type, due } = chosen;
  const made = await make(hook, cluster, type);
  if ('failure' in made) {
    warn(hook, chosen, made.failure);
    return fail(schedule, { type, reason: made.failure }, secondsOf(hook));
  }
  const actual = typeOfLabel(made.label);
  const instead = actual === type ? '' : `, ${actual} because there was no full one before`;
  hook.log('INFO', `${made.id} is the ${type} backup of ${isoSeconds(due)}${instead}`);
  const settled = settle(schedule, { type: actual, start: seconds });
  // What has come meanwhile waited for this one.
  const now = await readNow(hook);
  return delay(advance(settled, now), 'a backup was being made', now.seconds);
}

async function make(hook: PostgresqlHook, cluster: Cluster, type: BackupType) {
  const silent = quietly(hook);
  const admitted = await admitBackup(silent, cluster);
  if ('refusal' in admitted) return { failure: admitted.refusal };
  const say = async (line: string): Promise<void> => {
    hook.log('DEBUG', `scheduled backup: ${line}`);
    await Promise.resolve();
  };
  return await performBackup(silent, cluster, { ...admitted, type, say });
}
