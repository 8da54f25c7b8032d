// Extensions, and values that only the database can judge, against a real server.

import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';

import { connectSql, type SqlConnection } from '../../lib/sql/connection.ts';
import { identifier, sql } from '../../lib/sql/sql.ts';
import { isAccepted } from '../../src/adapters/judges.ts';
import { connectPostgres } from '../../src/adapters/postgres.ts';
import {
  extensionOptions,
  planExtensions,
  unsatisfiedPlugins,
  wantedExtensions,
} from '../../src/core/config/extensions.ts';
import type { Postgres } from '../../src/ports.ts';
import { type PostgresServer, startPostgresServer } from '../support/postgres-server.ts';

const odd = `o"d'd; DROP -- dätabase %s`;

let server: PostgresServer;
let admin: SqlConnection;
const open: Postgres[] = [];

beforeAll(async () => {
  server = await startPostgresServer();
  admin = await connectSql({ ...server, database: 'postgres' });
  await admin.query(sql`CREATE DATABASE ${identifier(odd)}`);
  await admin.query(sql`CREATE DATABASE closed WITH ALLOW_CONNECTIONS false`);
  await admin.query(sql`CREATE DATABASE pattern WITH IS_TEMPLATE true`);
}, 60_000);

beforeEach(async () => {
  const postgres = await connect(odd);
  for (const name of await postgres.extensions()) {
    if (name !== 'plpgsql') await postgres.dropExtension(name);
  }
});

afterAll(async () => {
  for (const postgres of open) await postgres.close();
  await admin?.close();
  await server?.stop();
});

async function connect(database: string): Promise<Postgres> {
  const postgres = await connectPostgres({ ...server, database });
  open.push(postgres);
  return postgres;
}

test('databases that take connections are listed, the template of new ones first', async () => {
  const postgres = await connect('postgres');

  expect(await postgres.databases()).toEqual(['template1', odd, 'postgres']);
});

test('extensions are created in the connected database only, and dropped again', async () => {
  const postgres = await connect(odd);
  const other = await connect('postgres');

  await postgres.createExtensions(['hstore', 'uuid-ossp']);

  expect((await postgres.extensions()).toSorted()).toEqual(['hstore', 'plpgsql', 'uuid-ossp']);
  expect(await other.extensions()).toEqual(['plpgsql']);
  expect(await postgres.dropExtension('uuid-ossp')).toEqual([]);
  expect((await postgres.extensions()).toSorted()).toEqual(['hstore', 'plpgsql']);
});

test('an extension that is there already, or gone already, is fine', async () => {
  const postgres = await connect(odd);
  await postgres.createExtensions(['hstore']);

  await postgres.createExtensions(['hstore', 'citext']);
  await postgres.dropExtension('hstore');

  expect(await postgres.dropExtension('hstore')).toEqual([]);
  expect((await postgres.extensions()).toSorted()).toEqual(['citext', 'plpgsql']);
});

test('when one of several cannot be created, none is', async () => {
  const postgres = await connect(odd);

  const creating = postgres.createExtensions(['hstore', 'no_such_extension']);

  await expect(creating).rejects.toMatchObject({ code: 'sql' });
  expect(await postgres.extensions()).toEqual(['plpgsql']);
});

test('an extension that objects depend on stays, and the objects are named', async () => {
  const postgres = await connect(odd);
  const user = await connectSql({ ...server, database: odd });
  await postgres.createExtensions(['hstore']);
  await user.query(sql`CREATE TABLE settings (id int, pairs hstore)`);
  await user.query(sql`CREATE TABLE "Others" (pairs hstore)`);

  const dependents = await postgres.dropExtension('hstore');

  expect(dependents.toSorted()).toEqual([
    'column pairs of table "Others" depends on type hstore',
    'column pairs of table settings depends on type hstore',
  ]);
  expect(await postgres.extensions()).toContain('hstore');
  await user.query(sql`DROP TABLE settings, "Others"`);
  await user.close();
  expect(await postgres.dropExtension('hstore')).toEqual([]);
});

test('extensions go to the schema public, whatever the database says', async () => {
  const user = await connectSql({ ...server, database: odd });
  await user.query(sql`CREATE SCHEMA operator`);
  const postgres = await connect(odd);

  await postgres.createExtensions(['hstore']);

  const schema = sql`SELECT extnamespace::regnamespace::text AS schema
                       FROM pg_extension WHERE extname = 'hstore'`;
  expect(await user.query(schema)).toEqual([{ schema: 'public' }]);
  await user.query(sql`DROP SCHEMA operator`);
  await user.close();
});

