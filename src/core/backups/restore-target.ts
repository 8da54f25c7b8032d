// What a restore restores: which backup, along which timeline, and until when. Parsed from what the
// operator asks for, and chosen from what the repository has. Values here end up in a command line: each
// has been checked to be of its form.

import * as v from 'valibot';

import { present } from '../../../lib/base/present.ts';
import { shorten, shown } from '../action-parameters.ts';
import type { TimelineHistory } from './archive.ts';
import type { Backup } from './backup-list.ts';
import { renderTime, type WantedTime } from './restore-time.ts';
import { backupBefore, findWindow, type RecoveryWindow } from './windows.ts';

const fields = {
  label: v.pipe(v.string(), v.regex(/^\d{8}-\d{6}F(_\d{8}-\d{6}[DI])?$/)),
  stanza: v.pipe(v.string(), v.regex(/^[A-Za-z0-9][\w.-]{0,200}$/)),
  /** Of the backup, or one that was begun after it; absent when the backup does not tell. */
  timeline: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(1))),
  /** System identifier of the database, where the repository tells it. */
  systemId: v.exactOptional(v.pipe(v.string(), v.regex(/^\d{1,20}$/))),
  /** In UTC, or `latest`: all of the timeline. Absent: only until the backup is consistent. */
  time: v.exactOptional(
    v.pipe(v.string(), v.regex(/^(latest|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}\+00)$/)),
  ),
};

/** Fields of a target in files and databags. */
export const targetFields = fields;
const targetSchema = v.object(fields);

export type RestoreTarget = Readonly<v.InferOutput<typeof targetSchema>>;

/** What can be restored: usable backups, the own stanza's first, and timelines. */
export interface Catalogue {
  readonly backups: readonly Backup[];
  readonly histories: readonly TimelineHistory[];
  readonly windows: readonly RecoveryWindow[];
}

export interface Wish {
  /** Of a backup or a timeline. */
  readonly id?: string;
  readonly time?: WantedTime;
}

export interface Chosen {
  readonly target: RestoreTarget;
  readonly backup: Backup;
}

export type Choice = Chosen | { readonly refusal: string };

/** The backup and the timeline that fulfil a wish, or why there are none. */
export function chooseTarget(wish: Wish, catalogue: Catalogue): Choice {
  const choice = wish.id === undefined ? byTime(wish.time, catalogue) : byId(wish, catalogue);
  return 'refusal' in choice ? choice : verified(choice);
}

/** Names of a repository are anybody's; what is not of pgBackRest's form is not passed on. */
function verified(choice: Chosen): Choice {
  if (v.safeParse(targetSchema, choice.target).success) return choice;
  return {
    refusal: `Cannot restore ${shorten(choice.backup.label)}: no name that pgBackRest gives`,
  };
}

function byId({ id = '', time }: Wish, catalogue: Catalogue): Choice {
  const backup = catalogue.backups.find((one) => one.id === id);
  if (backup !== undefined) return fromBackup(backup, time, catalogue);
  const history = catalogue.histories.find((one) => one.id === id);
  if (history === undefined) return { refusal: `Invalid backup-id: ${shown(id)}` };
  if (time === undefined) {
    return { refusal: 'Cannot restore to the timeline without restore-to-time parameter' };
  }
  return alongTimeline(history, time, catalogue);
}

function targetOf(backup: Backup, timeline?: number, time?: WantedTime): Chosen {
  const until = time?.kind === 'time' ? renderTime(time.micros) : time?.kind;
  const target = {
    label: backup.label,
    stanza: backup.stanza,
    ...present({ timeline, systemId: backup.systemId, time: until }),
  };
  return { target, backup };
}

function fromBackup(backup: Backup, time: WantedTime | undefined, catalogue: Catalogue): Choice {
  const timeline = timelineOf(backup);
  if (time === undefined) return targetOf(backup, timeline);
  if (time.kind === 'time' && secondsOf(time) < backup.stopSeconds) {
    const end = renderTime(backup.stopSeconds * 1_000_000).slice(0, 19);
    return { refusal: `The backup ${backup.id} ends at ${end} UTC, after ${time.given}` };
  }
  const window = catalogue.windows.find(
    (one) => one.timeline === timeline && one.backups.some(({ label }) => label === backup.label),
  );
  if (window === undefined) {
    return { refusal: `WAL that follows the backup ${backup.id} is not in the repository` };
  }
  return beyond(time, window, catalogue) ?? targetOf(backup, timeline, time);
}

/** PostgreSQL gives up when the WAL ends before the time. Times of files are whole seconds. */
function beyond(
  time: WantedTime,
  window: RecoveryWindow,
  catalogue: Catalogue,
): { readonly refusal: string } | undefined {
  const { timeline, latestSeconds } = window;
  const seconds = Math.floor(secondsOf(time));
  if (time.kind === 'latest' || seconds <= latestSeconds) return undefined;
  const end = renderTime(latestSeconds * 1_000_000).slice(0, 19);
  const later = laterTimeline(window, seconds, catalogue);
  const hint = later === undefined ? '' : `; a later timeline leads there: backup-id=${later}`;
  const found = `WAL of timeline ${timeline} was archived until ${end} UTC`;
  return { refusal: `${found}, which is before ${time.given}${hint}` };
}

