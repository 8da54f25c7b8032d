// What the watcher of the workload sees (static/watcher), as the charm reads it, and what follows
// from it for the member.

export type DiskLevel = 'ok' | 'low' | 'full';

export interface WatchState {
  readonly disk?: {
    readonly level: DiskLevel;
    readonly freePercent: number;
    /** Size of the data volume. */
    readonly totalBytes: number;
    /** Whether Patroni's file of this member lets clients only read for the sake of the disk. */
    readonly readOnly: boolean;
  };
  readonly archive?: {
    /** Files of WAL. */
    readonly waiting: number;
    /** Nothing of it goes. */
    readonly failing: boolean;
    /** Some of it has waited for minutes. */
    readonly lags: boolean;
  };
  /** Since when a standby has been without a connection to its primary. */
  readonly brokenAtMs?: number;
  /** How many stream from a primary. */
  readonly streams?: number;
  /** When it had last worked for minutes: a primary, or a standby with that connection. */
  readonly steadyAtMs?: number;
  /** Since when PostgreSQL has not been up for a while, and how often it was started in vain. */
  readonly down?: {
    readonly atMs: number;
    readonly starts: number;
    /** Whether there is the file without which no data directory can be used. */
    readonly control: boolean;
    /** What PostgreSQL said when its last start ended before it had looked at the data. */
    readonly refusal?: string;
  };
  /** Of a primary, since when replicas have been up without streaming, by member. */
  readonly idleSinceMs?: Readonly<Record<string, number>>;
  readonly fences: readonly Fence[];
  /** A trial restore stands beside the data: one that was cut short, as no hook can see another's. */
  readonly trial?: true;
}

export interface Fence {
  readonly atMs: number;
  readonly reason: string;
}

/** What is known before the watcher has looked. */
export const nothingSeen: WatchState = { fences: [] };

/**
 * Whether clients of this member may only read. Begins when the disk is full and ends when there is
 * plenty of space again, not in between.
 */
export function isReadOnly({ disk }: WatchState): boolean {
  if (disk === undefined || disk.level === 'ok') return false;
  return disk.level === 'full' || disk.readOnly;
}

/** Whether the member's file still says otherwise. */
export function isDiskUnanswered(seen: WatchState): boolean {
  return seen.disk !== undefined && seen.disk.readOnly !== isReadOnly(seen);
}

/**
 * The size of the volume to reckon with: the one so far, unless it has become another. What shares its space
 * with others varies all the time, and nothing is to be written for that.
 */
export function reckonedVolume(
  { disk }: WatchState,
  before: number | undefined,
): number | undefined {
  if (disk === undefined || before === undefined) return disk?.totalBytes ?? before;
  return Math.abs(disk.totalBytes - before) * 10 < before ? before : disk.totalBytes;
}

/** Words about a data directory that cannot be used; a copy of another one mends that. */
const aboutData: readonly string[] = [
  'control file',
  'pg_control',
  'data directory',
  'database files',
  'lock file',
];

/** Why PostgreSQL does not start, if it is for its settings: with other data it would not, either. */
export function refusalToStart({ down }: WatchState): string | undefined {
  const refusal = down?.refusal;
  const ofData = aboutData.some((words) => refusal?.includes(words));
  return ofData ? undefined : refusal;
}

/** A start, and a change of the primary, are through by then; Patroni tells of it a turn later. */
const idleAfterMs = 15_000;

/** Replicas that have been up without streaming for longer than is usual. */
export function idleReplicas({ idleSinceMs = {} }: WatchState, nowMs: number): readonly string[] {
  return Object.entries(idleSinceMs)
    .filter(([, sinceMs]) => nowMs - sinceMs >= idleAfterMs)
    .map(([name]) => name)
    .toSorted();
}

const fenceShownMs = 10 * 60_000;

/** The last time the watcher killed something, as long as it is news. */
export function recentFence({ fences }: WatchState, nowMs: number): Fence | undefined {
  const last = fences.at(-1);
  return last !== undefined && nowMs - last.atMs < fenceShownMs ? last : undefined;
}
