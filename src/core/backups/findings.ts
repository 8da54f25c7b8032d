// What a verification of the repository means: which backups can be relied on, and what is wrong. Of
// pgBackRest's answer, and of what it does not look at: WAL that is not there, and backups that build
// on a damaged one. Pure.

import type { ArchiveListing } from './archive.ts';
import { type Backup, idOfLabel } from './backup-list.ts';
import type { Verification, VerifiedPart } from './verification.ts';
import { walGaps } from './wal-gaps.ts';
import { type Lineage, windowsOf } from './windows.ts';

export interface Repository {
  readonly stanza: string;
  /** Backups of the stanza. */
  readonly backups: readonly Backup[];
  readonly archive: ArchiveListing;
  readonly lineage: Lineage;
}

export interface Findings {
  readonly good: readonly Backup[];
  /** By label: why it cannot be relied on. */
  readonly bad: ReadonlyMap<string, string>;
  /** One sentence each. */
  readonly problems: readonly string[];
}

export function judgeRepository(verification: Verification, repository: Repository): Findings {
  const { backups } = repository;
  const bad = new Map<string, string>();
  const restorable = labelsInWindows(repository);
  const oldestFirst = backups.toSorted((one, other) => one.id.localeCompare(other.id));
  for (const backup of oldestFirst) {
    const base = backup.references.find((label) => bad.has(label));
    const reason =
      ownFault(backup, verification) ??
      walFault(backup, verification, restorable) ??
      (base === undefined ? undefined : `builds on ${idOfLabel(base)}`);
    if (reason !== undefined) bad.set(backup.label, reason);
  }
  const named = [
    ...oldestFirst.flatMap(({ label, id }) => {
      const reason = bad.get(label);
      return reason === undefined ? [] : [`backup ${id}: ${reason}`];
    }),
    ...verification.archives.flatMap((part) => archiveProblem(part, verification)),
    ...gapProblems(repository),
  ];
  const unnamed = verification.content || named.length > 0 ? [] : [unnamedProblem(verification)];
  return {
    good: oldestFirst.filter(({ label }) => !bad.has(label)),
    bad,
    problems: [...named, ...unnamed],
  };
}

/** Those from which some moment can be reached. */
function labelsInWindows({ backups, archive, lineage }: Repository): ReadonlySet<string> {
  const windows = windowsOf(backups, archive.archives, lineage);
  return new Set(windows.flatMap((window) => window.backups.map(({ label }) => label)));
}

function ownFault({ label, error }: Backup, verification: Verification): string | undefined {
  if (error !== undefined) return error;
  const part = verification.backups.find(({ name }) => name === label);
  if (part === undefined) return 'pgBackRest has not looked at it';
  if (part.status === 'valid' && part.valid === part.checked) return undefined;
  if (part.status !== 'valid' && part.status !== 'invalid') return part.status;
  return countOf(part, 'files', namesOf(verification, `${label}/`));
}

function walFault(
  { label, archiveId, walStart = '', walStop = '' }: Backup,
  verification: Verification,
  restorable: ReadonlySet<string>,
): string | undefined {
  if (!restorable.has(label)) {
    return `WAL that it cannot do without is missing, of ${walStart} to ${walStop}`;
  }
  const damaged = verification.files.find(({ path }) => {
    const segment = path.startsWith(`${archiveId}/`) ? segmentIn(path) : undefined;
    return segment !== undefined && walStart <= segment && segment <= walStop;
  });
  const segment = damaged === undefined ? undefined : segmentIn(damaged.path);
  return segment === undefined ? undefined : `WAL that it cannot do without is damaged: ${segment}`;
}

function segmentIn(path: string): string | undefined {
  return /\/([0-9A-F]{24})-/.exec(path)?.[1];
}

function archiveProblem(part: VerifiedPart, verification: Verification): readonly string[] {
  if (part.faults === '' && part.valid === part.checked) return [];
  const names = namesOf(verification, `${part.name}/`).map((path) => segmentIn(path) ?? path);
  return [`WAL archive ${part.name}: ${countOf(part, 'files', names)}`];
}

const mostNames = 3;

/** `1 of 966 files cannot be relied on (checksum invalid: 1): bundle/1` */
function countOf({ checked, valid, faults }: VerifiedPart, of: string, names: readonly string[]) {
  const why = faults === '' ? '' : ` (${faults})`;
  const shown = names.slice(0, mostNames).join(', ');
  const more = names.length > mostNames ? ` and ${names.length - mostNames} more` : '';
  const which = shown === '' ? '' : `: ${shown}${more}`;
  return `${checked - valid} of ${checked} ${of} cannot be relied on${why}${which}`;
}

function namesOf({ files }: Verification, folder: string): readonly string[] {
  return files.flatMap(({ path }) => (path.startsWith(folder) ? [path.slice(folder.length)] : []));
}

function gapProblems({ stanza, backups, archive }: Repository): readonly string[] {
  const own = archive.archives.filter((one) => one.stanza === stanza);
  return own.flatMap((one) =>
    walGaps(one, backups).map(({ archiveId, timeline, first, last }) => {
      const which = first === last ? first : `${first} to ${last}`;
      return `WAL archive ${archiveId}: timeline ${timeline} lacks ${which}, no time behind it can be reached across it`;
    }),
  );
}

function unnamedProblem({ notes }: Verification): string {
  return `pgBackRest is not content: ${notes.length === 0 ? 'it does not say why' : notes.join('; ')}`;
}
