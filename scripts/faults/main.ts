/**
 * `make faults`: breaks a cluster in every way of the catalogue while a client writes to it, and
 * says what the client noticed. Ctrl-C undoes what is broken at that moment and removes the model.
 */

import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { destroyModel } from '../demo/model.ts';
import { type LongRun, runLong } from '../long-run.ts';
import { chooseFaults } from './catalogue.ts';
import { inOrder, readEarlier } from './earlier.ts';
import { playMatrix } from './matrix.ts';
import { parseOptions, usage } from './options.ts';
import { writePlots } from './plot-files.ts';
import { ensureCloud, packCharms } from './preparation.ts';
import { hasPassed, type Result } from './result.ts';
import type { Played } from './stage.ts';
import { renderRows, summarise } from './summary.ts';
import { createUndoList } from './undo.ts';

const dist = path.join(import.meta.dirname, '..', '..', 'dist');
const resultsFile = path.join(dist, 'faults.json');
const folder = path.join(dist, 'faults');

async function main(args: readonly string[], run: LongRun): Promise<void> {
  const options = parseOptions(args);
  const faults = chooseFaults(options.names);
  const { juju, say } = run;
  const earlier = await readEarlier(resultsFile, faults, say);
  await ensureCloud();
  if (options.charm === undefined) await packCharms();
  const undo = createUndoList(say);
  if (!options.keep) {
    run.atEnd(async () => {
      await destroyModel(run.lastJuju, options.model, say);
    });
  }
  run.atEnd(async () => {
    await undo.close();
  });
  const played: Played[] = [];
  await playMatrix({
    ...options,
    juju,
    faults,
    undo,
    folder,
    say,
    onRound: async (one) => {
      played.push(one);
      say(describeResult(one.result));
      const all = inOrder([...earlier, ...played.map(({ result }) => result)]);
      await writeFile(resultsFile, renderResults(all));
      await writePlots(folder, { played, all });
    },
  });
  const results = played.map(({ result }) => result);
  process.stdout.write(
    options.format === 'json' ? renderResults(results) : `\n${renderRows(summarise(results))}`,
  );
  if (!results.every(hasPassed)) process.exitCode = 1;
}

function renderResults(results: readonly Result[]): string {
  return `${JSON.stringify(results, undefined, 2)}\n`;
}

function describeResult(result: Result): string {
  const { write_gap_s: gap, acknowledged, lost, duplicated, load, problem } = result;
  const whole = result.recovered ? `recovered after ${result.recovered_s} s` : 'not recovered';
  const late = result.right_in_time === false ? `, ${describeLate(result)}` : '';
  const end = problem === null ? '' : ` (${problem})`;
  return `${hasPassed(result) ? 'ok' : 'FAILED'}: gap ${gap} s, ${acknowledged} acknowledged, ${lost ?? '?'} lost, ${duplicated ?? '?'} duplicated, ${whole}${late}, load ${load}${end}`;
}

function describeLate(result: Result): string {
  const { statuses_right_s: statuses, labels_right_s: labels, endpoints_right_s: ends } = result;
  return `right too late: statuses ${statuses ?? 'never'}, labels ${labels ?? 'never'}, endpoints ${ends ?? 'never'}`;
}

await runLong({ name: 'faults', usage, main });
