// What `pgbackrest info --output=json` says, as types.
// Labels look like `20260131-120000F`, `…F_20260201-120000D` and `…F_20260201-120000I`.
// Source: pgBackRest user guide, "Information".

import * as v from 'valibot';

import { present } from '../../../lib/base/present.ts';

export interface Backup {
  /** `20260131-120000F` */
  readonly label: string;
  /** `2026-01-31T12:00:00Z`, what operators see and give. */
  readonly id: string;
  readonly type: 'full' | 'differential' | 'incremental';
  readonly stanza: string;
  /** Why it cannot be used; absent for a good one. */
  readonly error?: string;
  /** Label of the last backup whose files it needs. */
  readonly reference?: string;
  /** Label of the backup that it continues: without that one it goes, too. */
  readonly prior?: string;
  /** Labels of all backups whose files it needs, the oldest first. */
  readonly references: readonly string[];
  /** Where its WAL is: `17-1`. */
  readonly archiveId: string;
  /** System identifier of its database. */
  readonly systemId?: string;
  /** Names of the first and the last segment that it cannot do without. */
  readonly walStart?: string;
  readonly walStop?: string;
  readonly bytes: BackupBytes;
  readonly lsnStart: string;
  readonly lsnStop: string;
  readonly startSeconds: number;
  readonly stopSeconds: number;
  readonly timeline: string;
}

/** Of the database, and of what the repository holds for it. Older versions do not say all. */
export interface BackupBytes {
  readonly size?: number;
  readonly sizeDelta?: number;
  readonly repoSize?: number;
  readonly repoSizeDelta?: number;
}

/** A backup that this very pod is making: pgBackRest knows of no others. */
export interface HeldLock {
  readonly size?: number;
  readonly sizeComplete?: number;
}

export interface StanzaInfo {
  readonly name: string;
  readonly statusCode: number;
  readonly statusMessage: string;
  /** Why the repository could not be read: pgBackRest lists nothing then, and calls that a success. */
  readonly failure?: string;
  readonly encrypted: boolean;
  /** System identifiers of every database that the stanza has held. */
  readonly systemIds: readonly string[];
  readonly backups: readonly Backup[];
  readonly lock?: HeldLock;
}

const optionalNumber = v.optional(
  v.pipe(
    v.nullable(v.number()),
    v.transform((number) => number ?? undefined),
  ),
);

const sizesSchema = v.object({
  size: optionalNumber,
  delta: optionalNumber,
  repository: v.optional(v.object({ size: optionalNumber, delta: optionalNumber })),
});

const backupSchema = v.object({
  label: v.string(),
  type: v.string(),
  error: v.optional(v.nullable(v.boolean())),
  prior: v.optional(v.nullable(v.string())),
  reference: v.optional(v.nullable(v.array(v.string()))),
  lsn: v.optional(v.object({ start: v.string(), stop: v.string() })),
  timestamp: v.object({ start: v.number(), stop: v.number() }),
  archive: v.optional(v.object({ start: v.nullable(v.string()), stop: v.nullable(v.string()) })),
  database: v.optional(v.object({ id: v.number() })),
  info: v.optional(sizesSchema),
});

const lockSchema = v.object({
  backup: v.optional(
    v.object({
      held: v.boolean(),
      size: optionalNumber,
      'size-cplt': optionalNumber,
    }),
  ),
});

const databaseSchema = v.object({
  id: v.optional(v.number()),
  version: v.optional(v.string(), ''),
  'system-id': v.optional(v.string()),
});

const repositorySchema = v.object({
  status: v.optional(v.object({ code: v.number(), message: v.string() })),
});

const infoSchema = v.array(
  v.object({
    name: v.string(),
    cipher: v.optional(v.string(), 'none'),
    status: v.object({ code: v.number(), message: v.string(), lock: v.optional(lockSchema) }),
    repo: v.optional(v.array(repositorySchema), []),
    db: v.optional(v.array(databaseSchema), []),
    backup: v.optional(v.array(backupSchema), []),
  }),
);

/**
 * Parses the info output; throws when it is not what pgBackRest writes. System identifiers are
 * larger than what a JavaScript number holds exactly, so they are taken from the text.
 */
export function parseInfo(json: string): readonly StanzaInfo[] {
  const exact: unknown = JSON.parse(json.replace(/("system-id"\s*:\s*)(\d+)/g, '$1"$2"'));
  return v.parse(infoSchema, exact).map((stanza) => ({
    name: stanza.name,
    statusCode: stanza.status.code,
    statusMessage: stanza.status.message,
    encrypted: stanza.cipher !== 'none',
    systemIds: stanza.db.flatMap((database) => database['system-id'] ?? []),
    backups: stanza.backup.map((backup) => toBackup(stanza.name, stanza.db, backup)),
    ...lockOf(stanza.status.lock),
    ...present({ failure: failureOf(stanza) }),
  }));
}

// `other`: everything that keeps pgBackRest from reading, such as refused keys.
const unreadCode = 99;

/** The first line of the reason; requests and answers may follow it. */
function failureOf({ status, repo }: v.InferOutput<typeof infoSchema>[number]): string | undefined {
  if (status.code !== unreadCode) return undefined;
  const reasons = repo.map((one) => (one.status?.code === unreadCode ? one.status.message : ''));
  const [line = ''] = (reasons.find((reason) => reason !== '') ?? status.message).split('\n');
  return line.replace(/:$/, '');
}

function lockOf(lock: v.InferOutput<typeof lockSchema> | undefined): { lock?: HeldLock } {
  if (lock?.backup?.held !== true) return {};
  const { size, 'size-cplt': sizeComplete } = lock.backup;
  return { lock: present({ size, sizeComplete }) };
}

function toBackup(
  stanza: string,
  databases: readonly v.InferOutput<typeof databaseSchema>[],
  backup: v.InferOutput<typeof backupSchema>,
): Backup {
  const references = backup.reference ?? [];
  const database = databases.find(({ id }) => id === backup.database?.id);
  return {
    label: backup.label,
    id: idOfLabel(backup.label),
    type: typeOfLabel(backup.label),
    stanza,
    ...(backup.error === true ? { error: 'invalid pages or checksum errors' } : {}),
    ...present({ reference: references.at(-1), prior: backup.prior ?? undefined }),
    references,
    archiveId: `${database?.version ?? ''}-${database?.id ?? ''}`,
    ...present({ systemId: database?.['system-id'] }),
    ...walOf(backup),
    bytes: bytesOf(backup.info),
    ...lsnOf(backup),
    startSeconds: backup.timestamp.start,
    stopSeconds: backup.timestamp.stop,
  };
}

function walOf({ archive }: v.InferOutput<typeof backupSchema>) {
  const walStart = archive?.start ?? undefined;
  const timeline = walStart?.slice(0, 8).replace(/^0+/, '') ?? 'n/a';
  return { timeline, ...present({ walStart, walStop: archive?.stop ?? undefined }) };
}

function bytesOf(info: v.InferOutput<typeof sizesSchema> | undefined): BackupBytes {
  return present({
    size: info?.size,
    sizeDelta: info?.delta,
    // With block incremental backups pgBackRest does not say how much the whole set takes.
    repoSize: info?.repository?.size,
    repoSizeDelta: info?.repository?.delta,
  });
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

/** By the last letter. */
export function typeOfLabel(label: string): Backup['type'] {
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
