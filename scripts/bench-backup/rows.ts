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
}

/** One way of doing it all. */
export type Measured = Readonly<Record<Kind, Measurement>>;

export interface Row {
  readonly kind: Kind;
  readonly seconds: number;
  readonly bytes: number;
  readonly repo_bytes: number;
  readonly ratio_to_bare: number | null;
  readonly ratio_to_upstream_settings: number | null;
  readonly bare_seconds: number;
  readonly upstream_seconds: number;
}

export interface Comparison {
  /** Through the charm's actions. */
  readonly charm: Measured;
  readonly bare: Measured;
  readonly upstream: Measured;
}

export function rowsOf({ charm, bare, upstream }: Comparison): readonly Row[] {
  return kinds.map((kind) => {
    const { seconds, bytes, repoBytes } = charm[kind];
    return {
      kind,
      seconds: rounded(seconds),
      bytes,
      repo_bytes: repoBytes,
      ratio_to_bare: ratio(seconds, bare[kind].seconds),
      ratio_to_upstream_settings: ratio(seconds, upstream[kind].seconds),
      bare_seconds: rounded(bare[kind].seconds),
      upstream_seconds: rounded(upstream[kind].seconds),
    };
  });
}

/** More than one: the first took longer; `null` where there is nothing to divide by. */
export function ratio(seconds: number, other: number): number | null {
  return other > 0 && Number.isFinite(seconds) ? rounded(seconds / other) : null;
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

const heads = ['kind', 's', 'MB', 'MB stored', 'bare s', 'ratio', 'upstream s', 'ratio'] as const;

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
