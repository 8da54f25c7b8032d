// Does what docs/how-to/restore-without-the-charm.md says, with its own words: a repository in S3 that
// was written with the charm's configuration is restored by pgBackRest and PostgreSQL alone.

import { chmod, chown, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execa } from 'execa';

import { systemClock } from '../../lib/base/clock.ts';
import { poll } from '../../lib/base/retry.ts';
import { Secret } from '../../lib/base/secret.ts';
import { repository } from '../../scripts/charms.ts';
import { openObjectStore } from '../../src/adapters/object-store.ts';
import { usualSpeed } from '../../src/core/backups/speed.ts';
import { renderIni } from '../../src/core/render/ini.ts';
import { renderPgbackrest } from '../../src/core/render/pgbackrest.ts';
import { makeTemporaryFolder } from '../support/child-server.ts';
import { ensurePgbackrest } from '../support/pgbackrest-program.ts';
import { type PostgresServer, startPostgresServer } from '../support/postgres-server.ts';
import { type S3Server, startS3Server } from '../support/s3-server.ts';

const stanza = 'model.patroni-postgresql-k8s';
const keys = { accessKey: 'rescue-access', secretKey: 'rescue-secret' };
const [bucket, path, region] = ['backups', '/postgresql', 'eu-1'];

/** Scripts of the page, by the word behind their language. */
const page = await readFile(join(repository, 'docs/how-to/restore-without-the-charm.md'), 'utf8');
const scripts = new Map(
  [...page.matchAll(/^```sh (\w+)\n(.*?)^```$/gms)].map(([, name = '', text = '']) => [name, text]),
);

let folder: Awaited<ReturnType<typeof makeTemporaryFolder>>;
let s3: S3Server;
/** Between the second and the third row. */
let moment = '';
let environment: Readonly<Record<string, string>> = {};
let binaries = '';

beforeAll(async () => {
  await ensurePgbackrest();
  folder = await makeTemporaryFolder('rescue');
  s3 = await startS3Server({ ...keys, region });
  const archiver = join(folder.path, 'pgbackrest');
  const server = await startPostgresServer({
    archive_mode: 'on',
    archive_command: `${archiver} --stanza=${stanza} archive-push %p`,
  });
  try {
    binaries = server.binaries;
    await giveAway(folder.path, await stat(dirname(server.socket)));
    await writeRepository(server, archiver);
  } finally {
    // The cluster is gone.
    await server.stop();
  }
}, 600_000);

afterAll(async () => {
  await s3?.stop();
  await folder?.remove();
});

async function giveAway(
  file: string,
  { uid, gid }: { readonly uid: number; readonly gid: number },
) {
  await chown(file, uid, gid);
}

/** What the charm and pgBackRest leave in a bucket, between them. */
async function writeRepository(server: PostgresServer, archiver: string): Promise<void> {
  const store = openObjectStore({
    endpoint: s3.endpoint,
    region,
    bucket,
    uriStyle: 'path',
    accessKey: new Secret(keys.accessKey),
    secretKey: new Secret(keys.secretKey),
    caChain: s3.certificate.pem,
  });
  await store.ensureBucket();
  await store.put('postgresql/model-uuid.txt', 'uuid');
  await writeConfig(server, archiver);
  const owner = { uid: (await stat(folder.path)).uid };
  const backup = async (...args: readonly string[]) =>
    await execa(archiver, [`--stanza=${stanza}`, ...args], { ...owner, cwd: folder.path });
  const ask = async (statement: string) => await askServer(server, statement);

  await ask('CREATE ROLE backup SUPERUSER LOGIN');
  await ask('CREATE ROLE monitoring LOGIN');
  await ask('CREATE TABLE kept (row text)');
  await backup('--no-online', 'stanza-create');
  await ask("INSERT INTO kept VALUES ('of the full backup')");
  await backup('--type=full', 'backup');
  await store.put(`postgresql/backup/${stanza}/latest`, 'Date Backup Requested: …\n');
  await store.put(`postgresql/backup/${stanza}/2026-01-31T12:00:00Z/backup.log`, 'Stdout:\n');
  await ask("INSERT INTO kept VALUES ('of the increment')");
  await backup('--type=incr', 'backup');
  await ask("INSERT INTO kept VALUES ('of the WAL')");
  moment = await ask('SELECT pg_catalog.clock_timestamp()');
  await systemClock.sleep(1_000);
  await ask("INSERT INTO kept VALUES ('too late')");
  const segment = await ask('SELECT pg_walfile_name(pg_switch_wal())');
  const archived = await poll(
    { clock: systemClock, intervalMs: 200, timeoutMs: 90_000 },
    async () => {
      const last = await ask('SELECT last_archived_wal FROM pg_stat_archiver');
      return last >= segment ? last : undefined;
    },
  );
  if (archived === undefined) throw new Error(`nothing is archived: ${server.log()}`);
}

