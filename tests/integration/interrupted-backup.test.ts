// A backup that is killed in the middle, with the real pgBackRest: what it leaves, what is listed, and
// that the next one leaves nothing of it.

import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { systemClock } from '../../lib/base/clock.ts';
import { poll } from '../../lib/base/retry.ts';
import { connectSql } from '../../lib/sql/connection.ts';
import { sql } from '../../lib/sql/sql.ts';
import { backup, createStanza, info } from '../../src/adapters/pgbackrest.ts';
import { verifyStanza } from '../../src/adapters/repository-check.ts';
import { oddFolders } from '../../src/core/backups/repository-state.ts';
import { type PgbackrestProgram, startPgbackrest } from '../support/pgbackrest-program.ts';

const stanza = 'model.patroni-app';
let program: PgbackrestProgram;

beforeAll(async () => {
  program = await startPgbackrest(stanza, { onDisk: true });
  // First of all: an archiver that has failed takes a minute until it tries again.
  await createStanza(program.pebble, stanza);
  const connection = await connectSql({ ...program.server, database: 'postgres' });
  await connection.query(sql`
    CREATE TABLE large AS
    SELECT n, pg_catalog.md5(n::text) FROM pg_catalog.generate_series(1, 1000000) AS n`);
  await connection.close();
}, 600_000);

afterAll(async () => {
  await program?.stop();
});

async function make(): Promise<void> {
  await backup(program.pebble, {
    stanza,
    type: 'full',
    replica: false,
    clock: systemClock,
    onLine: () => undefined,
  });
}

async function own() {
  const [only] = await info(program.pebble);
  if (only === undefined) throw new Error('there is no stanza');
  return only;
}

/** As list-backups looks at the folders of the stanza. */
async function leftovers() {
  const start = `backup/${stanza}/`;
  const names = (await program.files())
    .filter((path) => path.startsWith(start))
    .map((path) => path.slice(start.length).replace(/\/.*$/, '/'));
  return oddFolders([...new Set(names)], (await own()).backups);
}

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  const found = await poll({ clock: systemClock, intervalMs: 20, timeoutMs: 120_000 }, look);
  if (found === undefined) throw new Error('it does not come to that');
  return found;
}

/** Its first process, as pgBackRest's lock names it, when it has begun to copy. */
async function killBackup(): Promise<void> {
  const folder = dirname(program.config);
  await until(async () => {
    const manifests = (await program.files()).filter((path) => path.includes('/backup.manifest'));
    return manifests.length % 2 === 1 ? true : undefined;
  });
  // Newer versions have one for each repository.
  const [name = ''] = (await readdir(folder)).filter((file) => /-backup(-1)?\.lock$/.test(file));
  const lock = await readFile(join(folder, name), 'utf8');
  process.kill(Number(/"pid":(\d+)/.exec(lock)?.[1]), 'SIGKILL');
}

test.each([
  { how: 'in bundles', lines: ['repo1-bundle=y'] },
  { how: 'file by file', lines: ['repo1-bundle=n'] },
])(
  'a backup $how that was killed is not listed, and the next leaves nothing of it',
  async ({ lines }) => {
    await program.configure([...lines, 'compress-type=zst', 'repo1-retention-full=9']);
    const before = (await own()).backups;

    const killed = make();
    await Promise.all([expect(killed).rejects.toThrow(/pgbackrest backup/), killBackup()]);

    // What a worker of it has begun it ends, and holds the lock until then.
    await until(async () => ((await own()).lock === undefined ? true : undefined));
    expect((await own()).backups).toEqual(before);
    expect(await leftovers()).toEqual([expect.objectContaining({ kind: 'unfinished' })]);
    expect(await verifyStanza(program.pebble, stanza)).toMatchObject({ content: true });

    await make();

    expect((await own()).backups).toEqual([...before, expect.objectContaining({ type: 'full' })]);
    expect(await leftovers()).toEqual([]);
    const verification = await verifyStanza(program.pebble, stanza);
    expect(verification.content).toBe(true);
    expect(verification.backups.at(-1)?.status).toBe('valid');
  },
);
