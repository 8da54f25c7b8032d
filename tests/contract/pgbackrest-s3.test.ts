// From what the relation says to a backup, on a real S3 server that knows of no regions, as most servers of
// one's own, and whether WAL has arrived there.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { systemClock } from '../../lib/base/clock.ts';
import { parseS3Fields } from '../../lib/interfaces/s3-fields.ts';
import { hasArrived } from '../../src/adapters/arrival.ts';
import { openObjectStore } from '../../src/adapters/object-store.ts';
import { backup, createStanza, info } from '../../src/adapters/pgbackrest.ts';
import { usualSpeed } from '../../src/core/backups/speed.ts';
import { renderPgbackrest } from '../../src/core/render/pgbackrest.ts';
import { recogniseNodeErrors } from '../support/node-errors.ts';
import { type PgbackrestProgram, startPgbackrest } from '../support/pgbackrest-program.ts';
import { type S3Server, startS3Server } from '../support/s3-server.ts';

recogniseNodeErrors();

const stanza = 'model.patroni-app';
const keys = { accessKey: 'planted-access-key', secretKey: 'planted-secret-key' };

let program: PgbackrestProgram;
let server: S3Server;

beforeAll(async () => {
  server = await startS3Server({ ...keys, region: 'us-east-1' });
  program = await startPgbackrest(stanza);
}, 600_000);

afterAll(async () => {
  await program?.stop();
  await server?.stop();
});

test('what names no region is backed up into, and the WAL of that is found there', async () => {
  const reading = parseS3Fields({
    bucket: 'backups',
    endpoint: server.endpoint,
    's3-uri-style': 'path',
    'access-key': keys.accessKey,
    'secret-key': keys.secretKey,
  });
  if (reading.kind !== 'ready') throw new Error(`not ready: ${JSON.stringify(reading)}`);
  const { parameters } = reading;
  const store = openObjectStore({ ...parameters, region: '', caChain: server.certificate.pem });
  await store.ensureBucket();
  const caFile = join(program.scratch, 'ca.pem');
  await writeFile(caFile, server.certificate.pem, { mode: 0o644 });
  const { global = {} } = renderPgbackrest({
    ...parameters,
    stanza,
    hasCaChain: true,
    retention: { kind: 'count', fullBackups: 9 },
    speed: usualSpeed,
    cores: 2,
    tlsPeers: [],
  });
  // Before 2.46 blocks were an experiment; the others stand in the file already.
  const left = ['repo1-block', 'repo1-path', 'log-level-file', 'log-level-stderr', 'start-fast'];
  const lines = Object.entries({ ...global, 'repo1-s3-ca-file': caFile }).filter(
    ([key]) => !left.includes(key),
  );
  await program.configure(lines.map(([key, value]) => `${key}=${String(value)}`));

  await createStanza(program.pebble, stanza);
  await backup(program.pebble, {
    stanza,
    replica: false,
    type: 'full',
    clock: systemClock,
    onLine: () => undefined,
  });

  const [made] = (await info(program.pebble))[0]?.backups ?? [];
  const arrived = async (segment: string, path = program.repository) =>
    await hasArrived(store, { parameters: { path }, stanza, segment });
  const segment = made?.walStop ?? '';
  expect(segment).toMatch(/^[0-9A-F]{24}$/);
  expect(await arrived(segment)).toBe(true);
  expect(await arrived(segment.replace(/..$/, 'FF'))).toBe(false);
  expect(await arrived(segment, '/elsewhere')).toBe(false);
}, 120_000);
