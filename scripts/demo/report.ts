/** The demo's result as data: what dist/demo-report.json holds and the page is made from. Pure. */

import type { Backup } from './backups.ts';

export interface Phase {
  readonly name: string;
  readonly seconds: number;
}

export interface TableSum {
  readonly rows: number;
  /** Sum of a hash of each row: the same whatever order the rows are read in. */
  readonly checksum: string;
}

/** By name of the table, schema included. */
export type TableSums = Readonly<Record<string, TableSum>>;

export interface Report {
  readonly phases: readonly Phase[];
  readonly before: TableSums;
  /** By name of the unit: what its own server answers. */
  readonly after: Readonly<Record<string, TableSums>>;
  readonly backups: readonly Backup[];
  readonly versions: Readonly<Record<string, string>>;
}

/** Every difference between what was and what is, as sentences; none when all is the same. */
export function findDifferences(before: TableSums, after: Report['after']): readonly string[] {
  if (Object.keys(before).length === 0) return ['no table was there before'];
  if (Object.keys(after).length === 0) return ['no unit was looked at'];
  return Object.entries(after).flatMap(([unit, sums]) => [
    ...Object.entries(before).flatMap(([table, sum]) =>
      compareTable(`${table} on ${unit}`, sum, sums[table]),
    ),
    ...Object.keys(sums)
      .filter((table) => before[table] === undefined)
      .map((table) => `${table} on ${unit} was not there before`),
  ]);
}

function compareTable(
  name: string,
  before: TableSum,
  after: TableSum | undefined,
): readonly string[] {
  if (after === undefined) return [`${name} is missing`];
  if (after.rows !== before.rows)
    return [`${name} has ${after.rows} rows instead of ${before.rows}`];
  if (after.checksum !== before.checksum) {
    return [`${name} has checksum ${after.checksum} instead of ${before.checksum}`];
  }
  return [];
}

export function renderReport(report: Report): string {
  return `${JSON.stringify(report, undefined, 2)}\n`;
}
