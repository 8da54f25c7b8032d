/**
 * `make bench-backup`: how long backups and a restore take through the charm, compared with bare
 * pgBackRest in the same pod at its best, and with upstream's settings. Ctrl-C removes the model.
 */

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { createJuju, type Juju } from '../demo/juju.ts';
import { destroyModel } from '../demo/model.ts';
import { ensureCloud, packCharms } from '../faults/preparation.ts';
import { deploy } from './deployment.ts';
import { measureAll, type Outcome } from './measure.ts';
import { type Options, parseOptions, usage } from './options.ts';
import { type Bench, emptyRepository } from './pod.ts';
import { renderTable, rowsOf } from './rows.ts';
import { describeSettings } from './settings.ts';

const dist = path.join(import.meta.dirname, '..', '..', 'dist');

const juju = createJuju('local');
let interrupted = false;
let lastSaid = '';
let modelToRemove: string | undefined;
let filled: Bench | undefined;

async function main(options: Options): Promise<void> {
  await ensureCloud();
  if (!options.packed) await packCharms();
  modelToRemove = options.keep ? undefined : options.model;
  try {
    const charm = await deploy(unlessInterrupted, options.model, say);
    filled = charm.bench;
    await report(await measureAll(charm, options));
  } finally {
    if (!interrupted) await clearAway();
  }
}

async function report({ cores, best, trials, comparison }: Outcome): Promise<void> {
  const rows = rowsOf(comparison);
  await mkdir(dist, { recursive: true });
  await writeFile(path.join(dist, 'backup-bench.json'), text(rows));
  await writeFile(path.join(dist, 'backup-bench-sweep.json'), text({ cores, best, trials }));
  process.stdout.write(`\nbare: ${describeSettings(best)}, ${cores} cores\n\n${renderTable(rows)}`);
}

function text(document: unknown): string {
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/** What goes on beside the clearing away gets no model to work with. */
const unlessInterrupted: Juju = async (args, options) => {
  if (interrupted) throw new Error('cannot go on: the run has been interrupted');
  return await juju(args, options);
};

async function clearAway(): Promise<void> {
  if (modelToRemove === undefined) return;
  if (filled !== undefined) {
    say('emptying the repository');
    await emptyRepository(filled).catch((error: unknown) => {
      say(`the bucket keeps its objects: ${describeError(error)}`);
    });
  }
  await destroyModel(juju, modelToRemove, say);
}

/** Progress goes to standard error, and what was just said is not said again. */
function say(line: string): void {
  if (line === lastSaid) return;
  lastSaid = line;
  process.stderr.write(`${new Date().toISOString().slice(11, 19)}  ${line}\n`);
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
    process.stderr.write(`bench-backup: ${describeError(error)}\n${usage}`);
    process.exitCode = 1;
  }
}
