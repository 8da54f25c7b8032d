// Storage that knows of no regions, as most servers of one's own: from what the relation says to a backup.

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { parseS3Fields } from '../../lib/interfaces/s3-fields.ts';
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

test('what names no region is backed up into', async () => {
  const reading = parseS3Fields({
    bucket: 'backups',
    endpoint: server.endpoint,
    's3-uri-style': 'path',
    'access-key': keys.accessKey,
    'secret-key': keys.secretKey,
  });
  if (reading.kind !== 'ready') throw new Error(`not ready: ${JSON.stringify(reading)}`);
  const { parameters } = reading;
  await openObjectStore({
    ...parameters,
    region: '',
    caChain: server.certificate.pem,
  }).ensureBucket();
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
  await backup(program.pebble, { stanza, replica: false, type: 'full', onLine: () => undefined });

  expect((await info(program.pebble))[0]?.backups).toHaveLength(1);
}, 120_000);
