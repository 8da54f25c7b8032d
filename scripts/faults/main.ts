/**
 * `make faults`: breaks a cluster in every way of the catalogue while a client writes to it, and
 * says what the client noticed. Ctrl-C undoes what is broken at that moment and removes the model.
 */

import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { createJuju, type Juju } from '../demo/juju.ts';
import { destroyModel } from '../demo/model.ts';
import { chooseFaults } from './catalogue.ts';
import { inOrder, readEarlier } from './earlier.ts';
import { playMatrix } from './matrix.ts';
import { type Options, parseOptions, usage } from './options.ts';
import { writePlots } from './plot-files.ts';
import { ensureCloud, packCharms } from './preparation.ts';
import { hasPassed, type Result } from './result.ts';
import type { Played } from './stage.ts';
import { renderRows, summarise } from './summary.ts';
import { createUndoList } from './undo.ts';

const dist = path.join(import.meta.dirname, '..', '..', 'dist');
const resultsFile = path.join(dist, 'faults.json');
const folder = path.join(dist, 'faults');

const juju = createJuju('local');
const undo = createUndoList(say);
let interrupted = false;
let lastSaid = '';
let modelToRemove: string | undefined;

async function main(options: Options): Promise<void> {
  const faults = chooseFaults(options.names);
  const earlier = await readEarlier(resultsFile, faults);
  await ensureCloud();
  if (options.charm === undefined) await packCharms();
  modelToRemove = options.keep ? undefined : options.model;
  const played: Played[] = [];
  try {
    await playMatrix({
      ...options,
      juju: unlessInterrupted,
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
  } finally {
    if (!interrupted) await clearAway();
  }
  const results = played.map(({ result }) => result);
  process.stdout.write(
    options.format === 'json' ? renderResults(results) : `\n${renderRows(summarise(results))}`,
  );
  if (!results.every(hasPassed)) process.exitCode = 1;
}

/** What goes on beside the clearing away gets no model to work with. */
const unlessInterrupted: Juju = async (args, options) => {
  if (interrupted) throw new Error('cannot go on: the run has been interrupted');
  return await juju(args, options);
};

async function clearAway(): Promise<void> {
  await undo.close();
  if (modelToRemove !== undefined) await destroyModel(juju, modelToRemove, say);
}

function renderResults(results: readonly Result[]): string {
  return `${JSON.stringify(results, undefined, 2)}\n`;
}

function describeResult(result: Result): string {
  const { write_gap_s: gap, acknowledged, lost, duplicated, recovered, load, problem } = result;
  const whole = recovered === null ? 'not recovered' : `recovered after ${recovered} s`;
  const end = problem === null ? '' : ` (${problem})`;
  return `${hasPassed(result) ? 'ok' : 'FAILED'}: gap ${gap} s, ${acknowledged} acknowledged, ${lost ?? '?'} lost, ${duplicated ?? '?'} duplicated, ${whole}, load ${load}${end}`;
}

/**
 * Progress goes to standard error, so that standard output holds the results alone; what was just
 * said is not said again.
 */
function say(text: string): void {
  if (text === lastSaid) return;
  lastSaid = text;
  process.stderr.write(`${new Date().toISOString().slice(11, 19)}  ${text}\n`);
}

function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // make passes the terminal's signal on, so it comes twice.
  process.on(signal, () => {
    if (interrupted) return;
    interrupted = true;
    say('interrupted: clearing away');
    void clearAway()
      .catch((error: unknown) => {
        say(describeError(error));
      })
      .finally(() => {
        process.exit(130);
      });
  });
}

try {
  await main(parseOptions(process.argv.slice(2)));
} catch (error) {
  if (!interrupted) {
    process.stderr.write(`faults: ${describeError(error)}\n${usage}`);
    process.exitCode = 1;
  }
}
