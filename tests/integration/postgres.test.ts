// The PostgreSQL adapter against a real server.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execa } from 'execa';

import { Secret } from '../../lib/base/secret.ts';
import { connectSql, type SqlConnection } from '../../lib/sql/connection.ts';
import { type Sql, sql } from '../../lib/sql/sql.ts';
import { connectPostgres } from '../../src/adapters/postgres.ts';
import type { Postgres, SystemUser } from '../../src/ports.ts';
import { makeCertificate } from '../support/certificate.ts';
import { makeTemporaryFolder } from '../support/child-server.ts';
import { type PostgresServer, startPostgresServer } from '../support/postgres-server.ts';

const monitoringPassword = new Secret('mon\'itor\\ing"$$;--');
const users: readonly SystemUser[] = [
  { name: 'operator', superuser: true },
  { name: 'backup', superuser: true },
  { name: 'monitoring', password: monitoringPassword, memberOf: ['pg_monitor'] },
  { name: 'rewind', password: new Secret('rewind-password') },
];

let server: PostgresServer;
let postgres: Postgres;
let admin: SqlConnection;

beforeAll(async () => {
  server = await startPostgresServer({ shared_preload_libraries: 'pg_stat_statements' });
  postgres = await connectPostgres(server);
  admin = await connectSql({ ...server, database: 'postgres' });
  await postgres.setUp(users);
}, 60_000);

afterAll(async () => {
  await admin?.close();
  await postgres?.close();
  await server?.stop();
});

test('system users, the admin role and the access groups exist with the right attributes', async () => {
  const roles = await admin.query(sql`
    SELECT rolname, rolcanlogin, rolsuper, rolpassword LIKE 'SCRAM-SHA-256$4096:%' AS scram
      FROM pg_catalog.pg_authid WHERE rolname NOT LIKE 'pg\\_%' ORDER BY 1`);

  expect(roles).toEqual([
    { rolname: 'admin', rolcanlogin: false, rolsuper: false, scram: null },
    { rolname: 'backup', rolcanlogin: true, rolsuper: true, scram: null },
    { rolname: 'identity_access', rolcanlogin: false, rolsuper: false, scram: null },
    { rolname: 'internal_access', rolcanlogin: false, rolsuper: false, scram: null },
    { rolname: 'monitoring', rolcanlogin: true, rolsuper: false, scram: true },
    { rolname: 'operator', rolcanlogin: true, rolsuper: true, scram: true },
    { rolname: 'relation_access', rolcanlogin: false, rolsuper: false, scram: null },
    { rolname: 'rewind', rolcanlogin: true, rolsuper: false, scram: true },
  ]);
});

test('memberships are granted', async () => {
  const members = await admin.query(sql`
    SELECT u.rolname AS member, g.rolname AS of
      FROM pg_catalog.pg_auth_members m
      JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
      JOIN pg_catalog.pg_roles u ON u.oid = m.member
     WHERE u.rolname NOT LIKE 'pg\\_%' ORDER BY 1, 2`);

  expect(members.map(({ member, of }) => `${String(member)} in ${String(of)}`)).toEqual([
    'admin in pg_read_all_data',
    'admin in pg_write_all_data',
    'backup in internal_access',
    'monitoring in internal_access',
    'monitoring in pg_monitor',
    'operator in internal_access',
    'rewind in internal_access',
  ]);
});

test('the public may neither connect to the database postgres nor create in its public schema', async () => {
  const [row] = await admin.query(sql`
    SELECT has_database_privilege('relation_access', 'postgres', 'CONNECT') AS connect,
           has_schema_privilege('relation_access', 'public', 'CREATE') AS create,
           has_database_privilege('admin', 'postgres', 'CONNECT') AS admin,
           has_database_privilege('monitoring', 'postgres', 'CREATE') AS monitoring`);

  expect(row).toEqual({ connect: false, create: false, admin: true, monitoring: true });
});

test('setting up again changes nothing', async () => {
  const before = await admin.query(catalogue);

  await postgres.setUp(users);

  expect(await admin.query(catalogue)).toEqual(before);
});

test('setting up again keeps what the operator has granted meanwhile', async () => {
  await admin.query(sql`GRANT CREATE ON SCHEMA public TO PUBLIC`);

  await postgres.setUp(users);

  const granted = sql`SELECT has_schema_privilege('relation_access', 'public', 'CREATE') AS create`;
  expect(await admin.query(granted)).toEqual([{ create: true }]);
});

test('two units that set up at the same time do not collide', async () => {
  const other = await connectPostgres(server);
  await admin.query(sql`DROP ROLE relation_access`);

  const results = await Promise.allSettled([postgres.setUp(users), other.setUp(users)]);
  await other.close();

  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
});

test('a password of another time is replaced', async () => {
  await admin.query(sql`ALTER ROLE monitoring PASSWORD 'from another cluster'`);

  await postgres.setUp(users);

  await logIn('monitoring', monitoringPassword);
});

test('a failing set-up leaves nothing half done', async () => {
  const broken = [{ name: 'half' }, { name: 'done', memberOf: ['no_such_group'] }];

  await expect(postgres.setUp(broken)).rejects.toMatchObject({
    code: 'sql',
    fields: { sqlState: '42704' },
  });

  const found = sql`SELECT 1 FROM pg_catalog.pg_roles WHERE rolname IN ('half', 'done')`;
  expect(await admin.query(found)).toEqual([]);
});

