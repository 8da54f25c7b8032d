/** Measurements as rows that can be compared, and as a table. Pure. */

import type { PgbackrestSettings } from './settings.ts';

export const kinds = ['full', 'differential', 'incremental', 'restore'] as const;
export type Kind = (typeof kinds)[number];

export interface Measurement {
  readonly seconds: number;
  /** Of the database, as far as they were copied. */
  readonly bytes: number;
  /** What came into the repository; nothing of a restore. */
  readonly repoBytes: number;
  /** Of an action: how long pgBackRest itself took in it, where that is known. */
  readonly ownSeconds?: number;
}

/** One way of doing it all. */
export type Measured = Readonly<Record<Kind, Measurement>>;

/** Seconds and bytes are medians of the rounds. */
export interface Row {
  readonly kind: Kind;
  readonly rounds: number;
  readonly seconds: number;
  readonly bytes: number;
  readonly repo_bytes: number;
  readonly ratio_to_bare: number | null;
  readonly ratio_to_upstream_settings: number | null;
  readonly bare_seconds: number;
  readonly upstream_seconds: number;
  /** Without what Juju and the charm's own looks take. */
  readonly pgbackrest_seconds: number | null;
  readonly pgbackrest_ratio_to_bare: number | null;
}

/** Each way once a round, in turn. */
export interface Comparison {
  /** Through the charm's actions. */
  readonly charm: readonly Measured[];
  readonly bare: readonly Measured[];
  readonly upstream: readonly Measured[];
}

export function rowsOf({ charm, bare, upstream }: Comparison): readonly Row[] {
  return kinds.map((kind) => {
    const middle = (way: readonly Measured[], what: keyof Measurement): number =>
      median(way.map((measured) => measured[kind][what] ?? Number.NaN));
    const seconds = middle(charm, 'seconds');
    const ownSeconds = middle(charm, 'ownSeconds');
    const [bareSeconds, upstreamSeconds] = [middle(bare, 'seconds'), middle(upstream, 'seconds')];
    return {
      kind,
      rounds: charm.length,
      seconds: rounded(seconds),
      bytes: middle(charm, 'bytes'),
      repo_bytes: middle(charm, 'repoBytes'),
      ratio_to_bare: ratio(bareSeconds, seconds),
      ratio_to_upstream_settings: ratio(upstreamSeconds, seconds),
      bare_seconds: rounded(bareSeconds),
      upstream_seconds: rounded(upstreamSeconds),
      pgbackrest_seconds: Number.isNaN(ownSeconds) ? null : rounded(ownSeconds),
      pgbackrest_ratio_to_bare: ratio(bareSeconds, ownSeconds),
    };
  });
}

/**
 * How fast it is in parts of the other's speed: 1 is as fast, 2 takes half the time; `null` where
 * there is nothing to divide by.
 */
export function ratio(otherSeconds: number, seconds: number): number | null {
  return seconds > 0 && Number.isFinite(otherSeconds / seconds)
    ? rounded(otherSeconds / seconds)
    : null;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const [low, high] = [(sorted.length - 1) >> 1, sorted.length >> 1];
  return ((sorted[low] ?? Number.NaN) + (sorted[high] ?? Number.NaN)) / 2;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

export interface Trial {
  readonly settings: PgbackrestSettings;
  readonly measurement: Measurement;
}

/** Within this share of the shortest time, the smaller repository wins. */
const asGood = 1.05;

/** The settings that took the least time; of those that took about as long, the least room. */
export function bestOf(trials: readonly Trial[]): PgbackrestSettings {
  const shortest = Math.min(...trials.map(({ measurement }) => measurement.seconds));
  const [best] = trials
    .filter(({ measurement }) => measurement.seconds <= shortest * asGood)
    .toSorted((one, other) => one.measurement.repoBytes - other.measurement.repoBytes);
  if (best === undefined) throw new Error('cannot choose settings: nothing has been tried');
  return best.settings;
}

const heads = [
  'kind',
  's',
  'MB',
  'MB stored',
  'bare s',
  'ratio',
  'upstream s',
  'ratio',
  'pgBackRest s',
  'ratio',
] as const;

export function renderTable(rows: readonly Row[]): string {
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
  const lines = rows.map((row) => [
    row.kind,
    row.seconds.toFixed(1),
    megabytes(row.bytes),
    megabytes(row.repo_bytes),
    row.bare_seconds.toFixed(1),
    row.ratio_to_bare?.toFixed(2) ?? '-',
    row.upstream_seconds.toFixed(1),
    row.ratio_to_upstream_settings?.toFixed(2) ?? '-',
    row.pgbackrest_seconds?.toFixed(1) ?? '-',
    row.pgbackrest_ratio_to_bare?.toFixed(2) ?? '-',
  ]);
  const all = [[...heads], ...lines];
  const widths = heads.map((_, column) =>
    Math.max(...all.map((line) => line[column]?.length ?? 0)),
  );
  return all
    .map((line) => line.map((cell, column) => pad(cell, widths[column] ?? 0, column)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

/** Words to the left, figures to the right. */
function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}
