// The table of list-backups, in the form that scripts of others read. Pure.

import type { TimelineHistory } from './archive.ts';
import { type Backup, idOfLabel } from './backup-list.ts';
import type { FailedBackup, RepositoryState, RunningBackup } from './repository-state.ts';
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

export function renderBackupTable(
  repository: { readonly bucket: string; readonly path: string },
  { backups, failed, running, timelines }: ShownState,
): string {
  const header = renderRow(columns.map(([title]) => title));
  const rows = [
    ...backups.map(finishedRow),
    ...failed.map(failedRow),
    ...(running === undefined ? [] : [runningRow(running)]),
    ...timelines.map(timelineRow),
  ];
  return [
    `Storage bucket name: ${repository.bucket}`,
    `Backups base path: ${repository.path.replace(/\/+$/, '')}/backup/`,
    '',
    header,
    '-'.repeat(header.length),
    ...rows.toSorted(([one = ''], [other = '']) => one.localeCompare(other)).map(renderRow),
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
