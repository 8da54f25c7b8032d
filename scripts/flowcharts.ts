// Prints, chart by chart, how many of the drawn edges the scenario tests have walked, from the
// records of their last run. With `--check` it fails for a walked path that is no path of its chart,
// for an edge of a complete chart that no scenario walks, and for a copy that contradicts the
// specification (when that is there, beside the repository or at the path of `--originals=`).

import { existsSync } from 'node:fs';
import path from 'node:path';

import {
  contradictions,
  coverageOf,
  problemsOf,
  projectRoot,
  readRecords,
} from '../tests/support/flowchart-coverage.ts';

function main(args: readonly string[]): void {
  const records = readRecords();
  for (const { row, walked, drawn, missing } of coverageOf(records)) {
    const mark = row.complete ? '' : ' (not complete yet)';
    process.stdout.write(`${row.chart.padEnd(26)} ${walked} edges walked of ${drawn} drawn${mark}\n`);
    if (args.includes('--missing')) for (const edge of missing) process.stdout.write(`    ${edge}\n`);
  }
  if (!args.includes('--check')) return;
  const given = args.find((arg) => arg.startsWith('--originals='))?.replace('--originals=', '');
  const originals = path.resolve(given ?? path.join(projectRoot, '../shared/flowcharts'));
  const problems = [
    ...(records.length === 0 ? ['no scenario has run yet'] : []),
    ...problemsOf(records),
    ...(existsSync(originals) ? contradictions(originals).map((line) => `lacking in the copy of ${line}`) : []),
  ];
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}

main(process.argv.slice(2));