const passwords = [
  { summary: 'plain letters', password: 'abcDEF123' },
  { summary: 'quotes and backslashes', password: `a'b"c\\d'';--$$` },
  { summary: 'letters outside ASCII', password: 'pässwörd ①\u00A0ﬁ' },
];

test.each(passwords)('a password with $summary opens the door', async ({ password }) => {
  await postgres.setPassword('rewind', new Secret(password));

  await logIn('rewind', new Secret(password));
  // libpq prepares passwords by itself, so it proves that we do as it does.
  const { stdout } = await execa(
    `${server.binaries}/psql`,
    [
      '-h',
      server.host,
      '-p',
      String(server.port),
      '-U',
      'rewind',
      '-d',
      'postgres',
      '-Atc',
      'SELECT 1',
    ],
    { env: { PGPASSWORD: password } },
  );
  expect(stdout).toBe('1');
});

test('an empty password is refused', async () => {
  const set = postgres.setPassword('rewind', new Secret(''));

  await expect(set).rejects.toMatchObject({ code: 'sql', message: /empty/ });
});

test('neither passwords nor verifiers reach the log of the server', async () => {
  const secret = new Secret('never-in-the-log');

  await postgres.setPassword('rewind', secret);
  await expect(postgres.setPassword('nobody', secret)).rejects.toMatchObject({ code: 'sql' });

  const log = server.log();
  expect(log).toContain('BEGIN');
  expect(log).not.toContain('never-in-the-log');
  expect(log).not.toMatch(/SCRAM-SHA-256\$4096:[\w+/]{16}/);
});

test('verifiers are not kept in the statistics of statements either', async () => {
  await admin.query(sql`CREATE EXTENSION IF NOT EXISTS pg_stat_statements`);

  await postgres.setPassword('rewind', new Secret('another'));
  await admin.query(sql`ALTER ROLE rewind CONNECTION LIMIT 9`);

  const kept = await admin.query(sql`SELECT query FROM pg_stat_statements`);
  const texts = kept.map(({ query }) => String(query)).join();
  expect(texts).toContain('CONNECTION LIMIT');
  expect(texts).not.toMatch(/ALTER ROLE "rewind" PASSWORD/);
});

test('with an authority the connection is encrypted and the name of the server checked', async () => {
  const { certificate } = server;
  const connection = await connectSql({
    ...server,
    host: 'localhost',
    database: 'postgres',
    ca: certificate.pem,
  });

  const encrypted = sql`SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()`;
  expect(await connection.query(encrypted)).toEqual([{ ssl: true }]);
  await connection.close();
});

test('a server that another authority vouches for is refused', async () => {
  const folder = await makeTemporaryFolder('authority');
  const stranger = await makeCertificate(folder.path);
  await folder.remove();

  const connecting = connectPostgres({ ...server, ca: stranger.pem });

  await expect(connecting).rejects.toMatchObject({ code: 'unreachable', message: /self-signed/ });
});

test('a wrong password is told from a server that is not there', async () => {
  const wrong = connectPostgres({ ...server, password: new Secret('wrong') });
  await expect(wrong).rejects.toMatchObject({
    code: 'refused-login',
    fields: { sqlState: '28P01' },
  });

  const absent = connectPostgres({ ...server, port: 1 });
  await expect(absent).rejects.toMatchObject({ code: 'unreachable' });
});

test('a connection that the server ends is unreachable, and the process lives on', async () => {
  const victim = await connectPostgres(server);
  const ended = sql`
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE pid <> pg_backend_pid() AND application_name = 'charm'`;
  await admin.query(ended);

  await expect(victim.archiver()).rejects.toMatchObject({ code: 'unreachable' });

  postgres = await connectPostgres(server);
});

test('a switched segment is named, and the archiver reports it', async () => {
  expect(await postgres.switchWal()).toMatch(/^[0-9A-F]{24}$/);

  expect(await postgres.archiver()).toEqual({ command: '(disabled)' });
});

test('parts, values and lists reach the server as they were meant', async () => {
  const nasty = `x'; DROP ROLE admin; --\\'"`;

  expect(
    await admin.query(sql`SELECT ${nasty}::text AS v, ${null}::int AS n, ${true}::bool AS b`),
  ).toEqual([{ v: nasty, n: null, b: true }]);
});

/** Everything that set-up may touch, with the transaction that touched it last. */
const catalogue: Sql = sql`
  SELECT (SELECT json_agg(r ORDER BY rolname)
            FROM (SELECT a.xmin::text, a.* FROM pg_authid a) r) AS roles,
         (SELECT json_agg(m) FROM (SELECT xmin::text, roleid, member FROM pg_auth_members
                                    ORDER BY roleid, member) m) AS members,
         (SELECT datacl::text FROM pg_database WHERE datname = 'postgres') AS database,
         (SELECT nspacl::text FROM pg_namespace WHERE nspname = 'public') AS schema`;

async function logIn(user: string, password: Secret): Promise<void> {
  const connection = await connectSql({ ...server, user, password, database: 'postgres' });
  expect(await connection.query(sql`SELECT current_user AS me`)).toEqual([{ me: user }]);
  await connection.close();
}
