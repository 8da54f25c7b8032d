// From when until when each timeline can be restored: from the end of a backup on, as far as WAL was
// archived without a gap, across the forks that led to the timeline. Pure.

import {
  type Ancestor,
  type Archive,
  type SegmentRun,
  segmentOfLsn,
  segmentOfName,
  timelineOfName,
} from './archive.ts';
import type { Backup } from './backup-list.ts';
import { lsnNumber } from './times.ts';

/** A span of time that can be restored without leaving the timeline. */
export interface RecoveryWindow {
  readonly stanza: string;
  readonly archiveId: string;
  readonly timeline: number;
  /** End of the oldest backup that the span can be restored from. */
  readonly earliestSeconds: number;
  /**
   * When the last segment was archived: nothing later is there. What was committed last may be
   * older, and PostgreSQL refuses a target time behind it.
   */
  readonly latestSeconds: number;
  /** Where restoring can begin, the oldest first; never empty. */
  readonly backups: readonly [Backup, ...Backup[]];
}

/** Where timelines came from: by stanza, archive and timeline; see `lineageKey`. */
export type Lineage = ReadonlyMap<string, readonly Ancestor[]>;

export function lineageKey(stanza: string, archiveId: string, timeline: number): string {
  return `${stanza}/${archiveId}/${timeline}`;
}

/**
 * The windows of all timelines, in the order of archive, timeline and time. A timeline without a
 * lineage is taken for one that nothing came before. `backups` that cannot be used do not count.
 */
export function windowsOf(
  backups: readonly Backup[],
  archives: readonly Archive[],
  lineage: Lineage,
): readonly RecoveryWindow[] {
  return archives.flatMap((archive) => {
    const own = backups
      .filter(({ stanza, archiveId }) => stanza === archive.stanza && archiveId === archive.id)
      .filter(({ error }) => error === undefined)
      .toSorted((one, other) => one.stopSeconds - other.stopSeconds);
    return [...archive.runs.keys()]
      .toSorted((one, other) => one - other)
      .flatMap((timeline) => {
        const before = lineage.get(lineageKey(archive.stanza, archive.id, timeline)) ?? [];
        return timelineWindows(archive, [...before, { timeline, endLsn: Infinity }], own);
      });
  });
}

/** Backups that lead to the same end of the WAL share a window. */
function timelineWindows(
  archive: Archive,
  path: readonly Ancestor[],
  backups: readonly Backup[],
): readonly RecoveryWindow[] {
  const found = new Map<SegmentRun, [Backup, ...Backup[]]>();
  for (const backup of backups) {
    const end = followWal(archive, path, backup);
    if (end === undefined) continue;
    const others = found.get(end);
    if (others === undefined) found.set(end, [backup]);
    else others.push(backup);
  }
  return [...found].map(([end, [oldest, ...others]]) => ({
    stanza: archive.stanza,
    archiveId: archive.id,
    timeline: path.at(-1)?.timeline ?? 1,
    earliestSeconds: oldest.stopSeconds,
    latestSeconds: Math.max(end.lastSeconds, oldest.stopSeconds),
    backups: [oldest, ...others],
  }));
}

/** The run on the last timeline of the path that ends what can be restored from a backup. */
function followWal(
  archive: Archive,
  path: readonly Ancestor[],
  backup: Backup,
): SegmentRun | undefined {
  const { walStart, walStop } = backup;
  if (walStart === undefined || walStop === undefined) return undefined;
  let segment = segmentOfName(archive, walStart);
  for (const { timeline, endLsn } of pathAfter(path, backup, timelineOfName(walStart))) {
    // The segment of the fork is read from the timeline that begins in it.
    const end = segmentOfLsn(archive, endLsn);
    if (end <= segment) continue;
    const run = archive.runs.get(timeline)?.find((each) => holds(each, segment));
    const least = endLsn === Infinity ? segmentOfName(archive, walStop) : end - 1;
    if (run === undefined || run.last < least) return undefined;
    if (endLsn === Infinity) return run;
    segment = end;
  }
  return undefined;
}

/** The path from a backup's timeline on; empty when that was left before the backup ended. */
function pathAfter(
  path: readonly Ancestor[],
  { lsnStop }: Backup,
  timeline: number,
): readonly Ancestor[] {
  const begun = path.findIndex((each) => each.timeline === timeline);
  const left = path[begun];
  const ended = left !== undefined && (lsnNumber(lsnStop) ?? Infinity) <= left.endLsn;
  return ended ? path.slice(begun) : [];
}

function holds({ first, last }: SegmentRun, segment: number): boolean {
  return first <= segment && segment <= last;
}

export interface Moment {
  /** `latest`: the end of the newest timeline, or of the one that is named. */
  readonly seconds: number | 'latest';
  readonly stanza?: string;
  readonly timeline?: number;
}

/**
 * The window that a moment is in; of several timelines the newest counts, since it is the one that
 * went on. Stanzas count in the order of `windows`.
 */
export function findWindow(
  windows: readonly RecoveryWindow[],
  { seconds, stanza, timeline }: Moment,
): RecoveryWindow | undefined {
  return windows
    .filter((window) => stanza === undefined || window.stanza === stanza)
    .filter((window) => timeline === undefined || window.timeline === timeline)
    .filter(
      ({ earliestSeconds, latestSeconds }) =>
        seconds === 'latest' || (earliestSeconds <= seconds && seconds <= latestSeconds),
    )
    .toSorted(
      (one, other) => other.timeline - one.timeline || other.latestSeconds - one.latestSeconds,
    )[0];
}

/** The newest backup of a window that had ended by then: the least WAL to replay. */
export function backupBefore(
  { backups }: RecoveryWindow,
  seconds: number | 'latest',
): Backup | undefined {
  return backups.findLast(({ stopSeconds }) => seconds === 'latest' || stopSeconds <= seconds);
}
