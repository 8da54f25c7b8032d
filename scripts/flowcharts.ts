// Prints, chart by chart, how many of the drawn edges the scenario tests have walked, from the
// records of their last run. With `--check` it fails for a walked path that is no path of its chart,
// for an edge of a complete chart that no scenario walks, and for a copy that contradicts the
// specification (when that is there, beside the repository or at the path of `--originals=`).

import { existsSync } from 'node:fs';
import path from 'node:path';

import {
  type ChartCoverage,
  contradictions,
  coverageOf,
  problemsOf,
  projectRoot,
  readRecords,
} from '../tests/support/flowchart-coverage.ts';

function main(args: readonly string[]): void {
  const records = readRecords();
  for (const coverage of coverageOf(records)) {
    process.stdout.write(`${describe(coverage)}\n`);
    const shown = args.includes('--missing') ? coverage.missing : [];
    for (const edge of shown) process.stdout.write(`    ${edge}\n`);
  }
  if (!args.includes('--check')) return;
  const given = args.find((arg) => arg.startsWith('--originals='))?.replace('--originals=', '');
  const problems = [
    ...(records.length === 0 ? ['no scenario has run yet'] : []),
    ...problemsOf(records),
    ...lackingIn(path.resolve(given ?? path.join(projectRoot, '../shared/flowcharts'))),
  ];
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}

function describe({ row, walked, drawn }: ChartCoverage): string {
  const mark = row.complete ? '' : ' (not complete yet)';
  return `${row.chart.padEnd(26)} ${walked} edges walked of ${drawn} drawn${mark}`;
}

function lackingIn(originals: string): readonly string[] {
  if (!existsSync(originals)) return [];
  return contradictions(originals).map((line) => `lacking in the copy of ${line}`);
}

main(process.argv.slice(2));
