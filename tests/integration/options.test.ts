// The option table against a real server: every parameter is there, every value that an option takes
// is one that the server takes, and the server starts with what the charm writes.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execa } from 'execa';

import { connectSql, type SqlConnection } from '../../lib/sql/connection.ts';
import { identifier, list, literal, type Sql, sql } from '../../lib/sql/sql.ts';
import { connectPostgres } from '../../src/adapters/postgres.ts';
import { deriveClusterParameters, deriveLocalParameters } from '../../src/core/config/derive.ts';
import type { OptionRow, OptionValue } from '../../src/core/config/option-row.ts';
import { options } from '../../src/core/config/options.ts';
import { type Settings, workerParameters } from '../../src/core/config/settings.ts';
import { validateSettings } from '../../src/core/config/validate.ts';
import { leftOutParameters } from '../../src/core/render/patroni.ts';
import { type PostgresServer, startPostgresServer } from '../support/postgres-server.ts';

/** Gone from some version on: `old_snapshot_threshold` from 17. */
const dropped: Readonly<Record<string, number>> = { old_snapshot_threshold: 17 };

interface Parameter {
  readonly name: string;
  readonly type: string;
  readonly unit: string | undefined;
  readonly min: number;
  readonly max: number;
  readonly allowed: string;
  readonly restart: boolean;
}

let server: PostgresServer;
let admin: SqlConnection;
let major: number;
let parameters: ReadonlyMap<string, Parameter>;

beforeAll(async () => {
  server = await startPostgresServer({ shared_preload_libraries: 'pg_stat_statements' });
  admin = await connectSql({ ...server, database: 'postgres' });
  const [version] = await admin.query(sql`SELECT current_setting('server_version_num') AS number`);
  major = Math.floor(Number(version?.['number']) / 10_000);
  const rows = await admin.query(sql`
    SELECT name, vartype, unit, min_val, max_val, context,
           array_to_string(enumvals, ',') AS enumvals FROM pg_catalog.pg_settings`);
  parameters = new Map(rows.map((row) => [String(row['name']), parameterOf(row)]));
}, 60_000);

afterAll(async () => {
  await admin?.close();
  await server?.stop();
});

function parameterOf(row: Readonly<Record<string, unknown>>): Parameter {
  const text = (name: string): string | undefined => {
    const value = row[name];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    name: text('name') ?? '',
    type: text('vartype') ?? '',
    unit: text('unit'),
    min: Number(text('min_val') ?? Number.NaN),
    max: Number(text('max_val') ?? Number.NaN),
    allowed: text('enumvals') ?? '',
    restart: text('context') === 'postmaster',
  };
}

function settingsOf(raw: Readonly<Record<string, OptionValue>>): Settings {
  const result = validateSettings(raw);
  if (result.kind === 'invalid') throw new Error(result.problems.join());
  return result.settings;
}

/** Rows that are parameters of this server, with what it says about them. */
function known(): readonly { readonly row: OptionRow; readonly parameter: Parameter }[] {
  return options.flatMap((row) => {
    const name = row.target.kind === 'parameter' ? row.target.parameter : '';
    const parameter = parameters.get(name);
    return parameter === undefined ? [] : [{ row, parameter }];
  });
}

test('every parameter of the table is one of the server, but for those that it has dropped', () => {
  const missing = options.flatMap(({ target }) =>
    target.kind === 'parameter' && !parameters.has(target.parameter) ? [target.parameter] : [],
  );

  const gone = Object.keys(dropped).filter((name) => major >= (dropped[name] ?? Infinity));
  expect(missing).toEqual(gone);
});

test('the table knows which parameters need a restart', () => {
  const wrong = known().filter(
    ({ row, parameter }) => parameter.restart !== (row.restart === true),
  );

  expect(wrong.map(({ row }) => row.name)).toEqual([]);
});

test('types and units are those of the server', () => {
  const types: Readonly<Record<string, readonly string[]>> = {
    boolean: ['bool'],
    int: ['integer'],
    float: ['real'],
    string: ['string', 'enum'],
  };
  const numbersAsText = new Set<string>(workerParameters);
  const units: Readonly<Record<string, string>> = { 'pages of 8 kB': '8kB' };
  // It counts pages, but the server calls it a number.
  const bare = new Set(['bgwriter_lru_maxpages']);
  const wrong = known().filter(({ row, parameter }) => {
    // on, off and something else: an enumeration to the server, or a switch to the operator.
    const isSwitch = row.type === 'boolean' && parameter.type === 'enum';
    const sameType = types[row.type]?.includes(parameter.type) === true || isSwitch;
    const unit = bare.has(parameter.name) ? undefined : row.unit;
    const sameUnit = parameter.unit === (unit === undefined ? undefined : (units[unit] ?? unit));
    return !(sameType || numbersAsText.has(parameter.name)) || !sameUnit;
  });

  expect(wrong.map(({ row, parameter }) => [row.name, row.unit, parameter])).toEqual([]);
});

/** The server shows six digits of a number, rounded. */
const shownPrecision = 1.00001;

test('limits and choices lie within those of the server', () => {
  const wrong = known().filter(({ row, parameter }) => {
    const { min = parameter.min, max = parameter.max } = row;
    const choices = parameter.allowed === '' ? undefined : parameter.allowed.split(',');
    const chosen = choices === undefined ? [] : (row.allowed ?? []);
    return (
      min < parameter.min ||
      max > parameter.max * shownPrecision ||
      chosen.some((one) => choices?.includes(one) === false)
    );
  });

  expect(wrong.map(({ row, parameter }) => [row.name, row.min, row.max, parameter])).toEqual([]);
});

