// The table of list-backups, in the form that scripts of others read. Pure.

import type { TimelineHistory } from './archive.ts';
import { type Backup, idOfLabel } from './backup-list.ts';
import type { FailedBackup, RepositoryState, RunningBackup } from './repository-state.ts';
import { bytesOf, lastThatFit, resultBytes } from './result-room.ts';
import { isoSeconds } from './times.ts';

const columns = [
  ['backup-id', 20],
  ['action', 19],
  ['status', 8],
  ['reference-backup-id', 20],
  ['LSN start/stop', 23],
  ['start-time', 20],
  ['finish-time', 20],
  ['timeline', 8],
  ['backup-path', 0],
] as const;

type Row = readonly string[];

export type ShownState = Pick<RepositoryState, 'backups' | 'failed' | 'running'> & {
  readonly timelines: readonly TimelineHistory[];
};

interface ShownRepository {
  readonly bucket: string;
  readonly path: string;
}

export function renderBackupTable(
  repository: ShownRepository,
  { backups, failed, running, timelines }: ShownState,
): string {
  const rows = [
    ...backups.map(finishedRow),
    ...failed.map(failedRow),
    ...(running === undefined ? [] : [runningRow(running)]),
    ...timelines.map(timelineRow),
  ]
    .toSorted(([one = ''], [other = '']) => one.localeCompare(other))
    .map(renderRow);
  const kept = lastThatFit(rows, resultBytes - bytesOf(headOf(repository, rows.length)));
  return [headOf(repository, rows.length - kept.length), ...kept].join('\n');
}

/** Five lines; what is left out takes the place of an empty one. */
function headOf({ bucket, path }: ShownRepository, omitted: number): string {
  const header = renderRow(columns.map(([title]) => title));
  return [
    `Storage bucket name: ${bucket}`,
    `Backups base path: ${path.replace(/\/+$/, '')}/backup/`,
    omitted === 0 ? '' : `Left out for want of room, the oldest: ${omitted}`,
    header,
    '-'.repeat(header.length),
  ].join('\n');
}

function finishedRow(backup: Backup): Row {
  return [
    backup.id,
    `${backup.type} backup`,
    backup.error === undefined ? 'finished' : failure(backup.error),
    backup.reference === undefined ? 'None' : idOfLabel(backup.reference),
    `${backup.lsnStart} / ${backup.lsnStop}`,
    isoSeconds(backup.startSeconds),
    isoSeconds(backup.stopSeconds),
    backup.timeline,
    `/${backup.stanza}/${backup.label}`,
  ];
}

const unknown = 'n/a';
const noLsn = `${unknown} / ${unknown}`;

function failedRow({ id, type, error, stanza, folder }: FailedBackup): Row {
  const path = `/${stanza}/${folder}`;
  return [id, actionOf(type), failure(error), 'None', noLsn, unknown, id, unknown, path];
}

function runningRow({ id, type, stanza, label = unknown }: RunningBackup): Row {
  const path = `/${stanza}/${label}`;
  return [id, actionOf(type), 'running', 'None', noLsn, id, unknown, unknown, path];
}

function actionOf(type: Backup['type'] | undefined): string {
  return type === undefined ? 'backup' : `${type} backup`;
}

/** Text of others must not look like a further cell. */
function failure(error: string): string {
  return `failed: ${error.replaceAll(/\s*\|\s*|\s+/g, ' ').trim()}`;
}

function timelineRow({ id, timeline }: TimelineHistory): Row {
  const number = timeline.toString(16).toUpperCase();
  return [id, 'restore', 'finished', 'None', unknown, id, unknown, number, unknown];
}

function renderRow(cells: Row): string {
  return cells.map((cell, index) => cell.padEnd(columns[index]?.[1] ?? 0)).join(' | ');
}
