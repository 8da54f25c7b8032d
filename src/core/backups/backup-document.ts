// The second result of list-backups: the same and more for programs, as one JSON document. Times are
// ISO 8601 in UTC, sizes bytes, timelines decimal numbers; what is not known is null. Pure.

import { type Backup, idOfLabel } from './backup-list.ts';
import type { BackupType } from './backup-types.ts';
import type { LastBackup } from './last-backup.ts';
import type { FailedBackup, RepositoryState, RunningBackup } from './repository-state.ts';
import { bytesOf, lastThatFit, resultBytes } from './result-room.ts';
import { runsOf, type Schedule, type ScheduledRun } from './schedule.ts';
import { isoSeconds } from './times.ts';
import { lineageKey, type RecoveryWindow } from './windows.ts';

export interface ShownRepository {
  readonly bucket: string;
  readonly path: string;
  readonly encrypted: boolean;
}

type Entry = Readonly<Record<string, unknown>>;

/** What else is told about the cluster that asks. */
export interface DocumentFacts {
  readonly windows: readonly RecoveryWindow[];
  readonly last: LastBackup;
  readonly schedule: Schedule;
}

export function renderBackupDocument(
  repository: ShownRepository,
  state: RepositoryState,
  { windows, last, schedule }: DocumentFacts,
): string {
  const { backups, failed, running } = state;
  const entries = [
    ...backups.map(finishedEntry),
    ...failed.map(failedEntry),
    ...(running === undefined ? [] : [runningEntry(running)]),
  ].toSorted((one, other) => String(one['id']).localeCompare(String(other['id'])));
  const { bucket, path, encrypted } = repository;
  const head = { repository: { bucket, path, encrypted } };
  const timelines = cut(timelineEntries(state), sideBytes);
  const ended = windows.toSorted((one, other) => one.latestSeconds - other.latestSeconds);
  const spans = cut(ended.map(windowEntry), sideBytes);
  const others = {
    timelines: timelines.kept,
    windows: spans.kept,
    last_backup: lastEntry(last),
    schedule: runsOf(schedule).map(([type, run]) => scheduleEntry(type, run)),
  };
  const shown = cut(entries, resultBytes - bytesOf(JSON.stringify({ ...head, ...others })));
  return JSON.stringify({
    ...head,
    backups: shown.kept,
    ...others,
    ...note('omitted_backups', shown),
    ...note('omitted_timelines', timelines),
    ...note('omitted_windows', spans),
  });
}

/** Timelines, and windows: the rest is for the backups. */
const sideBytes = 30_000;

interface Cut {
  readonly kept: readonly Entry[];
  readonly omitted: number;
}

/** Leaves out the first, the oldest. */
function cut(entries: readonly Entry[], room: number): Cut {
  const fitting = lastThatFit(
    entries.map((entry) => JSON.stringify(entry)),
    room,
  );
  const omitted = entries.length - fitting.length;
  return { kept: entries.slice(omitted), omitted };
}

function note(name: string, { omitted }: Cut): Entry {
  return omitted === 0 ? {} : { [name]: omitted };
}

function finishedEntry(backup: Backup): Entry {
  const { bytes } = backup;
  return {
    id: backup.id,
    label: backup.label,
    stanza: backup.stanza,
    type: backup.type,
    status: backup.error === undefined ? 'finished' : 'failed',
    ...(backup.error === undefined ? {} : { error: backup.error }),
    start: isoSeconds(backup.startSeconds),
    stop: isoSeconds(backup.stopSeconds),
    size: bytes.size ?? null,
    size_delta: bytes.sizeDelta ?? null,
    repo_size: bytes.repoSize ?? null,
    repo_size_delta: bytes.repoSizeDelta ?? null,
    wal_start: backup.walStart ?? null,
    wal_stop: backup.walStop ?? null,
    timeline: backup.walStart === undefined ? null : Number.parseInt(backup.timeline, 16),
    lsn_start: known(backup.lsnStart),
    lsn_stop: known(backup.lsnStop),
    references: backup.references.map(idOfLabel),
  };
}

function known(text: string): string | null {
  return text === 'n/a' ? null : text;
}

const nothing = {
  size: null,
  size_delta: null,
  repo_size: null,
  repo_size_delta: null,
  wal_start: null,
  wal_stop: null,
  timeline: null,
  lsn_start: null,
  lsn_stop: null,
  references: [],
} as const;

function failedEntry({ id, stanza, type, error }: FailedBackup): Entry {
  const time = { start: null, stop: id };
  return {
    id,
    label: null,
    stanza,
    type: type ?? null,
    status: 'failed',
    error,
    ...time,
    ...nothing,
  };
}

function runningEntry({ id, label, stanza, type, unit, percent }: RunningBackup): Entry {
  return {
    id,
    label: label ?? null,
    stanza,
    type: type ?? null,
    status: 'running',
    unit: unit ?? null,
    percent: percent ?? null,
    start: id,
    stop: null,
    ...nothing,
  };
}

function timelineEntries({ archive, lineage }: RepositoryState): readonly Entry[] {
  return archive.histories.map(({ id, stanza, archiveId, timeline }) => {
    const parent = lineage.get(lineageKey(stanza, archiveId, timeline))?.at(-1);
    return { id, stanza, timeline, start: id, parent: parent?.timeline ?? null };
  });
}

function windowEntry({ stanza, timeline, ...window }: RecoveryWindow): Entry {
  return {
    stanza,
    timeline,
    earliest: isoSeconds(window.earliestSeconds),
    latest: isoSeconds(window.latestSeconds),
    from_backup: window.backups[0].id,
  };
}

function lastEntry({ seen, backup }: LastBackup): Entry | null {
  if (backup === undefined) return null;
  return { id: backup.id, stop: isoSeconds(backup.stop), age_s: Math.max(0, seen - backup.stop) };
}

function scheduleEntry(
  type: BackupType,
  { cron, next, due, missed, delayed }: ScheduledRun,
): Entry {
  return {
    type,
    cron,
    next: next === undefined ? null : isoSeconds(next),
    due: due === undefined ? null : isoSeconds(due),
    missed: missed ?? null,
    delayed: delayed ?? null,
  };
}
