// Passwords that are set already, and what copies the data of a server, on a real one.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execa } from 'execa';

import { Secret } from '../../lib/base/secret.ts';
import { connectSql, type SqlConnection } from '../../lib/sql/connection.ts';
import { sql } from '../../lib/sql/sql.ts';
import { connectPostgres } from '../../src/adapters/postgres.ts';
import type { Postgres } from '../../src/ports.ts';
import { type PostgresServer, startPostgresServer } from '../support/postgres-server.ts';

let server: PostgresServer;
let postgres: Postgres;
let admin: SqlConnection;

beforeAll(async () => {
  server = await startPostgresServer({ max_wal_senders: '4' });
  postgres = await connectPostgres(server);
  admin = await connectSql({ ...server, database: 'postgres' });
  await postgres.setUp([{ name: 'rewind' }]);
}, 60_000);

afterAll(async () => {
  await admin?.close();
  await postgres?.close();
  await server?.stop();
});

const verifier = sql`SELECT rolpassword FROM pg_catalog.pg_authid WHERE rolname = 'rewind'`;

test('a password that is set already is left as it is, another is not', async () => {
  await postgres.setPassword('rewind', new Secret('the same password'));
  const before = await admin.query(verifier);

  await postgres.setPassword('rewind', new Secret('the same password'));
  expect(await admin.query(verifier)).toEqual(before);

  await postgres.setPassword('rewind', new Secret('another password'));
  expect(await admin.query(verifier)).not.toEqual(before);
});

test('at rest nothing copies the data', async () => {
  expect(await postgres.copying()).toEqual({ backupRuns: false });
});

const login = () => ({
  PGHOST: server.host,
  PGPORT: String(server.port),
  PGUSER: server.user,
  PGPASSWORD: server.password.reveal(),
});

test('a backup of pgBackRest is known by its name', async () => {
  const backup = execa(`${server.binaries}/psql`, ['-d', 'postgres', '-c', 'SELECT pg_sleep(60)'], {
    env: { ...login(), PGAPPNAME: 'pgBackRest [backup]' },
    reject: false,
  });
  const running = async () => (await postgres.copying()).backupRuns;

  await expect(until(running)).resolves.toBe(true);

  backup.kill();
  await backup;
});

test('a copy for a replica shows how far it is', async () => {
  const arguments_ = ['-D', '-', '-Ft', '-X', 'none', '--checkpoint=fast', '--max-rate=512k'];
  const copy = execa(`${server.binaries}/pg_basebackup`, arguments_, {
    env: login(),
    reject: false,
    stdout: 'ignore',
  });
  const started = async () => (await postgres.copying()).percent !== undefined;

  await expect(until(started)).resolves.toBe(true);
  const { percent = -1 } = await postgres.copying();
  copy.kill();
  await copy;

  expect(percent).toBeGreaterThanOrEqual(0);
  expect(percent).toBeLessThan(100);
});

/** Whether it becomes true within 20 seconds. */
async function until(look: () => Promise<boolean>): Promise<boolean> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (await look()) return true;
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
  }
  return false;
}
