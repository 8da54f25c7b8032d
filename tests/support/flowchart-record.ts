// Checks the paths that a scenario walked against their charts at once, and keeps them in
// dist/flowcharts, one file for each test file, for the count of walked edges
// (scripts/flowcharts.ts).

import { appendFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join, relative } from 'node:path';

import { expect } from '@jest/globals';

import { chartOf } from './flowchart-table.ts';
import { type Chart, checkPath, parseChart, type WalkedNode } from './flowcharts.ts';

export interface WalkRecord {
  readonly testFile: string;
  readonly scenario: string;
  readonly handler: string;
  readonly path: readonly WalkedNode[];
  /** Whether the handler came to its end. */
  readonly finished: boolean;
}

const root = new URL('../../', import.meta.url).pathname;
const started = new Set<string>();

/** Throws when a walked path is no path of its chart; keeps the others. */
export function recordWalks(of: {
  readonly scenario: string;
  readonly walks: readonly { readonly handler: string; readonly path: readonly WalkedNode[] }[];
  readonly exitCode: number;
}): void {
  const { testPath } = expect.getState();
  if (testPath === undefined) throw new Error('walks can be recorded in a test only');
  const testFile = relative(root, testPath);
  for (const { handler, path } of of.walks) {
    const found = chartOf(handler);
    if (found === undefined || path.length === 0) continue;
    const finished = of.exitCode === 0;
    const { problem } = checkPath(readChart(found.row.chart), path, {
      finished,
      ...(found.entry === undefined ? {} : { entry: found.entry }),
    });
    if (problem !== undefined) throw new Error(`${handler} leaves its flowchart: ${problem}`);
    keep({ testFile, scenario: of.scenario, handler, path, finished });
  }
}

export function readChart(name: string): Chart {
  return parseChart(readFileSync(join(root, 'docs/flowcharts', `${name}.mmd`), 'utf8'));
}

function keep(record: WalkRecord): void {
  const directory = join(root, 'dist/flowcharts');
  const file = join(directory, `${basename(record.testFile, '.test.ts')}.jsonl`);
  if (!started.has(file)) {
    mkdirSync(directory, { recursive: true });
    rmSync(file, { force: true });
    started.add(file);
  }
  appendFileSync(file, `${JSON.stringify(record)}\n`);
}
