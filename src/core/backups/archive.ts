// The WAL archive of a repository as `pgbackrest repo-ls` lists it: runs of segments without a gap,
// and history files, which say where a timeline forked from which other one. A repository may hold a
// hundred thousand segments, so of each only its number and its time are kept, and of a run only its
// ends. Source: PostgreSQL manual, "Timelines"; pgBackRest user guide, "Repository".

import type { Backup } from './backup-list.ts';
import { isoSeconds, lsnNumber } from './times.ts';

/** Segments of one timeline, each next to the other. */
export interface SegmentRun {
  readonly first: number;
  readonly last: number;
  /** When the last one was archived. */
  readonly lastSeconds: number;
}

/** A timeline that was left at `endLsn`, for the next one. */
export interface Ancestor {
  readonly timeline: number;
  readonly endLsn: number;
}

/** One `.history` file: a timeline that was begun, by a promotion or a restore. */
export interface TimelineHistory {
  /** `2026-01-31T12:00:00Z`: when it was archived, what operators see and give. */
  readonly id: string;
  readonly seconds: number;
  readonly stanza: string;
  readonly archiveId: string;
  readonly timeline: number;
  /** Path below the repository's `archive`. */
  readonly path: string;
}

/** What a stanza has archived of one database. */
export interface Archive {
  readonly stanza: string;
  /** `17-1`: version, and pgBackRest's number of the database. */
  readonly id: string;
  readonly segmentBytes: number;
  /** By timeline, in their order. */
  readonly runs: ReadonlyMap<number, readonly SegmentRun[]>;
}

export interface ArchiveListing {
  readonly archives: readonly Archive[];
  /** The oldest first. */
  readonly histories: readonly TimelineHistory[];
}

/** What `repo-ls` is to leave out: everything that is neither a whole segment nor a history file. */
export const archiveFilter = '/([0-9A-F]{8}\\.history|[0-9A-F]{24}-[0-9a-f]{40}(\\.[a-z0-9]+)?)$';

const filePath =
  /^(?<stanza>[^/]+)\/(?<archiveId>[^/]+)\/(?:(?<history>[0-9A-F]{8})\.history|[0-9A-F]{16}\/(?<segment>[0-9A-F]{24})-[0-9a-f]{40}(?:\.\w+)?)$/;

/** Reads `repo-ls archive --recurse --output=json`; throws when it is something else. */
export function parseArchiveListing(json: string, backups: readonly Backup[]): ArchiveListing {
  const collected = new Map<string, Collected>();
  const histories: TimelineHistory[] = [];
  for (const [path, entry] of entriesOf(json)) {
    const time = timeOf(entry);
    const { stanza, archiveId, history, segment } = filePath.exec(path)?.groups ?? {};
    if (stanza === undefined || archiveId === undefined) continue;
    if (history !== undefined) {
      const timeline = Number.parseInt(history, 16);
      histories.push({ id: isoSeconds(time), seconds: time, stanza, archiveId, timeline, path });
    } else if (segment !== undefined) {
      const key = `${stanza}/${archiveId}`;
      const archive = collected.get(key) ?? startArchive(stanza, archiveId, backups);
      collected.set(key, archive);
      archive.add(segment, time);
    }
  }
  return {
    archives: [...collected.values()].map((archive) => archive.end()),
    histories: histories.toSorted((one, other) => one.seconds - other.seconds),
  };
}

/** Checked by hand, which takes a fifth of the time that a schema needs for so many. */
function entriesOf(json: string): readonly (readonly [string, unknown])[] {
  const listing: unknown = JSON.parse(json);
  if (typeof listing !== 'object' || listing === null || Array.isArray(listing)) {
    throw new TypeError('cannot read the archive of the repository: not a list of files');
  }
  return Object.entries(listing);
}

function timeOf(entry: unknown): number {
  const time: unknown =
    typeof entry === 'object' && entry !== null ? Reflect.get(entry, 'time') : undefined;
  return typeof time === 'number' ? time : 0;
}

interface Collected {
  add(segment: string, seconds: number): void;
  end(): Archive;
}

function startArchive(stanza: string, id: string, backups: readonly Backup[]): Collected {
  const own = backups.filter((backup) => backup.stanza === stanza && backup.archiveId === id);
  const segmentBytes = segmentBytesOf(own);
  const perLog = 2 ** 32 / segmentBytes;
  const times = new Map<number, Map<number, number>>();
  return {
    add: (segment, seconds) => {
      const timeline = partOf(segment, 0);
      const known = times.get(timeline) ?? new Map<number, number>();
      times.set(timeline, known.set(partOf(segment, 8) * perLog + partOf(segment, 16), seconds));
    },
    end: () => ({
      stanza,
      id,
      segmentBytes,
      runs: new Map([...times].map(([timeline, known]) => [timeline, runsOf(known)])),
    }),
  };
}

function partOf(segment: string, at: number): number {
  return Number.parseInt(segment.slice(at, at + 8), 16);
}

function runsOf(times: ReadonlyMap<number, number>): readonly SegmentRun[] {
  const runs: SegmentRun[] = [];
  for (const number of Float64Array.from(times.keys()).sort()) {
    const lastSeconds = times.get(number) ?? 0;
    const before = runs.at(-1);
    if (before?.last === number - 1) runs.pop();
    const first = before?.last === number - 1 ? before.first : number;
    runs.push({ first, last: number, lastSeconds });
  }
  return runs;
}

const usualSegmentBytes = 16 * 2 ** 20;
const possibleSegmentBytes = [
  usualSegmentBytes,
  ...Array.from({ length: 11 }, (_, n) => 2 ** (20 + n)),
];

/** As PostgreSQL was set up; seen from the backups, which say position and segment. */
function segmentBytesOf(backups: readonly Backup[]): number {
  const fits = (bytes: number): boolean =>
    backups.every(({ lsnStart, walStart }) => {
      const lsn = lsnNumber(lsnStart);
      if (lsn === undefined || walStart === undefined) return true;
      return Math.floor((lsn % 2 ** 32) / bytes) === partOf(walStart, 16);
    });
  return possibleSegmentBytes.find(fits) ?? usualSegmentBytes;
}

/** Number of the segment of an archive that a position is in. */
export function segmentOfLsn({ segmentBytes }: Archive, lsn: number): number {
  return Math.floor(lsn / segmentBytes);
}

/** Number of a segment by its name, `000000010000000000000003`. */
export function segmentOfName({ segmentBytes }: Archive, name: string): number {
  return partOf(name, 8) * (2 ** 32 / segmentBytes) + partOf(name, 16);
}

/** Timeline of a segment or history file by its name. */
export function timelineOfName(name: string): number {
  return partOf(name, 0);
}

/**
 * Reads a history file: each line is a timeline, where it was left, and why. What PostgreSQL would
 * ignore is left out.
 */
export function parseHistory(text: string): readonly Ancestor[] {
  return text.split('\n').flatMap((line) => {
    const [timeline = '', lsn = ''] = line.trim().split(/\s+/);
    const endLsn = lsnNumber(lsn);
    return /^\d+$/.test(timeline) && endLsn !== undefined
      ? [{ timeline: Number(timeline), endLsn }]
      : [];
  });
}
