/** Results as a table of medians, one line for each fault. Pure. */

import { titleOf } from './fault.ts';
import { hasPassed, type Result } from './result.ts';

export interface Row {
  readonly title: string;
  readonly passed: string;
  readonly gap: string;
  readonly lost: string;
  readonly duplicated: string;
  readonly recovered: string;
  readonly statuses: string;
  readonly labels: string;
  readonly endpoints: string;
  readonly failovers: string;
}

export const heads: Row = {
  title: 'fault',
  passed: 'passed',
  gap: 'write gap s',
  lost: 'lost',
  duplicated: 'duplicated',
  recovered: 'recovered s',
  statuses: 'statuses right s',
  labels: 'labels right s',
  endpoints: 'endpoints right s',
  failovers: 'fail-overs',
};

export function summarise(results: readonly Result[]): readonly Row[] {
  const groups = Object.groupBy(results, ({ fault: name, target }) => titleOf({ name, target }));
  return Object.entries(groups).map(([title, group = []]) => summariseFault(title, group));
}

function summariseFault(title: string, group: readonly Result[]): Row {
  const failovers = group.filter(({ failed_over }) => failed_over);
  return {
    title,
    passed: `${group.filter(hasPassed).length}/${group.length}`,
    gap: describe(group.map(({ write_gap_s }) => write_gap_s)),
    lost: sum(group.map(({ lost }) => lost)),
    duplicated: sum(group.map(({ duplicated }) => duplicated)),
    recovered: describe(group.map(({ recovered_s }) => recovered_s)),
    statuses: describe(failovers.map(({ statuses_right_s }) => statuses_right_s)),
    labels: describe(failovers.map(({ labels_right_s }) => labels_right_s)),
    endpoints: describe(failovers.map(({ endpoints_right_s }) => endpoints_right_s)),
    failovers: `${failovers.length}`,
  };
}

export function renderRows(rows: readonly Row[]): string {
  const lines = [heads, ...rows].map((row) => Object.values(row).map(String));
  const widths = Object.keys(heads).map((_, column) =>
    Math.max(...lines.map((line) => (line[column] ?? '').length)),
  );
  return lines
    .map((line) => line.map((cell, column) => pad(cell, widths[column] ?? 0, column)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

/** Words to the left, figures to the right. */
function pad(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}

/** The middle one, and the largest behind it; `-` when there is none. */
function describe(values: readonly (number | null)[]): string {
  const known = values.filter((value) => value !== null).toSorted((one, other) => one - other);
  const middle = median(known);
  if (middle === undefined) return '-';
  const missing = values.length - known.length;
  return `${middle.toFixed(1)} (${(known.at(-1) ?? 0).toFixed(1)}${missing === 0 ? '' : `, ${missing} never`})`;
}

export function median(sorted: readonly number[]): number | undefined {
  const [low, high] = [
    sorted[Math.ceil(sorted.length / 2) - 1],
    sorted[Math.floor(sorted.length / 2)],
  ];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}

function sum(values: readonly (number | null)[]): string {
  const unread = values.filter((value) => value === null).length;
  const total = values.reduce<number>((all, value) => all + (value ?? 0), 0);
  return unread === 0 ? `${total}` : `${total} (${unread} unread)`;
}
