// A trial restore with the real programs: pgBackRest, PostgreSQL, and Pebble, which runs them. Beside a
// live server that is not to notice anything.

import { readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { execa } from 'execa';

import { systemClock } from '../../lib/base/clock.ts';
import { createPebble } from '../../lib/pebble/client.ts';
import type { Pebble } from '../../lib/pebble/pebble.ts';
import { connectSql, type SqlConnection } from '../../lib/sql/connection.ts';
import { sql } from '../../lib/sql/sql.ts';
import { backup, createStanza, info } from '../../src/adapters/pgbackrest.ts';
import { restoreBeside } from '../../src/adapters/repository-check.ts';
import { removeTrial, type TrialResult, tryRestore } from '../../src/adapters/trial-restore.ts';
import {
  askTrial,
  dataOf,
  makePlace,
  startTrial,
  type TrialPlace,
  tablespacesOf,
} from '../../src/adapters/trial-server.ts';
import type { Backup } from '../../src/core/backups/backup-list.ts';
import { type PebbleDaemon, startPebbleDaemon } from '../support/pebble-daemon.ts';
import { type PgbackrestProgram, startPgbackrest } from '../support/pgbackrest-program.ts';

const stanza = 'model.patroni-app';
let program: PgbackrestProgram;
let daemon: PebbleDaemon;
let pebble: Pebble;
let admin: SqlConnection;
let place: TrialPlace;

/** Of the live server: nothing of it may change by a trial. */
async function look() {
  const folder = dirname(program.server.socket);
  const rows = await admin.query(sql`
    SELECT pg_catalog.pg_postmaster_start_time()::text AS started,
           (SELECT pg_catalog.count(*)::int FROM kept) AS kept,
           (SELECT pg_catalog.count(*)::int FROM pg_catalog.pg_replication_slots) AS slots`);
  return {
    rows,
    repository: await program.files(),
    process: await readFile(join(folder, 'data/postmaster.pid'), 'utf8'),
    tablespace: (await execa('find', [join(folder, 'space'), '-type', 'f'])).stdout,
  };
}

beforeAll(async () => {
  program = await startPgbackrest(stanza);
  daemon = await startPebbleDaemon({ PGBACKREST_CONFIG: program.config });
  pebble = createPebble({
    container: 'postgresql',
    socketPath: daemon.socketPath,
    clock: systemClock,
  });
  place = { directory: join(daemon.folder, 'trial-restore'), binDir: program.server.binaries };
  admin = await connectSql({ ...program.server, database: 'postgres' });
  const space = join(dirname(program.server.socket), 'space');
  await pebble.makeDir(space, { user: 'postgres', group: 'postgres', mode: '0700' });
  await program.configure(['repo1-bundle=y', 'compress-type=zst']);
  await createStanza(pebble, stanza);
  const psql = join(program.server.binaries, 'psql');
  const statements = [
    `CREATE TABLESPACE space LOCATION '${space}'`,
    'CREATE TABLE kept TABLESPACE space AS SELECT generate_series(1, 10000) AS n',
    'CREATE INDEX ON kept (n)',
    // Makes what autovacuum would make later.
    'VACUUM ANALYZE kept',
    // What is left of ALTER SYSTEM must not lead to the live server's places.
    "ALTER SYSTEM SET unix_socket_permissions = '0777'",
    `ALTER SYSTEM SET archive_command = 'touch ${daemon.folder}/archived'`,
    'ALTER SYSTEM SET shared_preload_libraries = missing_library',
  ];
  for (const statement of statements) {
    const { server } = program;
    await execa(psql, ['-d', 'postgres', '-c', statement], {
      env: {
        PGHOST: server.host,
        PGPORT: `${server.port}`,
        PGUSER: server.user,
        PGPASSWORD: server.password.reveal(),
      },
    });
  }
  await backup(pebble, {
    stanza,
    type: 'full',
    replica: false,
    clock: systemClock,
    onLine: () => undefined,
  });
}, 600_000);

afterAll(async () => {
  await admin?.close();
  await daemon?.stop();
  await program?.stop();
});

let before: Awaited<ReturnType<typeof look>>;

beforeEach(async () => {
  before = await look();
});

afterEach(async () => {
  expect(await look()).toEqual(before);
  expect(await pebble.stat(place.directory)).toBeUndefined();
  expect(await pebble.stat(join(daemon.folder, 'archived'))).toBeUndefined();
});

async function newest(): Promise<Backup> {
  const backups = (await info(pebble)).flatMap((one) => one.backups);
  const last = backups.at(-1);
  if (last === undefined) throw new Error('there is no backup');
  return last;
}

const said: string[] = [];

async function attempt(): Promise<TrialResult> {
  const { label } = await newest();
  const say = async (text: string): Promise<void> => {
    said.push(text);
    await Promise.resolve();
  };
  return await tryRestore({ pebble, clock: systemClock }, { place, stanza, label, say });
}

test('a backup becomes a database that is looked at and removed', async () => {
  const result = await attempt();

  expect(result).toMatchObject({ databases: 3, checkedBy: 'pg_amcheck' });
  expect(result.bytes).toBeGreaterThan(20_000_000);
  expect(said.at(-1)).toBe('it answers, with 3 databases; their pages are checked');
});

test('one bit that has turned in a backup is found', async () => {
  const { label } = await newest();
  const files = await program.files();
  const path = files.find((file) => file.startsWith(`backup/${stanza}/${label}/bundle/`)) ?? '';
  await program.damage(path);
  try {
    await expect(attempt()).rejects.toThrow(/^cannot run pgbackrest restore: /);
  } finally {
    await program.damage(path);
  }
});

test('WAL that is missing is found', async () => {
  const { walStop = '' } = await newest();
  const files = await program.files();
  const path = join(
    repositoryOf(program),
    files.find((file) => file.includes(`/${walStop}-`)) ?? '',
  );
  await rename(path, `${path}.away`);
  try {
    await expect(attempt()).rejects.toThrow(/^PostgreSQL does not start: FATAL: /);
  } finally {
    await rename(`${path}.away`, path);
  }
});

function repositoryOf({ config }: PgbackrestProgram): string {
  return join(dirname(config), 'repo');
}

async function leaveTrial(): Promise<number> {
  const { label } = await newest();
  await makePlace(pebble, place);
  await restoreBeside(pebble, {
    stanza,
    label,
    dataDirectory: dataOf(place),
    tablespaces: tablespacesOf(place),
    onLine: () => undefined,
  });
  await startTrial({ pebble, clock: systemClock }, place);
  const lock = await readFile(join(dataOf(place), 'postmaster.pid'), 'utf8');
  return Number(lock.split('\n')[0]);
}

test('a trial that was cut short is ended and taken away, with its server', async () => {
  const pid = await leaveTrial();
  expect((await askTrial(pebble, place)).databases).toBe(3);
  expect(() => process.kill(pid, 0)).not.toThrow();

  expect(await removeTrial(pebble, place)).toBe(true);

  expect(() => process.kill(pid, 0)).toThrow(/ESRCH/);
  expect(await removeTrial(pebble, place)).toBe(false);
});

test('its server listens to nobody, and pushes no WAL', async () => {
  await leaveTrial();
  const psql = ['-h', place.directory, '-p', '5433', '-U', 'operator', '-d', 'postgres'];
  const ask = async (statement: string) =>
    (await execa(join(place.binDir, 'psql'), [...psql, '-XAtc', statement])).stdout;

  expect(await ask('SHOW listen_addresses')).toBe('');
  expect(await ask('SHOW archive_mode')).toBe('off');
  expect(await ask('SHOW shared_preload_libraries')).toBe('');
  expect(await ask('SELECT pg_switch_wal() IS NOT NULL, pg_is_in_recovery()')).toBe('t|f');
  expect(await ask('SELECT count(*) FROM kept')).toBe('10000');
  await ask('DELETE FROM kept');
  await removeTrial(pebble, place);
});

test('a process that has the number of a dead trial is left alone', async () => {
  await makePlace(pebble, place);
  const [live = ''] = before.process.split('\n');
  await writeFile(join(dataOf(place), 'postmaster.pid'), `${live}\n${dataOf(place)}\n`);

  expect(await removeTrial(pebble, place)).toBe(true);
});
