// What `pgbackrest info --output=json` says, as types, and the table that list-backups shows.
// Labels look like `20260131-120000F`, `…F_20260201-120000D` and `…F_20260201-120000I`.
// Source: pgBackRest user guide, "Information".

import * as v from 'valibot';

export interface Backup {
  /** `20260131-120000F` */
  readonly label: string;
  /** `2026-01-31T12:00:00Z`, what operators see and give. */
  readonly id: string;
  readonly type: 'full' | 'differential' | 'incremental';
  readonly stanza: string;
  /** Why it cannot be used; absent for a good one. */
  readonly error?: string;
  /** Label of the backup that this one builds on directly. */
  readonly reference?: string;
  readonly lsnStart: string;
  readonly lsnStop: string;
  readonly startSeconds: number;
  readonly stopSeconds: number;
  readonly timeline: string;
}

export interface StanzaInfo {
  readonly name: string;
  readonly statusCode: number;
  readonly statusMessage: string;
  /** System identifiers of every database that the stanza has held. */
  readonly systemIds: readonly string[];
  readonly backups: readonly Backup[];
}

const backupSchema = v.object({
  label: v.string(),
  type: v.string(),
  error: v.optional(v.nullable(v.boolean())),
  reference: v.optional(v.nullable(v.array(v.string()))),
  lsn: v.optional(v.object({ start: v.string(), stop: v.string() })),
  timestamp: v.object({ start: v.number(), stop: v.number() }),
  archive: v.optional(v.object({ start: v.nullable(v.string()), stop: v.nullable(v.string()) })),
});

const infoSchema = v.array(
  v.object({
    name: v.string(),
    status: v.object({ code: v.number(), message: v.string() }),
    db: v.optional(v.array(v.object({ 'system-id': v.optional(v.number()) })), []),
    backup: v.optional(v.array(backupSchema), []),
  }),
);

/**
 * Parses the info output; throws when it is not what pgBackRest writes. System identifiers are
 * larger than what a JavaScript number holds exactly, so they are taken from the text.
 */
export function parseInfo(json: string): readonly StanzaInfo[] {
  const exact: unknown = JSON.parse(json);
  const texts: unknown = JSON.parse(json.replace(/("system-id"\s*:\s*)(\d+)/g, '$1"$2"'));
  return v.parse(infoSchema, exact).map((stanza, index) => ({
    name: stanza.name,
    statusCode: stanza.status.code,
    statusMessage: stanza.status.message,
    systemIds: systemIdsOf(texts, index),
    backups: stanza.backup.map((backup) => toBackup(stanza.name, backup)),
  }));
}

function systemIdsOf(info: unknown, index: number): readonly string[] {
  const schema = v.array(
    v.object({ db: v.optional(v.array(v.object({ 'system-id': v.optional(v.string()) })), []) }),
  );
  const stanza = v.parse(schema, info)[index];
  return (stanza?.db ?? []).flatMap((database) => database['system-id'] ?? []);
}

function toBackup(stanza: string, backup: v.InferOutput<typeof backupSchema>): Backup {
  const reference = backup.reference?.at(-1);
  return {
    label: backup.label,
    id: idOfLabel(backup.label),
    type: typeOfLabel(backup.label),
    stanza,
    ...(backup.error === true ? { error: 'invalid pages or checksum errors' } : {}),
    ...(reference === undefined ? {} : { reference }),
    ...lsnOf(backup),
    startSeconds: backup.timestamp.start,
    stopSeconds: backup.timestamp.stop,
    timeline: backup.archive?.start?.slice(0, 8).replace(/^0+/, '') ?? 'n/a',
  };
}

function lsnOf({ lsn }: v.InferOutput<typeof backupSchema>) {
  return { lsnStart: lsn?.start ?? 'n/a', lsnStop: lsn?.stop ?? 'n/a' };
}

/** `…_20260201-120000D` → `2026-02-01T12:00:00Z`; the time of the last part counts. */
export function idOfLabel(label: string): string {
  const time = /(\d{4})(\d{2})(\d{2})-(\d{2})(\d{2})(\d{2})[FDI]$/.exec(label);
  if (time === null) return label;
  const [, year, month, day, hour, minute, second] = time;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
}

function typeOfLabel(label: string): Backup['type'] {
  if (label.endsWith('D')) return 'differential';
  return label.endsWith('I') ? 'incremental' : 'full';
}

/** Backups of one stanza that can be restored, oldest first. */
export function usableBackups(info: readonly StanzaInfo[], stanza: string): readonly Backup[] {
  return info
    .filter(({ name }) => name === stanza)
    .flatMap(({ backups }) => backups)
    .filter(({ error }) => error === undefined)
    .toSorted((left, right) => left.id.localeCompare(right.id));
}

/**
 * What can be restored: the own stanza's backups, then those of others, so that a cluster moves by
 * restoring a backup of the old one.
 */
export function restorableBackups(info: readonly StanzaInfo[], own: string): readonly Backup[] {
  const others = info.filter(({ name }) => name !== own);
  return [own, ...others.map(({ name }) => name)].flatMap((name) => usableBackups(info, name));
}

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

/** The table of list-backups, in the form that scripts of others read. */
export function renderBackupTable(
  repository: { readonly bucket: string; readonly path: string },
  backups: readonly Backup[],
): string {
  const header = renderRow(columns.map(([title]) => title));
  const rows = backups.toSorted((left, right) => left.id.localeCompare(right.id)).map(cellsOf);
  return [
    `Storage bucket name: ${repository.bucket}`,
    `Backups base path: ${repository.path.replace(/\/+$/, '')}/backup/`,
    '',
    header,
    '-'.repeat(header.length),
    ...rows.map(renderRow),
  ].join('\n');
}

function cellsOf(backup: Backup): readonly string[] {
  return [
    backup.id,
    `${backup.type} backup`,
    backup.error === undefined ? 'finished' : `failed: ${backup.error}`,
    backup.reference === undefined ? 'None' : idOfLabel(backup.reference),
    `${backup.lsnStart} / ${backup.lsnStop}`,
    timeText(backup.startSeconds),
    timeText(backup.stopSeconds),
    backup.timeline,
    `/${backup.stanza}/${backup.label}`,
  ];
}

function renderRow(cells: readonly string[]): string {
  return cells.map((cell, index) => cell.padEnd(columns[index]?.[1] ?? 0)).join(' | ');
}

function timeText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
}
