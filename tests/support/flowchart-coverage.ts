// What all scenario runs together have walked of the charts, from the records in dist/flowcharts.
// Records of test files that are gone count for nothing.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import * as v from 'valibot';

import { present } from '../../lib/base/present.ts';
import type { WalkEnd, WalkedPath } from '../../lib/juju/walk.ts';
import { type ChartRow, chartOf, chartTable } from './flowchart-table.ts';
import {
  type Chart,
  type CheckedPath,
  checkPath,
  edgeKey,
  missingFrom,
  parseChart,
} from './flowcharts.ts';

export interface WalkRecord extends WalkedPath {
  readonly testFile: string;
  readonly scenario: string;
  readonly end: WalkEnd;
}

export interface ChartCoverage {
  readonly row: ChartRow;
  readonly drawn: number;
  readonly walked: number;
  /** Edges that no scenario walks and that the table does not excuse. */
  readonly missing: readonly string[];
}

export const projectRoot = new URL('../../', import.meta.url).pathname;
export const recordDirectory = join(projectRoot, 'dist/flowcharts');
const chartDirectory = join(projectRoot, 'docs/flowcharts');

const recordSchema = v.object({
  testFile: v.string(),
  scenario: v.string(),
  handler: v.string(),
  path: v.array(
    v.pipe(
      v.object({ node: v.string(), answer: v.optional(v.boolean()) }),
      v.transform(({ node, answer }) => ({ node, ...present({ answer }) })),
    ),
  ),
  end: v.picklist(['return', 'defer', 'stopped', 'failed']),
});

const charts = new Map<string, Chart>();

/** A chart of docs/flowcharts by its name. */
export function readChart(name: string): Chart {
  const known =
    charts.get(name) ?? parseChart(readFileSync(join(chartDirectory, `${name}.mmd`), 'utf8'));
  charts.set(name, known);
  return known;
}

/** The path in its chart; `undefined` when the handler has no chart. */
export function checkWalk(walked: WalkedPath & { readonly end: WalkEnd }): CheckedPath | undefined {
  const found = chartOf(walked.handler);
  if (found === undefined || walked.path.length === 0) return undefined;
  return checkPath(readChart(found.row.chart), walked.path, {
    end: walked.end,
    ...(found.entry === undefined ? {} : { entry: found.entry }),
  });
}

/** All records of test files that still exist. */
export function readRecords(directory = recordDirectory): readonly WalkRecord[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => v.parse(recordSchema, JSON.parse(line)))
    .filter(({ testFile }) => existsSync(join(projectRoot, testFile)));
}

/** One row for each chart of the table. */
export function coverageOf(records: readonly WalkRecord[]): readonly ChartCoverage[] {
  return chartTable.map((row) => {
    const drawn = new Set(readChart(row.chart).edges.map(edgeKey));
    const walked = new Set(
      records
        .filter(({ handler }) => chartOf(handler)?.row === row)
        .flatMap((record) => [...(checkWalk(record)?.edges ?? [])]),
    );
    const missing = [...drawn].filter(
      (edge) => !walked.has(edge) && row.excused?.[edge] === undefined,
    );
    return { row, drawn: drawn.size, walked: walked.size, missing };
  });
}

/** Everything that must not be: foreign paths, unwalked edges of complete charts, stale excuses. */
export function problemsOf(records: readonly WalkRecord[]): readonly string[] {
  const foreign = records.flatMap((record) => {
    const problem = checkWalk(record)?.problem;
    return problem === undefined ? [] : [`${record.testFile}, "${record.scenario}": ${problem}`];
  });
  const unwalked = coverageOf(records).flatMap(({ row, missing }) =>
    row.complete ? missing.map((edge) => `${row.chart}: no scenario walks ${edge}`) : [],
  );
  const excuses = chartTable.flatMap(({ chart, excused = {} }) => {
    const drawn = new Set(readChart(chart).edges.map(edgeKey));
    return Object.keys(excused)
      .filter((edge) => !drawn.has(edge))
      .map((edge) => `${chart}: the table excuses ${edge}, which is not drawn`);
  });
  return [...foreign, ...unwalked, ...excuses];
}

/**
 * Where the copies differ from the specification on purpose: two deferrals that return instead of
 * going on, and start nodes that bear another hook's name.
 */
const corrections: Readonly<Record<string, readonly string[]>> = {
  'leader-elected': ['defer2 --> update_config'],
  'peer-relation-changed': ['defer2 --> is_part_of_cluster'],
  'peer-relation-departed': ['node hook_fired (round, "peer-relation-changed Hook")'],
  'postgresql-pebble-ready': ['node hook_fired (round, "leader-elected Hook")'],
};

/** What the specification draws and the copies lack; empty when they only extend it. */
export function contradictions(originals: string): readonly string[] {
  return readdirSync(originals)
    .filter((name) => name.endsWith('.mmd'))
    .flatMap((file) => {
      const name = file.replace(/\.mmd$/, '');
      const original = parseChart(readFileSync(join(originals, file), 'utf8'));
      return missingFrom(readChart(name), original)
        .filter((line) => corrections[name]?.includes(line) !== true)
        .map((line) => `${name}: ${line}`);
    });
}
