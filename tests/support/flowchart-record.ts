// Checks the paths that a scenario walked against their charts at once, and keeps them in
// dist/flowcharts, one file for each test file, for the count of walked edges
// (scripts/flowcharts.ts). A test file that holds all scenarios of a chart ends with
// `expectCompleteChart`, which fails for every edge that they do not walk.

import { appendFileSync, mkdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';

import { expect, test } from '@jest/globals';

import type { WalkEnd, WalkedPath } from '../../lib/juju/walk.ts';
import {
  checkWalk,
  coverageOf,
  projectRoot,
  recordDirectory,
  type WalkRecord,
} from './flowchart-coverage.ts';

const records: WalkRecord[] = [];
const started = new Set<string>();

/** Throws when a walked path is no path of its chart; keeps the others. */
export function recordWalks(
  scenario: string,
  walks: readonly (WalkedPath & { readonly end: WalkEnd })[],
): void {
  const { testPath } = expect.getState();
  if (testPath === undefined) throw new Error('walks can be recorded in a test only');
  const testFile = relative(projectRoot, testPath);
  for (const walked of walks) {
    const problem = checkWalk(walked)?.problem;
    if (problem !== undefined)
      throw new Error(`${walked.handler} leaves its flowchart: ${problem}`);
    const record = { testFile, scenario, ...walked };
    records.push(record);
    keep(record);
  }
}

/** Declares the test that the scenarios of this file walk every edge of the chart. Comes last. */
export function expectCompleteChart(chart: string): void {
  test(`the scenarios walk every edge of ${chart}`, () => {
    const coverage = coverageOf(records).find(({ row }) => row.chart === chart);

    expect(coverage?.missing).toEqual([]);
  });
}

function keep(record: WalkRecord): void {
  const file = join(recordDirectory, `${record.testFile.replaceAll('/', '_')}.jsonl`);
  if (!started.has(file)) {
    mkdirSync(recordDirectory, { recursive: true });
    rmSync(file, { force: true });
    started.add(file);
  }
  appendFileSync(file, `${JSON.stringify(record)}\n`);
}
