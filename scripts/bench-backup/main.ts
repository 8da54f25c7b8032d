/**
 * `make bench-backup`: how long backups and a restore take through the charm, compared with bare
 * pgBackRest in the same pod at its best, and with upstream's settings. Ctrl-C removes the model.
 */

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { destroyModel } from '../demo/model.ts';
import { ensureCloud, packCharms } from '../faults/preparation.ts';
import { type LongRun, runLong } from '../long-run.ts';
import { deploy } from './deployment.ts';
import { measureAll, type Outcome } from './measure.ts';
import { parseOptions, usage } from './options.ts';
import { emptyRepository } from './pod.ts';
import { renderTable, rowsOf } from './rows.ts';
import { describeSettings } from './settings.ts';

const dist = path.join(import.meta.dirname, '..', '..', 'dist');

async function main(args: readonly string[], run: LongRun): Promise<void> {
  const options = parseOptions(args);
  const { juju, lastJuju, say } = run;
  await ensureCloud();
  if (!options.packed) await packCharms();
  if (!options.keep) {
    run.atEnd(async () => {
      await destroyModel(lastJuju, options.model, say);
    });
  }
  const charm = await deploy(juju, options.model, say);
  if (!options.keep) {
    run.atEnd(async () => {
      say('emptying the repository');
      await emptyRepository(charm.bench);
    });
  }
  await report(await measureAll(charm, options));
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

await runLong({ name: 'bench-backup', usage, main });