/**
 * Id of a timeline that was begun later and holds the moment. It is not taken by itself: when it was begun
 * nobody has written down, only when that was archived, and before it the database was another one.
 */
function laterTimeline(
  { stanza, archiveId, timeline }: RecoveryWindow,
  seconds: number,
  { windows, histories }: Catalogue,
): string | undefined {
  const isLater = (one: Line): boolean =>
    one.stanza === stanza && one.archiveId === archiveId && one.timeline > timeline;
  const window = findWindow(windows.filter(isLater), { seconds });
  return histories.filter(isLater).find((one) => one.timeline === window?.timeline)?.id;
}

interface Line {
  readonly stanza: string;
  readonly archiveId: string;
  readonly timeline: number;
}

function alongTimeline(line: Line, time: WantedTime, catalogue: Catalogue): Choice {
  const along = catalogue.windows.filter(
    ({ stanza, archiveId, timeline }) =>
      stanza === line.stanza && archiveId === line.archiveId && timeline === line.timeline,
  );
  const seconds = time.kind === 'latest' ? time.kind : Math.floor(secondsOf(time));
  const window = findWindow(along, { seconds });
  const backup = window === undefined ? undefined : backupBefore(window, seconds);
  if (backup !== undefined) return targetOf(backup, line.timeline, time);
  const before = along.filter(({ earliestSeconds }) => earliestSeconds <= secondsOf(time)).at(-1);
  return (before === undefined ? undefined : beyond(time, before, catalogue)) ?? noTimeline(time);
}

function byTime(time: WantedTime | undefined, catalogue: Catalogue): Choice {
  if (time === undefined) return { refusal: nothingWished };
  const within = ofFirstDatabase(catalogue);
  return time.kind === 'latest' ? latestOfAll(within) : nearest(time, within);
}

export const nothingWished =
  'Either backup-id or restore-to-time parameters need to be provided to be able to do restore';

/** Times of different databases have nothing to do with each other: the newest of the first stanza. */
function ofFirstDatabase({ backups, histories, windows }: Catalogue): Catalogue {
  const [first] = backups;
  const newest = backups.findLast(({ stanza }) => stanza === first?.stanza);
  const isOfIt = (one: Pick<Line, 'stanza' | 'archiveId'>): boolean =>
    one.stanza === newest?.stanza && one.archiveId === newest.archiveId;
  return {
    backups: backups.filter(isOfIt),
    histories: histories.filter(isOfIt),
    windows: windows.filter(isOfIt),
  };
}

function latestOfAll(catalogue: Catalogue): Choice {
  const { backups, histories } = catalogue;
  const timelines = [
    ...backups.flatMap((one) => timelineOf(one) ?? []),
    ...histories.map(({ timeline }) => timeline),
  ];
  if (timelines.length === 0) return noTimeline({ kind: 'latest' });
  const latest = Math.max(...timelines);
  const backup = backups.findLast((one) => timelineOf(one) === latest);
  // Parity: WAL that leads there from an earlier timeline is used only for a timeline's id.
  if (backup === undefined) {
    return { refusal: 'There is no base backup created from the latest timeline' };
  }
  return fromBackup(backup, { kind: 'latest' }, catalogue);
}

/** Along the timeline of the last backup that had ended, or of the last fork, before the time. */
function nearest(
  time: Extract<WantedTime, { readonly kind: 'time' }>,
  catalogue: Catalogue,
): Choice {
  const seconds = secondsOf(time);
  const backup = catalogue.backups
    .filter(({ stopSeconds }) => stopSeconds <= seconds)
    .toSorted((one, other) => one.stopSeconds - other.stopSeconds)
    .at(-1);
  const history = catalogue.histories.findLast((one) => one.seconds <= seconds);
  if (history !== undefined && history.seconds > (backup?.stopSeconds ?? 0)) {
    return alongTimeline(history, time, catalogue);
  }
  return backup === undefined ? noTimeline(time) : fromBackup(backup, time, catalogue);
}

function secondsOf(time: WantedTime): number {
  return time.kind === 'latest' ? Number.POSITIVE_INFINITY : time.micros / 1_000_000;
}

function noTimeline(time: WantedTime): { readonly refusal: string } {
  const given = time.kind === 'latest' ? time.kind : time.given;
  return { refusal: `Can't find the nearest timeline before timestamp ${given} to restore` };
}

function timelineOf({ timeline }: Backup): number | undefined {
  return /^[0-9A-F]{1,8}$/.test(timeline) ? Number.parseInt(timeline, 16) : undefined;
}

/** What may be restored where: with the old data aside, without them, or not at all. */
export type Room = 'aside' | 'instead' | 'none';

/** Recovery replays WAL, and writes its own. */
const leastMarginBytes = 128 * 1024 * 1024;

export function roomFor(bytes: {
  readonly backup: number;
  readonly free: number;
  readonly old: number;
}): Room {
  const needed = bytes.backup + Math.max(leastMarginBytes, bytes.backup / 10);
  if (needed <= bytes.free) return 'aside';
  return needed <= bytes.free + bytes.old ? 'instead' : 'none';
}
