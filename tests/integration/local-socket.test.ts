// The way of the superuser: the bridge, run as in a pod, and the driver on its streams, against a
// real server that believes its own user of the system and refuses everybody else on the socket.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Duplex } from 'node:stream';

import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';

import { systemClock } from '../../lib/base/clock.ts';
import { poll } from '../../lib/base/retry.ts';
import { connectSql, type SqlConnection } from '../../lib/sql/connection.ts';
import { sql } from '../../lib/sql/sql.ts';
import { type BridgeFacts, bridgeCommand } from '../../src/core/render/socket-bridge.ts';
import { type PostgresServer, startPostgresServer } from '../support/postgres-server.ts';

let server: PostgresServer;
let admin: SqlConnection;

beforeAll(async () => {
  server = await startPostgresServer();
  admin = await connectSql(server);
}, 60_000);

afterAll(async () => {
  await admin?.close();
  await server?.stop();
});

const bridges: ChildProcessWithoutNullStreams[] = [];
afterEach(() => {
  for (const bridge of bridges.splice(0)) bridge.kill('SIGKILL');
});

function startBridge(facts: Partial<BridgeFacts> = {}): ChildProcessWithoutNullStreams {
  const { socket, systemUser: user } = server;
  const command = bridgeCommand({ socket, user, patienceSeconds: 30, ...facts });
  const bridge = spawn(command[0] ?? '', command.slice(1));
  bridges.push(bridge);
  return bridge;
}

async function connect(
  bridge: ChildProcessWithoutNullStreams,
  user = 'operator',
): Promise<SqlConnection> {
  const stream = Duplex.from({ readable: bridge.stdout, writable: bridge.stdin });
  return await connectSql({ stream, host: 'pod-0', user, database: 'postgres' });
}

async function sessions(): Promise<number> {
  const [row] = await admin.query(sql`
    SELECT count(*)::int AS many FROM pg_stat_activity
     WHERE usename = 'operator' AND client_addr IS NULL AND backend_type = 'client backend'`);
  return Number(row?.['many']);
}

async function untilNobody(): Promise<boolean> {
  const options = { clock: systemClock, intervalMs: 20, timeoutMs: 5_000 };
  const gone = await poll(options, async () => ((await sessions()) === 0 ? true : undefined));
  return gone === true;
}

test('the superuser gets in without a password, and not over the network', async () => {
  const connection = await connect(startBridge());

  const me = sql`SELECT current_user AS me, inet_client_addr() AS address`;
  expect(await connection.query(me)).toEqual([{ me: 'operator', address: null }]);

  await connection.close();
  expect(await untilNobody()).toBe(true);
});

test('whoever the map does not name is refused', async () => {
  await admin.query(sql`CREATE ROLE somebody LOGIN SUPERUSER`);

  await expect(connect(startBridge(), 'somebody')).rejects.toMatchObject({
    code: 'refused-login',
    fields: { sqlState: '28000' },
  });
});

test('large statements and large answers pass', async () => {
  const connection = await connect(startBridge());
  const long = 'ß'.repeat(2_000_000);

  const [row] = await connection.query(sql`SELECT ${long}::text AS back`);
  await connection.close();

  expect(row?.['back'] === long).toBe(true);
});

test('a failing transaction is rolled back', async () => {
  const connection = await connect(startBridge());

  const work = connection.transaction(async () => {
    await connection.query(sql`CREATE TABLE half (a int)`);
    await connection.query(sql`SELECT 1 / 0`);
  });

  await expect(work).rejects.toMatchObject({ code: 'sql', fields: { sqlState: '22012' } });
  expect(await connection.query(sql`SELECT to_regclass('half') AS half`)).toEqual([{ half: null }]);
  await connection.close();
});

test('a server that is not there is unreachable', async () => {
  const connecting = connect(startBridge({ socket: `${server.socket}.absent` }));

  await expect(connecting).rejects.toMatchObject({ name: 'PostgresError', code: 'unreachable' });
});

test('the bridge says why it cannot connect', async () => {
  const bridge = startBridge({ socket: `${server.socket}.absent` });
  const said: string[] = [];
  bridge.stderr.on('data', (bytes: Buffer) => said.push(bytes.toString()));

  await once(bridge, 'close');

  expect(bridge.exitCode).toBe(1);
  expect(said.join('')).toBe(
    `cannot connect to ${server.socket}.absent: No such file or directory\n`,
  );
});

test('when the charm is killed its session ends, and what it had begun is undone', async () => {
  const bridge = startBridge();
  const connection = await connect(bridge);
  await connection.query(sql`BEGIN`);
  await connection.query(sql`SELECT pg_advisory_xact_lock(4711)`);

  bridge.stdin.destroy();

  expect(await untilNobody()).toBe(true);
  const free = sql`SELECT pg_try_advisory_lock(4711) AS free, pg_advisory_unlock(4711)`;
  expect(await admin.query(free)).toMatchObject([{ free: true }]);
});

test('a session that the server ends is unreachable', async () => {
  const connection = await connect(startBridge());
  const end = sql`
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE client_addr IS NULL AND usename = 'operator' AND backend_type = 'client backend'`;
  await admin.query(end);

  await expect(connection.query(sql`SELECT 1`)).rejects.toMatchObject({ code: 'unreachable' });
  await connection.close();
});

test('a bridge that nobody uses any more ends by itself', async () => {
  const bridge = startBridge({ patienceSeconds: 1 });
  await connect(bridge);

  await once(bridge, 'close');

  expect(bridge.exitCode).toBe(1);
  expect(await untilNobody()).toBe(true);
});

test('closing does not wait for a bridge that hangs', async () => {
  const bridge = startBridge();
  const connection = await connect(bridge);
  bridge.kill('SIGSTOP');
  const start = performance.now();

  await connection.close();

  expect(performance.now() - start).toBeLessThan(4_000);
});
