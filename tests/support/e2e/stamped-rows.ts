/** Rows whose order in time is known, so that it can be told what a restore has brought back. */

import { setTimeout as sleep } from 'node:timers/promises';

import { run } from '../../../cloud/client.ts';
import { requireAction } from '../../../scripts/demo/action.ts';
import { findPrimary } from '../../../scripts/demo/cluster.ts';
import type { Server } from '../../../scripts/demo/database.ts';
import { postgresql } from '../../../scripts/demo/deploy.ts';
import type { Model } from '../../../scripts/demo/model.ts';
import { readStatus } from '../../../scripts/demo/settle.ts';
import { notYet, type Say, there, waitFor } from '../../../scripts/demo/wait.ts';

const now = `to_char(clock_timestamp() at time zone 'utc', 'YYYY-MM-DD HH24:MI:SS.US')`;

export async function makeStamps(primary: Server): Promise<void> {
  await primary.query('create table stamps (n int primary key)');
}

/** Adds a row; gives a time after it was committed and before anything else is. */
export async function stamp(model: Model, n: number): Promise<string> {
  const primary = await findPrimary(model);
  await primary.query(`insert into stamps values (${n})`);
  await sleep(1_200);
  const after = await primary.query(`select ${now}`);
  await sleep(1_200);
  return after;
}

/**
 * Adds the last row of a WAL segment, and waits until that is archived; gives a time after the row at
 * which nothing was committed any more.
 */
export async function stampLast(model: Model, n: number, say: Say): Promise<string> {
  const primary = await findPrimary(model);
  await primary.query(`insert into stamps values (${n})`);
  const sql = `set statement_timeout = 0; select pg_sleep(1.2); select ${now}; select pg_sleep(1.2); select pg_walfile_name(pg_switch_wal())`;
  const lines = (await primary.query(sql)).split('\n').filter((line) => line !== '');
  const [time = '', segment = ''] = lines;
  await awaitArchived(primary, segment, say);
  return time;
}

/** Removes the files of a backup from the repository, which goes on listing it. */
export async function breakBackup(model: Model, id: string): Promise<void> {
  const { unit } = await findPrimary(model);
  const pod = unit.replace('/', '-');
  const label = `${id.replaceAll(/[-:Z]/g, '').replace('T', '-')}F`;
  const folder = `backup/${model.name}.patroni-${postgresql}/${label}/bundle`;
  const words = [
    '-n',
    model.name,
    'exec',
    pod,
    '-c',
    'postgresql',
    '--',
    'runuser',
    '-u',
    'postgres',
  ];
  await run('kubectl', [...words, '--', 'pgbackrest', 'repo-rm', '--recurse', folder]);
}

export async function readStamps(server: Server): Promise<string> {
  return await server.query(`select string_agg(n::text, ' ' order by n) from stamps`);
}

export async function readTimeline(server: Server): Promise<string> {
  const sql = 'checkpoint; select timeline_id from pg_control_checkpoint()';
  return await server.query(sql);
}

/** Waits until all WAL that there is has reached the repository. */
export async function archiveAll(model: Model, say: Say): Promise<void> {
  const primary = await findPrimary(model);
  const segment = await primary.query('select pg_walfile_name(pg_switch_wal())');
  await awaitArchived(primary, segment, say);
}

async function awaitArchived(primary: Server, segment: string, say: Say): Promise<void> {
  await waitFor(
    async () => {
      const last = await primary.query('select last_archived_wal from pg_stat_archiver');
      return last.slice(0, 24) >= segment ? there(true) : notYet(`${segment} is not archived yet`);
    },
    { what: 'the last WAL to be archived', timeoutMs: 180_000, say },
  );
}

/** Makes a backup on the primary; gives its id. */
export async function backUp(model: Model): Promise<string> {
  const { unit } = await findPrimary(model);
  await requireAction(model, { unit, action: 'create-backup', timeoutMs: 300_000 });
  const rows = await listRows(model, unit);
  return rows.findLast((row) => row.includes('full backup'))?.split(' ')[0] ?? '';
}

/** Rows of the table that list-backups shows. */
export async function listRows(model: Model, unit: string): Promise<readonly string[]> {
  const { backups = '' } = await requireAction(model, { unit, action: 'list-backups' });
  return backups.split('\n').filter((line) => /^\d{4}-/.test(line));
}

/** Waits for the messages of all units, in the order of their names. */
export async function waitForMessages(
  model: Model,
  says: readonly RegExp[],
  say: Say,
): Promise<void> {
  await waitFor(
    async () => {
      const units = (await readStatus(model)).applications[postgresql] ?? [];
      const shown = units
        .toSorted((one, other) => one.name.localeCompare(other.name))
        .map(({ workload, message }) => `${workload}: ${message}`);
      const fits = shown.length === says.length && shown.every((text, at) => says[at]?.test(text));
      return fits ? there(true) : notYet(shown.join(' | '));
    },
    { what: `the statuses ${says.join(', ')}`, timeoutMs: 600_000, say, stableMs: 4_000 },
  );
}