test('a database without the schema public is told by its SQLSTATE', async () => {
  await admin.query(sql`CREATE DATABASE bare`);
  const user = await connectSql({ ...server, database: 'bare' });
  await user.query(sql`DROP SCHEMA public`);
  await user.close();

  const creating = (await connect('bare')).createExtensions(['hstore']);

  await expect(creating).rejects.toMatchObject({ fields: { sqlState: '3F000' } });
});

test('two units that create and drop at the same time do not collide', async () => {
  const [one, other] = [await connect(odd), await connect(odd)];

  for (let round = 0; round < 5; round += 1) {
    await Promise.all([one.createExtensions(['hstore']), other.createExtensions(['hstore'])]);
    expect(await Promise.all([one.dropExtension('hstore'), other.dropExtension('hstore')])).toEqual(
      [[], []],
    );
  }
});

test('a new database begins with the extensions of template1', async () => {
  const template = await connectPostgres({ ...server, database: 'template1' });
  await template.createExtensions(['citext']);
  await template.close();

  await admin.query(sql`CREATE DATABASE heir`);

  expect((await (await connect('heir')).extensions()).toSorted()).toEqual(['citext', 'plpgsql']);
});

test('a database that is not there is told by its SQLSTATE', async () => {
  await expect(connect('nowhere')).rejects.toMatchObject({ fields: { sqlState: '3D000' } });
});

test('every switch names what the control file of its extension requires', async () => {
  const rows = await admin.query(sql`
    SELECT name, pg_catalog.array_to_string(requires, ',') AS needs
      FROM pg_catalog.pg_available_extension_versions WHERE requires IS NOT NULL`);
  const required = new Map(rows.map(({ name, needs }) => [name, String(needs).split(',')]));

  const unnamed = extensionOptions.flatMap(({ name }) => {
    const needed = wantedExtensions([name]).flatMap((extension) => required.get(extension) ?? []);
    const told = unsatisfiedPlugins([name]).join();
    return needed.filter((one) => one !== 'plpgsql' && !told.includes(one));
  });

  expect(required.get('earthdistance')).toEqual(['cube']);
  expect(unnamed).toEqual([]);
});

test('all that the server has is created and dropped in the order of the plan', async () => {
  const postgres = await connect(odd);
  const available = await postgres.availableExtensions();
  const loadable = (name: string) =>
    !['pgaudit', 'timescaledb', 'pg_stat_statements'].includes(name);
  const options = extensionOptions
    .map(({ name }) => name)
    .filter((name) => wantedExtensions([name]).every((one) => available.includes(one)));
  const wanted = wantedExtensions(options).filter(loadable);

  const { create } = planExtensions({ wanted, unwanted: [] }, await postgres.extensions());
  await postgres.createExtensions(create);
  const unwanted = await postgres.extensions();
  const { drop } = planExtensions({ wanted: [], unwanted }, unwanted);
  for (const name of drop) expect([name, ...(await postgres.dropExtension(name))]).toEqual([name]);

  expect(wanted.length).toBeGreaterThan(20);
  expect(await postgres.extensions()).toEqual(['plpgsql']);
}, 60_000);

const values = [
  { judge: 'time-zone', value: 'Europe/Prague', good: true },
  { judge: 'time-zone', value: 'Mars/Crater', good: false },
  { judge: 'time-zone', value: "'; DROP DATABASE postgres; --", good: false },
  { judge: 'date-style', value: 'ISO, DMY', good: true },
  { judge: 'date-style', value: 'German', good: true },
  { judge: 'date-style', value: 'Stardate', good: false },
  { judge: 'text-search-config', value: 'pg_catalog.german', good: true },
  { judge: 'text-search-config', value: 'german', good: false },
  { judge: 'table-access-method', value: 'heap', good: true },
  { judge: 'table-access-method', value: 'btree', good: false },
  { judge: 'roles', value: 'staff=operator,all=pg_monitor', good: true },
  { judge: 'roles', value: 'staff=operator,all=nobody', good: false },
  { judge: 'roles', value: '', good: false },
] as const;

test.each(values)(
  'the server judges the $judge "$value": $good',
  async ({ judge, value, good }) => {
    const postgres = await connect('postgres');

    expect(await postgres.accepts(judge, value)).toBe(good);
  },
);

test('asking about a date style leaves the style of the connection as it was', async () => {
  const shown = sql`SELECT setting FROM pg_settings WHERE name = 'DateStyle'`;
  const before = await admin.query(shown);

  expect(await isAccepted(admin, 'date-style', 'German')).toBe(true);

  expect(await admin.query(shown)).toEqual(before);
});