/** The charm's file; only paths of this machine are told otherwise. */
async function writeConfig(server: PostgresServer, archiver: string): Promise<void> {
  const document = renderPgbackrest({
    stanza,
    endpoint: s3.endpoint,
    bucket,
    path,
    region,
    uriStyle: 'path',
    speed: usualSpeed,
    accessKey: new Secret(keys.accessKey),
    secretKey: new Secret(keys.secretKey),
    hasCaChain: true,
    retention: { kind: 'count', fullBackups: 9 },
    cores: 2,
    tlsPeers: [],
  });
  const authority = join(folder.path, 'ca.pem');
  const config = join(folder.path, 'charm.conf');
  await writeFile(authority, s3.certificate.pem);
  await writeFile(config, renderIni(document));
  const home = dirname(server.socket);
  const own = {
    PGBACKREST_CONFIG: config,
    PGBACKREST_REPO1_STORAGE_CA_FILE: authority,
    PGBACKREST_PG1_PATH: join(home, 'data'),
    PGBACKREST_PG1_SOCKET_PATH: home,
    PGBACKREST_PG1_PORT: `${server.port}`,
    PGBACKREST_LOCK_PATH: folder.path,
    ...(await betaOf()),
  };
  const exported = Object.entries(own).map(([name, value]) => `export ${name}='${value}'\n`);
  await writeFile(archiver, `#!/bin/sh\n${exported.join('')}exec pgbackrest "$@"\n`);
  await chmod(archiver, 0o755);
  environment = {
    STANZA: stanza,
    REPO_PATH: path,
    S3_ENDPOINT: s3.endpoint,
    S3_BUCKET: bucket,
    S3_REGION: region,
    S3_KEY: keys.accessKey,
    S3_SECRET: keys.secretKey,
    S3_URI_STYLE: 'path',
    S3_CA_FILE: authority,
    BIN: server.binaries,
  };
}

/** Versions before 2.46 have backups by blocks as a trial only, for which this has to be said. */
async function betaOf(): Promise<Readonly<Record<string, string>>> {
  const { stdout } = await execa('pgbackrest', ['version']);
  const [, major = '0', minor = '0'] = /(\d+)\.(\d+)/.exec(stdout) ?? [];
  return Number(major) === 2 && Number(minor) < 46 ? { PGBACKREST_BETA: 'y' } : {};
}

async function askServer(server: PostgresServer, statement: string): Promise<string> {
  const { stdout } = await execa(
    join(server.binaries, 'psql'),
    ['-d', 'postgres', '-XAtc', statement],
    {
      env: {
        PGHOST: server.host,
        PGPORT: `${server.port}`,
        PGUSER: server.user,
        PGPASSWORD: server.password.reveal(),
      },
    },
  );
  return stdout;
}

interface Rescue {
  /** Names of the page's scripts, in order. */
  readonly steps: readonly string[];
  readonly data: string;
  /** What a reader replaces in them, by the name of the variable. */
  readonly values?: Readonly<Record<string, string>>;
}

async function follow({ steps, data, values = {} }: Rescue): Promise<string> {
  const own = {
    ...environment,
    DATA: data,
    PGBACKREST_CONFIG: `${data}.conf`,
    ...(await betaOf()),
  };
  const text = steps.map((step) => {
    const script = scripts.get(step);
    if (script === undefined) throw new Error(`the page has no script "${step}"`);
    return Object.entries(values).reduce(
      (changed, [name, value]) =>
        changed.replace(new RegExp(`^export ${name}=.*$`, 'm'), `export ${name}='${value}'`),
      script,
    );
  });
  const { uid, gid } = await stat(folder.path);
  const { stdout } = await execa('bash', ['-euo', 'pipefail', '-c', text.join('\n')], {
    uid,
    gid,
    cwd: folder.path,
    env: { ...own, HOME: folder.path, PGBACKREST_LOCK_PATH: folder.path },
  });
  return stdout;
}

/** Rows of the restored database, which is ended then. */
async function readRows(data: string): Promise<readonly string[]> {
  const { uid, gid } = await stat(folder.path);
  const options = { uid, gid, cwd: folder.path };
  const psql = ['-h', data, '-U', 'operator', '-d', 'postgres', '-XAtc', 'SELECT row FROM kept'];
  const { stdout } = await execa(join(binaries, 'psql'), psql, options);
  await execa(join(binaries, 'pg_ctl'), ['-D', data, '-m', 'fast', '-w', 'stop'], options);
  return stdout.split('\n');
}

const started = ['settings', 'start'];

test('the page has values for all that its scripts want, and no others', () => {
  const named = [...(scripts.get('values') ?? '').matchAll(/^export (\w+)=/gm)].map(
    ([, name]) => name,
  );

  expect(new Set(named)).toEqual(
    new Set([...Object.keys(environment), 'DATA', 'PGBACKREST_CONFIG']),
  );
});

test('what the page says of the bucket is there', async () => {
  const shown = await follow({ steps: ['configure', 'list'], data: join(folder.path, 'list') });

  expect(shown).toContain(`stanza: ${stanza}`);
  expect(shown).toContain('full backup: ');
  for (const name of ['backup.info', '2026-01-31T12:00:00Z', 'model-uuid.txt', 'archive']) {
    expect(shown.split('\n')).toContain(name);
  }
  // The charm writes it before each backup.
  expect(shown.split('\n')).not.toContain('latest');
});

test('all that was archived comes back, and its roles are taken care of', async () => {
  const data = join(folder.path, 'latest');

  const shown = await follow({ steps: ['configure', 'latest', ...started, 'roles'], data });

  const roles = shown.split('\n').slice(-2).toSorted();
  expect(roles).toEqual(['operator', 'rescue_admin']);
  expect(await readRows(data)).toEqual([
    'of the full backup',
    'of the increment',
    'of the WAL',
    'too late',
  ]);
});

test('what was committed until a time comes back, and nothing later', async () => {
  const data = join(folder.path, 'time');

  await follow({ steps: ['configure', 'time', ...started], data, values: { TARGET: moment } });

  expect(await readRows(data)).toEqual(['of the full backup', 'of the increment', 'of the WAL']);
});
