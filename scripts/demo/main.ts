/**
 * `make demo`: shows the main job on the local cloud, or with CLOUD=existing on the controller of
 * the user's own Juju client. Starts over each time it is run; exit code 1 when the data is not the
 * same at the end.
 */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { s3Info } from '../../cloud/client.ts';
import { ensureCloud, isCloudUp, packCharms, removeCloud } from './cloud.ts';
import { type S3Settings, s3Secret } from './deploy.ts';
import { describeTrouble } from './diagnosis.ts';
import { DemoError } from './failure.ts';
import { createJuju, type Juju } from './juju.ts';
import { assertOwnModel, createModel, destroyModel, type Model } from './model.ts';
import { type Options, parseOptions } from './options.ts';
import { renderPage } from './page.ts';
import { createProgress, type Progress } from './progress.ts';
import { findDifferences, type Report, renderReport } from './report.ts';
import { playStory } from './story.ts';
import { renderTimeline } from './timeline.ts';

const modelName = 'demo';
const dist = path.join(import.meta.dirname, '..', '..', 'dist');

/** Whether an interruption has to take the cloud down again, because this run brings it up. */
let ownsCloud = false;

interface Demo {
  readonly options: Options;
  readonly progress: Progress;
  readonly juju: Juju;
}

async function main(): Promise<void> {
  const options = parseOptions(process.env);
  const demo = { options, progress: createProgress(), juju: createJuju(options.where.kind) };
  const wasUp = await prepare(demo);
  const model = await demo.progress.phase(
    `make model ${modelName}`,
    async () => await remake(demo),
  );
  const report = await play(demo, model);
  process.stdout.write(`\n${renderTimeline(report.phases)}\n\n`);
  await leave(demo, wasUp);
  process.stdout.write('\nThe data is the same on every unit. Report: dist/demo-report.html\n');
}

/** Cloud and charms; whether the cloud was up before. */
async function prepare({ options, progress }: Demo): Promise<boolean> {
  const local = options.where.kind === 'local';
  const wasUp = !local || (await isCloudUp());
  ownsCloud = !wasUp && !options.keep;
  if (local) await progress.phase('bring up the local cloud', ensureCloud, 'its own progress');
  await progress.phase('pack the charms', packCharms, 'its own progress');
  return wasUp;
}

/** A fresh model; one that an interrupted run has left goes first. */
async function remake({ options, progress, juju }: Demo): Promise<Model> {
  if (options.where.kind === 'existing') await assertOwnModel(juju, modelName, s3Secret);
  await destroyModel(juju, modelName, progress.waiting);
  return await createModel(juju, modelName, progress.waiting);
}

async function play({ options, progress, juju }: Demo, model: Model): Promise<Report> {
  const s3 = await chooseStorage(options);
  try {
    const report = await playStory({ juju, model, progress, s3, image: options.image });
    await writeReport(report);
    const differences = findDifferences(report.before, report.after);
    if (differences.length === 0) return report;
    throw new DemoError(`the data is not the same: ${differences.join('; ')}`);
  } catch (error) {
    process.stdout.write(`\n${await describeTrouble(model)}\n`);
    process.stdout.write(`\nThe model ${modelName} is left as it is; make demo starts over.\n`);
    throw error;
  }
}

/** A folder of its own for each run, so that backups of an earlier one are in nobody's way. */
async function chooseStorage({ where }: Options): Promise<S3Settings> {
  const folder = `demo-${new Date()
    .toISOString()
    .replaceAll(/[^0-9]/g, '')
    .slice(0, 14)}`;
  if (where.kind === 'local') {
    return { ...(await s3Info()), bucket: 'demo', path: folder };
  }
  const { caFile, ...s3 } = where.s3;
  const ca = caFile === undefined ? {} : { caPem: await readFile(caFile, 'utf8') };
  return { ...s3, ...ca, path: folder };
}

async function writeReport(report: Report): Promise<void> {
  await mkdir(dist, { recursive: true });
  await writeFile(path.join(dist, 'demo-report.json'), renderReport(report));
  await writeFile(path.join(dist, 'demo-report.html'), renderPage(report));
}

/** Leaves things as they were found, unless the user wants to look around. */
async function leave({ options, progress, juju }: Demo, wasUp: boolean): Promise<void> {
  const local = options.where.kind === 'local';
  if (options.keep) {
    process.stdout.write(renderNextSteps(local ? 'cloud/juju' : 'juju'));
    return;
  }
  await progress.phase(`remove model ${modelName}`, async () => {
    await destroyModel(juju, modelName, progress.waiting);
  });
  if (!local) return;
  if (wasUp) progress.note('the local cloud was up before and stays up (make cloud-down stops it)');
  else await progress.phase('take the local cloud down', removeCloud);
}

function renderNextSteps(juju: string): string {
  return `
The model ${modelName} is yours. Try:
  ${juju} status -m ${modelName}
  ${juju} run -m ${modelName} postgresql-k8s/leader get-primary
  ${juju} run -m ${modelName} postgresql-k8s/leader list-backups
  ${juju} ssh -m ${modelName} --container postgresql postgresql-k8s/0
  ${juju} scale-application -m ${modelName} postgresql-k8s 2
  ${juju} debug-log -m ${modelName}
  ${juju} destroy-model ${modelName} --destroy-storage --force
`;
}

function fail(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  const hint = error instanceof DemoError && error.hint !== undefined ? `\n${error.hint}` : '';
  process.stderr.write(`\ndemo: ${message}${hint}\n`);
  process.exitCode = 1;
}

let interrupted = false;

async function clearAway(): Promise<void> {
  if (ownsCloud) await removeCloud();
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  // make passes the terminal's signal on, so it comes twice.
  process.on(signal, () => {
    if (interrupted) return;
    interrupted = true;
    process.stderr.write('\ndemo: interrupted; make demo starts over\n');
    void clearAway().finally(() => {
      process.exit(130);
    });
  });
}

try {
  await main();
} catch (error) {
  if (!interrupted) fail(error);
}