test('the server takes the default, the limits and the choices of every option as written', async () => {
  const refused: string[] = [];
  for (const { row, parameter } of known()) {
    for (const value of samplesOf(row)) {
      const { parameters: local, clusterParameters } = settingsOf({ [row.name]: value });
      const text = String({ ...local, ...clusterParameters }[parameter.name]);
      const failure = await failureOf(
        sql`ALTER SYSTEM SET ${nameOf(parameter.name)} = ${literal(text)}`,
      );
      if (failure !== undefined) refused.push(`${row.name} = ${text}: ${failure}`);
    }
  }
  await admin.query(sql`ALTER SYSTEM RESET ALL`);

  expect(refused).toEqual([]);
}, 120_000);

/** Numbers of processes follow from the machine and are not written as given. */
function samplesOf(row: OptionRow): readonly OptionValue[] {
  if (row.name.startsWith('cpu_max_')) return [];
  if (row.type === 'boolean') return [true, false];
  const samples = [row.default, row.min, row.max, ...(row.allowed ?? [])];
  return samples.filter((value) => value !== undefined);
}

/** `pg_stat_statements.track` is two names. */
function nameOf(parameter: string): Sql {
  const [first = '', second] = parameter.split('.');
  return second === undefined ? identifier(first) : sql`${identifier(first)}.${identifier(second)}`;
}

async function failureOf(statement: Sql): Promise<string | undefined> {
  try {
    await admin.query(statement);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

test('the server starts with what the charm writes by itself, and uses it', async () => {
  const resources = { cores: 2, memoryBytes: 2 ** 28 };
  const settings = settingsOf({ memory_work_mem: 8192, request_time_zone: 'Europe/Lisbon' });
  const names = await describedParameters();
  const left = leftOutParameters(settings, new Set([...names, 'pg_stat_statements']));
  const written: Readonly<Record<string, OptionValue>> = {
    ...deriveLocalParameters(settings, resources),
    ...settings.parameters,
    ...deriveClusterParameters(settings, resources),
    ...settings.clusterParameters,
  };
  const used = Object.entries(written).filter(([name]) => !left.includes(name));

  const other = await startPostgresServer({
    ...Object.fromEntries(used.map(([name, value]) => [name, String(value)])),
    shared_preload_libraries: 'pg_stat_statements',
  });
  try {
    const connection = await connectSql({ ...other, database: 'postgres' });
    const shown = await connection.query(sql`
      SELECT name, setting FROM pg_catalog.pg_settings
       WHERE name IN (${list(['work_mem', 'TimeZone', 'shared_buffers', 'max_worker_processes'].map(literal))})
       ORDER BY lower(name)`);
    await connection.close();
    expect(left).toEqual(Object.keys(dropped).filter((name) => !parameters.has(name)));
    expect(shown).toEqual([
      { name: 'max_worker_processes', setting: '4' },
      { name: 'shared_buffers', setting: '8192' },
      { name: 'TimeZone', setting: 'Europe/Lisbon' },
      { name: 'work_mem', setting: '8192' },
    ]);
  } finally {
    await other.stop();
  }
}, 60_000);

/** As the server itself lists them, without being started. */
async function describedParameters(): Promise<readonly string[]> {
  const { stdout } = await execa(`${server.binaries}/postgres`, ['--describe-config']);
  return stdout.split('\n').flatMap((line) => line.split('\t', 1));
}

test('whatever clients get, the sessions of the system users stay as they are', async () => {
  const clients = {
    DateStyle: 'German, DMY',
    default_transaction_isolation: 'serializable',
    default_transaction_read_only: 'on',
    lock_timeout: '1ms',
    password_encryption: 'md5',
    statement_timeout: '1ms',
  };
  const users = [{ name: 'operator' }, { name: 'rewind' }];
  const postgres = await connectPostgres({ ...server, database: 'postgres' });
  await postgres.setUp(users);
  for (const [name, value] of Object.entries(clients)) {
    await admin.query(sql`ALTER SYSTEM SET ${identifier(name)} = ${literal(value)}`);
  }
  await admin.query(sql`SELECT pg_catalog.pg_reload_conf()`);
  try {
    const stored = sql`
      SELECT xmin::text, setrole::regrole::text FROM pg_catalog.pg_db_role_setting ORDER BY 2`;
    const before = await admin.query(stored);
    const again = await connectPostgres({ ...server, database: 'postgres' });
    await again.setUp(users);
    await again.close();
    const names = list(Object.keys(clients).map(literal));
    const session = await connectSql({ ...server, database: 'postgres' });
    const shown = await session.query(
      sql`SELECT name, source FROM pg_catalog.pg_settings WHERE name IN (${names})`,
    );
    await session.close();

    expect(before.map((row) => row['setrole'])).toEqual(['operator', 'rewind']);
    expect(await admin.query(stored)).toEqual(before);
    // The connection of the charm has a limit of its own for statements.
    expect(
      shown.filter(({ name }) => name !== 'statement_timeout').map(({ source }) => source),
    ).toEqual(Array.from({ length: 5 }, () => 'user'));
  } finally {
    await postgres.close();
    await admin.query(sql`ALTER SYSTEM RESET ALL`);
    await admin.query(sql`SELECT pg_catalog.pg_reload_conf()`);
  }
});
