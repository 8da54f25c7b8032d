// Everything that a repository holds besides finished backups, as facts: backups that failed or were
// interrupted, one that runs, timelines. What list-backups shows is made of these. Pure.

import { present } from '../../../lib/base/present.ts';
import type { ArchiveListing } from './archive.ts';
import { type Backup, idOfLabel, typeOfLabel } from './backup-list.ts';
import type { Lineage } from './windows.ts';

/** Without a label pgBackRest knows nothing of it; the charm has kept its log. */
export interface FailedBackup {
  /** When it failed, as far as that is known, else when it began. */
  readonly id: string;
  readonly stanza: string;
  /** Folder below the stanza's. */
  readonly folder: string;
  readonly type?: Backup['type'];
  readonly error: string;
}

export interface RunningBackup {
  readonly id: string;
  readonly stanza: string;
  /** As it will be listed; absent until there is a folder for it. */
  readonly label?: string;
  readonly type?: Backup['type'];
  readonly unit?: string;
  /** Known on the unit that makes it only. */
  readonly percent?: number;
}

export interface RepositoryState {
  readonly backups: readonly Backup[];
  readonly failed: readonly FailedBackup[];
  readonly running?: RunningBackup;
  readonly archive: ArchiveListing;
  readonly lineage: Lineage;
}

const labelPattern = /^\d{8}-\d{6}F(?:_\d{8}-\d{6}[DI])?$/;
const failedPattern = /^failed-(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)$/;

/** A folder of a stanza that is no finished backup. */
export interface OddFolder {
  readonly name: string;
  readonly id: string;
  /** `failed`: the charm's log of one; `unfinished`: begun under a label that pgBackRest lists not. */
  readonly kind: 'failed' | 'unfinished';
}

/**
 * Picks them from what is in a stanza's folder, the newest first. A folder whose backup failed with a
 * log is not told twice: the next backup clears it away, so it belongs to the newest attempt. One that
 * runs may have taken up that folder, with the label of then.
 */
export function oddFolders(
  names: readonly string[],
  known: readonly Backup[],
  { running = false } = {},
): readonly OddFolder[] {
  const labels = new Set(known.map(({ label }) => label));
  const folders = names.filter((name) => name.endsWith('/')).map((name) => name.slice(0, -1));
  const failed = folders.flatMap((name): readonly OddFolder[] => {
    const id = failedPattern.exec(name)?.[1];
    return id === undefined ? [] : [{ name, id, kind: 'failed' }];
  });
  const begun = folders
    .filter((name) => labelPattern.test(name) && !labels.has(name))
    .map((name): OddFolder => ({ name, id: idOfLabel(name), kind: 'unfinished' }))
    .toSorted((one, other) => other.id.localeCompare(one.id));
  const unfinished = begun.filter(
    ({ id }, index) => (running && index === 0) || failed.every((one) => one.id < id),
  );
  return [...failed, ...unfinished].toSorted((one, other) => other.id.localeCompare(one.id));
}

const logPattern = /^(?:failed-)?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)\/$/;

/** Folders with the charm's logs from before the oldest full backup, the oldest first. */
export function outdatedLogs(
  names: readonly string[],
  known: readonly Backup[],
): readonly string[] {
  const fulls = known.filter(({ type }) => type === 'full').map(({ id }) => id);
  const [oldest] = fulls.toSorted();
  if (oldest === undefined) return [];
  const idOf = (name: string): string => logPattern.exec(name)?.[1] ?? oldest;
  return names
    .filter((name) => idOf(name) < oldest)
    .toSorted((one, other) => idOf(one).localeCompare(idOf(other)))
    .map((name) => name.slice(0, -1));
}

const types: Readonly<Record<string, Backup['type']>> = {
  full: 'full',
  diff: 'differential',
  incr: 'incremental',
};

/** The type that pgBackRest was told, from its log. */
export function typeInLog(log: string): Backup['type'] | undefined {
  return types[/ --type=(\w+)/.exec(log)?.[1] ?? ''];
}

/** Who asked for the newest backup, and when: the object that is written before each one. */
export interface BackupRequestNote {
  readonly requested?: string;
  readonly unit?: string;
}

/** Reads `backup/<stanza>/latest`; lines that others wrote in another way are left out. */
export function parseRequestNote(text: string | undefined): BackupRequestNote {
  const value = (key: string): string | undefined =>
    new RegExp(`^${key}: (\\S+)$`, 'm').exec(text ?? '')?.[1];
  return present({ requested: value('Date Backup Requested'), unit: value('Unit Name') });
}

export interface RunningFacts {
  readonly stanza: string;
  /** The newest unfinished folder of the stanza. */
  readonly folder: OddFolder | undefined;
  readonly note: BackupRequestNote;
  readonly known: readonly Backup[];
  readonly percent?: number;
}

/** The backup that runs; `undefined` when it has ended since somebody saw it. */
export function runningBackup(facts: RunningFacts): RunningBackup | undefined {
  const { stanza, folder, note, known, percent } = facts;
  const { requested, unit } = note;
  const id = folder?.id ?? requested;
  const hasEnded = folder === undefined && known.some((backup) => backup.id >= (requested ?? ''));
  if (id === undefined || hasEnded) return undefined;
  const label = folder?.name;
  const type = label === undefined ? undefined : typeOfLabel(label);
  return { id, stanza, ...present({ label, type, unit, percent }) };
}
