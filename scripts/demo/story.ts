/**
 * The main job in a model of its own: deploy, back up, destroy, restore, compare. Each phase waits
 * until what it did can be seen.
 */

import { requireAction } from './action.ts';
import { type Backup, parseBackups } from './backups.ts';
import { readTableSums, renderTableSums } from './checksums.ts';
import {
  findPrimary,
  listUnits,
  waitUntilAlone,
  waitUntilArchiving,
  waitUntilReplicated,
} from './cluster.ts';
import { openServer, type Server } from './database.ts';
import {
  deployPostgresql,
  deployS3Integrator,
  integrateS3,
  postgresql,
  type S3Settings,
  s3Integrator,
  scalePostgresql,
} from './deploy.ts';
import { DemoError } from './failure.ts';
import type { Juju } from './juju.ts';
import { database, dropTables, loadDocuments, loadPgbench, runPgbench } from './load.ts';
import type { Model } from './model.ts';
import type { Progress } from './progress.ts';
import { findDifferences, type Report, type TableSums } from './report.ts';
import { readStatus, waitUntilSettled } from './settle.ts';
import { readVersions } from './versions.ts';
import { notYet, there, waitFor } from './wait.ts';

export interface Stage {
  readonly juju: Juju;
  readonly model: Model;
  readonly progress: Progress;
  readonly s3: S3Settings;
  readonly image: string;
}

const units = 3;

/** Plays it through; whether the data is the same is for the caller to judge. */
export async function playStory(stage: Stage): Promise<Report> {
  await setUp(stage);
  const before = await loadData(stage);
  const versions = await readVersions(stage.juju, await findPrimary(stage.model));
  const backups = await backUp(stage);
  await destroyData(stage);
  await bringBack(stage, backups, before);
  const after = await compare(stage, before);
  return { phases: [...stage.progress.phases], before, after, backups, versions };
}

async function settle(stage: Stage, count: number): Promise<void> {
  const expected = { [postgresql]: count, [s3Integrator]: 1 };
  await waitUntilSettled(stage.model, expected, { say: stage.progress.waiting });
}

async function setUp(stage: Stage): Promise<void> {
  const { model, progress, s3, image } = stage;
  await progress.phase('deploy three units and s3-integrator', async () => {
    await deployPostgresql(model, { units, image });
    await deployS3Integrator(model, s3);
  });
  await progress.phase('wait until all units are active', async () => {
    await settle(stage, units);
  });
  await progress.phase('integrate with S3 and initialise the storage', async () => {
    await integrateS3(model);
    await waitUntilArchiving(model, progress.waiting);
    await settle(stage, units);
  });
}

async function loadData(stage: Stage): Promise<TableSums> {
  const { model, progress } = stage;
  await progress.phase('load pgbench tables of scale 20 and real text', async () => {
    const primary = await findPrimary(model);
    progress.waiting(`the primary, ${primary.unit}, to load 2,000,000 accounts`);
    await loadPgbench(primary);
    progress.waiting(`the primary, ${primary.unit}, to load texts`);
    await loadDocuments(primary);
    progress.waiting('transactions that leave a history');
    await runPgbench(primary);
  });
  return await progress.phase('count rows and compute checksums', async () => {
    const sums = await readTableSums(await findPrimary(model), database);
    progress.note(renderTableSums(sums));
    return sums;
  });
}

async function backUp(stage: Stage): Promise<readonly Backup[]> {
  const { model, progress } = stage;
  await progress.phase('create a backup', async () => {
    const { unit } = await findPrimary(model);
    const timeoutMs = 600_000;
    await requireAction(model, { unit, action: 'create-backup', timeoutMs });
  });
  return await progress.phase('list backups', async () => {
    const { unit } = await findPrimary(model);
    const results = await requireAction(model, { unit, action: 'list-backups' });
    const table = results['backups'] ?? '';
    progress.note(table);
    const backups = parseBackups(table);
    if (backups.some(({ status }) => status === 'finished')) return backups;
    throw new DemoError('cannot go on: list-backups shows no finished backup');
  });
}

async function destroyData(stage: Stage): Promise<void> {
  const { model, progress } = stage;
  await progress.phase('scale to one unit', async () => {
    await scalePostgresql(model, 1);
    await settle(stage, 1);
    await waitUntilAlone(await findPrimary(model), progress.waiting);
    await settle(stage, 1);
  });
  await progress.phase('drop all tables', async () => {
    const primary = await findPrimary(model);
    await dropTables(primary);
    const left = Object.keys(await readTableSums(primary, database));
    if (left.length > 0) throw new DemoError(`cannot go on: ${left.join(', ')} not dropped`);
    progress.note(`${primary.unit} has no tables any more`);
  });
}

async function bringBack(stage: Stage, backups: readonly Backup[], before: TableSums) {
  const { model, progress } = stage;
  const backup = backups.findLast(({ status }) => status === 'finished');
  if (backup === undefined) throw new DemoError('cannot go on: there is no backup to restore');
  await progress.phase(`restore backup ${backup.id}`, async () => {
    const { unit } = await findPrimary(model);
    const params = { 'backup-id': backup.id };
    await requireAction(model, { unit, action: 'restore', params, timeoutMs: 300_000 });
    await settle(stage, 1);
    await waitUntilTablesAreBack(stage, openServer(model, unit), Object.keys(before).length);
  });
  await progress.phase('scale to three units', async () => {
    await scalePostgresql(model, units);
    await settle(stage, units);
    const servers = listUnits(await readStatus(model)).map((unit) => openServer(model, unit));
    await waitUntilReplicated(model, servers, progress.waiting);
  });
}

async function waitUntilTablesAreBack(stage: Stage, server: Server, count: number): Promise<void> {
  const sql = `select count(*) from pg_catalog.pg_tables where schemaname = 'public'`;
  await waitFor(
    async () => {
      const found = Number(await server.query(sql, { database }));
      return found >= count ? there(true) : notYet(`${found} of ${count} tables are back`);
    },
    { what: 'the tables to be back', timeoutMs: 120_000, say: stage.progress.waiting },
  );
}

async function compare(stage: Stage, before: TableSums): Promise<Report['after']> {
  const { model, progress } = stage;
  return await progress.phase('compare checksums on every unit', async () => {
    const after: Record<string, TableSums> = {};
    for (const unit of listUnits(await readStatus(model))) {
      progress.waiting(unit);
      after[unit] = await readTableSums(openServer(model, unit), database);
    }
    for (const [unit, sums] of Object.entries(after)) {
      const same = findDifferences(before, { [unit]: sums }).length === 0;
      progress.note(`${same ? 'the same' : 'DIFFERENT'} on ${unit}\n${renderTableSums(sums)}`);
    }
    return after;
  });
}
