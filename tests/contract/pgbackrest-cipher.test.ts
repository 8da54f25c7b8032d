// Encrypted repositories of the real pgBackRest on a real S3 server: the charm tells them apart by their
// first bytes, as pgBackRest does by reading them, and what is restored is what was backed up.

import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';

import { systemClock } from '../../lib/base/clock.ts';
import { Secret } from '../../lib/base/secret.ts';
import { openObjectStore } from '../../src/adapters/object-store.ts';
import {
  backup,
  createStanza,
  info,
  PgbackrestError,
  removeFolder,
} from '../../src/adapters/pgbackrest.ts';
import { findMismatch } from '../../src/adapters/repository-cipher.ts';
import { usualSpeed } from '../../src/core/backups/speed.ts';
import { renderPgbackrest } from '../../src/core/render/pgbackrest.ts';
import type { ObjectStoreSettings } from '../../src/ports.ts';
import { recogniseNodeErrors } from '../support/node-errors.ts';
import { type PgbackrestProgram, startPgbackrest } from '../support/pgbackrest-program.ts';
import { type S3Server, startS3Server } from '../support/s3-server.ts';

recogniseNodeErrors();

const stanza = 'model.patroni-app';
const keys = { accessKey: 'planted-access-key', secretKey: 'planted-secret-key' };
const passes = {
  none: undefined,
  first: new Secret('the first pass, with blanks and "quotes" # and =ü'),
  second: new Secret('the-second-pass-of-the-repository-002'),
} as const;
type Pass = keyof typeof passes;

let program: PgbackrestProgram;
let server: S3Server;
let caFile: string;
let buckets = 0;

beforeAll(async () => {
  server = await startS3Server({ ...keys, region: 'eu-1' });
  program = await startPgbackrest(stanza);
  caFile = join(program.scratch, 'ca.pem');
  await writeFile(caFile, server.certificate.pem, { mode: 0o644 });
}, 600_000);

beforeEach(async () => {
  buckets += 1;
  await openObjectStore(settings()).ensureBucket();
});

afterAll(async () => {
  await program?.stop();
  await server?.stop();
});

function settings(): ObjectStoreSettings {
  return {
    endpoint: server.endpoint,
    region: 'eu-1',
    bucket: `backups-${buckets}`,
    uriStyle: 'path',
    accessKey: new Secret(keys.accessKey),
    secretKey: new Secret(keys.secretKey),
    caChain: server.certificate.pem,
  };
}

/** The lines that the charm writes, with what is different here. */
async function configure(
  pass: Pass,
  changed: Readonly<Record<string, string>> = {},
): Promise<void> {
  const cipherPass = passes[pass];
  const { global = {} } = renderPgbackrest({
    ...settings(),
    stanza,
    path: program.repository,
    hasCaChain: true,
    retention: { kind: 'count', fullBackups: 9 },
    speed: usualSpeed,
    cores: 2,
    tlsPeers: [],
    ...(cipherPass === undefined ? {} : { cipherPass }),
  });
  // Before 2.46 blocks were an experiment; the others stand in the file already.
  const left = ['repo1-block', 'repo1-path', 'log-level-file', 'log-level-stderr', 'start-fast'];
  const own = { ...global, 'repo1-s3-ca-file': caFile, ...changed };
  const lines = Object.entries(own).filter(([key]) => !left.includes(key));
  await program.configure(lines.map(([key, value]) => `${key}=${String(value)}`));
}

async function make(pass: Pass): Promise<void> {
  await configure(pass);
  await createStanza(program.pebble, stanza);
}

const mismatch = async (pass: Pass) =>
  await findMismatch(openObjectStore(settings()), { path: program.repository }, passes[pass]);

const cases: readonly { made: Pass; asked: Pass; found: string | undefined }[] = [
  { made: 'none', asked: 'none', found: undefined },
  { made: 'none', asked: 'first', found: 'plain' },
  { made: 'first', asked: 'none', found: 'encrypted' },
  { made: 'first', asked: 'first', found: undefined },
  { made: 'first', asked: 'second', found: 'other-pass' },
];

test.each(cases)('made with $made, asked with $asked: $found', async ({ made, asked, found }) => {
  await make(made);
  await configure(asked);

  expect(await mismatch(asked)).toBe(found);

  const said = info(program.pebble);
  const again = createStanza(program.pebble, stanza);
  if (found === undefined) {
    expect(await said).toMatchObject([{ name: stanza, encrypted: asked !== 'none' }]);
    await again;
    return;
  }
  await Promise.all([
    expect(said).rejects.toThrow('is not encrypted as backup_cipher_secret says'),
    expect(again).rejects.toBeInstanceOf(PgbackrestError),
  ]);
  for (const pass of [passes.first, passes.second]) {
    await expect(again).rejects.not.toThrow(pass.reveal());
  }
});

test('keys that are refused are an error, and no empty repository', async () => {
  await make('none');
  await configure('none', { 'repo1-s3-key-secret': 'planted-secret-kez' });

  await expect(info(program.pebble)).rejects.toThrow(
    /^cannot run pgbackrest info: .*HTTP request failed with 403 \(Forbidden\)$/,
  );
});

test('a folder with a log of the charm goes, encrypted or not, and nothing beside it', async () => {
  const store = openObjectStore(settings());
  const folder = `${program.repository.replace(/^\//, '')}/backup/${stanza}/`;
  for (const pass of ['none', 'first'] as const) {
    await configure(pass);
    for (const time of ['10', '11']) {
      await store.put(`${folder}failed-2026-01-30T${time}:00:00Z/backup.log`, 'Stdout:\n');
    }

    await removeFolder(program.pebble, `backup/${stanza}/failed-2026-01-30T10:00:00Z`);
    await removeFolder(program.pebble, `backup/${stanza}/failed-2026-01-30T10:00:00Z`);

    expect(await store.list(folder)).toEqual(['failed-2026-01-30T11:00:00Z/']);
  }
});

test('an empty repository can be made with anything', async () => {
  expect([await mismatch('none'), await mismatch('first')]).toEqual([undefined, undefined]);
});

test('what is restored with the pass is what was backed up; without it nothing is', async () => {
  await make('first');
  const run = { stanza, replica: false, clock: systemClock, onLine: () => undefined } as const;
  await backup(program.pebble, { ...run, type: 'full' });
  await backup(program.pebble, { ...run, type: 'incr' });
  expect((await info(program.pebble))[0]?.backups).toHaveLength(2);

  const restored = join(program.scratch, 'restored');
  const restore = async () =>
    await program.pebble.exec(
      ['pgbackrest', `--stanza=${stanza}`, `--pg1-path=${restored}`, 'restore'],
      { timeoutMs: 60_000 },
    );
  for (const wrong of ['none', 'second'] as const) {
    await configure(wrong);
    const { exitCode, stdout, stderr } = await restore();
    expect(exitCode).not.toBe(0);
    expect(`${stdout}${stderr}`).not.toContain(passes.second.reveal());
    await expect(stat(join(restored, 'PG_VERSION'))).rejects.toThrow('ENOENT');
  }
  await configure('first');

  expect((await restore()).exitCode).toBe(0);
  expect((await stat(join(restored, 'PG_VERSION'))).isFile()).toBe(true);
});
