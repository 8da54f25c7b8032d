import { expect, test } from '@jest/globals';

import { usualSpeed } from '../../../../src/core/backups/speed.ts';
import { options, restartParameters } from '../../../../src/core/config/options.ts';
import type { SettingsResult } from '../../../../src/core/config/validate.ts';
import { isWellFormed, validateSettings } from '../../../../src/core/config/validate.ts';

function problemsOf(raw: Readonly<Record<string, unknown>>): readonly string[] {
  const result = validateSettings(raw);
  return result.kind === 'invalid' ? result.problems : [];
}

function settingsOf(result: SettingsResult) {
  if (result.kind === 'invalid') throw new Error(result.problems.join('; '));
  return result.settings;
}

test.each([
  { type: 'bz2', least: 1, most: 9 },
  { type: 'gz', least: -1, most: 9 },
  { type: 'lz4', least: -5, most: 12 },
  { type: 'zst', least: -7, most: 22 },
])('$type takes levels from $least to $most', ({ type, least, most }) => {
  const problems = (level: number) =>
    problemsOf({ backup_compress_type: type, backup_compress_level: level });

  expect([...problems(least), ...problems(most)]).toEqual([]);
  for (const level of [least - 1, most + 1]) {
    expect(problems(level)).toEqual([
      expect.stringMatching(
        /^backup_compress_level has to be (?:a whole number )?from -?\d+ to \d+/,
      ),
    ]);
  }
});

test('nothing set means the defaults of the table', () => {
  const { parameters, clusterParameters, values, ...decisions } = settingsOf(validateSettings({}));

  expect(decisions).toEqual({
    synchronousNodeCount: 'all',
    synchronousModeStrict: true,
    synchronousModeQuorum: false,
    profile: 'production',
    profileLimitMemoryMb: undefined,
    maximumLagOnFailoverBytes: 1048576,
    backupSpeed: usualSpeed,
    backupSchedules: {},
    backupAgeWarningHours: undefined,
    failover: {
      ttl: 20,
      loopWait: 5,
      retryTimeout: 6,
      failsafeMode: true,
      primaryStartTimeout: 300,
    },
    workers: {
      max_worker_processes: 'auto',
      max_parallel_workers: 'auto',
      max_parallel_maintenance_workers: 'auto',
      max_logical_replication_workers: 'auto',
      max_sync_workers_per_subscription: 'auto',
    },
  });
  expect(clusterParameters).toEqual({
    max_locks_per_transaction: 64,
    max_prepared_transactions: 0,
    wal_keep_size: 4096,
  });
  // The golden file has all of them; here is one of each kind.
  expect(parameters).toMatchObject({
    log_connections: 'on',
    statement_timeout: '0',
    work_mem: '4096kB',
    temp_buffers: '1024',
    vacuum_cost_delay: '0',
    DateStyle: 'ISO, MDY',
    TimeZone: 'UTC',
    'pg_stat_statements.track': 'top',
    cpu_tuple_cost: '0.01',
  });
  expect(Object.keys(values).length).toBe(
    options.filter((row) => row.default !== undefined).length,
  );
});

test('the table has every option that users know, each once', () => {
  const names = options.map(({ name }) => name);

  expect(new Set(names).size).toBe(names.length);
  expect(names.filter((name) => name.startsWith('plugin_')).length).toBe(53);
  expect(names.filter((name) => !name.startsWith('plugin_')).length).toBe(150);
});

test('the default of every option is one of its values', () => {
  for (const { name, default: value } of options) {
    expect([name, value === undefined || isWellFormed(name, value)]).toEqual([name, true]);
  }
  const defaults = Object.fromEntries(options.map(({ name, default: value }) => [name, value]));
  expect(problemsOf(defaults)).toEqual([]);
});

test('parameters that need a restart are known', () => {
  expect([...restartParameters].toSorted()).toEqual([
    'autovacuum_freeze_max_age',
    'max_connections',
    'max_locks_per_transaction',
    'max_logical_replication_workers',
    'max_prepared_transactions',
    'max_worker_processes',
    'old_snapshot_threshold',
    'shared_buffers',
    'track_activity_query_size',
  ]);
});

test('every problem is named at once, in the order of the table', () => {
  const raw = {
    vacuum_autovacuum_naptime: 0,
    synchronous_node_count: 'none',
    profile: 'fast',
    memory_work_mem: 4.5,
    logging_log_connections: 'yes',
    optimizer_cpu_tuple_cost: -0.5,
    ldap_map: 'a=b,c',
    failover_loop_wait: 60,
  };

  expect(problemsOf(raw)).toEqual([
    'synchronous_node_count has to be all, majority or a whole number of at least 1, not "none"',
    'ldap_map has to be pairs of an LDAP group and a PostgreSQL group, as in ldap=pg,ldap=pg, not "a=b,c"',
    'profile has to be one of production, testing, not "fast"',
    'logging_log_connections has to be true or false, not "yes"',
    'memory_work_mem has to be a whole number from 64 to 2147483647, not "4.5"',
    'optimizer_cpu_tuple_cost has to be a number of at least 0, not "-0.5"',
    'vacuum_autovacuum_naptime has to be a whole number from 1 to 2147483, not "0"',
    'failover_loop_wait and twice failover_retry_timeout have to fit into failover_ttl, not "60 + 2 * 6 > 20"',
  ]);
});

const worker = 'cpu_max_worker_processes';
const roles =
  'ldap_map has to be pairs of an LDAP group and a PostgreSQL group, as in ldap=pg,ldap=pg';
const count = 'synchronous_node_count has to be all, majority or a whole number of at least 1';

test.each([
  { raw: { [worker]: '9'.repeat(9) }, problems: [] },
  {
    raw: { [worker]: '9'.repeat(10) },
    problems: [
      `${worker} has to be auto or a whole number of at least 2, not "9999999999": ` +
        'it has more than 9 characters',
    ],
  },
  { raw: { ldap_map: `a=${'b'.repeat(2998)}` }, problems: [] },
  {
    raw: { ldap_map: `a=${'b'.repeat(200_000)}` },
    problems: [`${roles}, not "a=${'b'.repeat(58)}…": it has more than 3000 characters`],
  },
  // Its length is not what is wrong with it.
  {
    raw: { synchronous_node_count: 'everybody at all' },
    problems: [`${count}, not "everybody at all"`],
  },
])('texts have a length, case %#', ({ raw, problems }) => {
  expect(problemsOf(raw)).toEqual(problems);
});

test.each([
  { ttl: 20, loopWait: 8, retryTimeout: 6, ok: true },
  { ttl: 20, loopWait: 9, retryTimeout: 6, ok: false },
  { ttl: 30, loopWait: 10, retryTimeout: 10, ok: true },
  { ttl: 29, loopWait: 10, retryTimeout: 10, ok: false },
])('$loopWait + 2 * $retryTimeout within $ttl: $ok', ({ ttl, loopWait, retryTimeout, ok }) => {
  const raw = {
    failover_ttl: ttl,
    failover_loop_wait: loopWait,
    failover_retry_timeout: retryTimeout,
  };

  expect(problemsOf(raw).length).toBe(ok ? 0 : 1);
});

test('what is wrong by itself is not held against what it is combined with', () => {
  expect(problemsOf({ failover_loop_wait: 999 })).toEqual([
    'failover_loop_wait has to be a whole number from 1 to 60, not "999"',
  ]);
});

test.each([
  { logging: undefined, optimizer: undefined, result: 'none' },
  { logging: 'pl', optimizer: 'none', result: 'pl' },
  { logging: 'none', optimizer: 'all', result: 'all' },
  { logging: 'all', optimizer: 'all', result: 'all' },
])('functions tracked for $logging and $optimizer: $result', ({ logging, optimizer, result }) => {
  const raw = { logging_track_functions: logging, optimizer_track_functions: optimizer };

  expect(settingsOf(validateSettings(raw)).parameters['track_functions']).toBe(result);
});

test('two options that disagree about one parameter are both named', () => {
  const raw = { logging_track_functions: 'pl', optimizer_track_functions: 'all' };

  expect(problemsOf(raw)).toEqual([
    'logging_track_functions and optimizer_track_functions have to be the same, or one of them ' +
      'none: both set track_functions, not "pl" and "all"',
  ]);
});

test.each([
  { value: 'auto', ok: true },
  { value: '2', ok: true },
  { value: '10', ok: true },
  { value: '1', ok: false },
  { value: '0', ok: false },
  { value: '-2', ok: false },
  { value: '02', ok: false },
  { value: '2.5', ok: false },
  { value: '', ok: false },
  { value: 'AUTO', ok: false },
  { value: '2\n', ok: false },
  { value: 4, ok: false },
])('a number of workers of "$value" is taken: $ok', ({ value, ok }) => {
  expect(problemsOf({ cpu_max_worker_processes: value }).length).toBe(ok ? 0 : 1);
});

test.each([
  { summary: 'a line break', value: 'UTC\nfsync = off' },
  { summary: 'a quote', value: "UTC' " },
  { summary: 'a backslash', value: 'UTC\\' },
  { summary: 'nothing', value: '' },
  { summary: 'a direction mark', value: 'UTC\u202e' },
])('a name with $summary in it never reaches the server', ({ value }) => {
  expect(problemsOf({ request_time_zone: value }).length).toBe(1);
});

test.each([
  { summary: 'nothing', value: null },
  { summary: 'an object', value: {} },
  { summary: 'an object without a text', value: { __proto__: null } },
  { summary: 'a list', value: [1] },
  { summary: 'not a number', value: Number.NaN },
  { summary: 'endless', value: Number.POSITIVE_INFINITY },
  { summary: 'a big integer', value: 10n ** 30n },
  { summary: 'a symbol', value: Symbol('x') },
  { summary: 'a function', value: () => 1 },
  { summary: 'a long text', value: 'x\n'.repeat(1000) },
])('$summary as the value of any option gives settings or a short line', ({ value }) => {
  for (const { name } of options) {
    for (const problem of problemsOf({ [name]: value })) {
      expect(problem.startsWith(`${name} has to be `)).toBe(true);
      expect(problem).not.toMatch(/\n/);
      expect(problem.length).toBeLessThan(300);
    }
  }
});

test('options that nobody knows are ignored, whatever they are called', () => {
  const raw = { constructor: 1, toString: 'x', no_such_option: {} };

  expect(validateSettings(raw)).toEqual(validateSettings({}));
});

test('a number closer to zero than the server can read is refused', () => {
  expect(problemsOf({ optimizer_cpu_tuple_cost: 5e-324 }).length).toBe(1);
  expect(problemsOf({ optimizer_cpu_tuple_cost: 2 ** -1022 })).toEqual([]);
});

test('every number is judged by the limits of its option', () => {
  const numbers = options.filter(({ type }) => type === 'int' || type === 'float');
  // Those of the failover belong together; see above.
  const alone = numbers.filter(({ name }) => !name.startsWith('failover_'));
  for (const { name, min = Number.NaN, max = Number.NaN } of alone) {
    const [below, above] = [min - 1, max < Number.MAX_SAFE_INTEGER ? max + 1 : Infinity];
    const judged = [below, min, max, above].map((value) => problemsOf({ [name]: value }).length);
    expect([name, ...judged]).toEqual([name, 1, 0, 0, 1]);
  }
  expect(alone.length).toBeGreaterThan(60);
});

test.each(options.filter(({ name }) => /^failover_.*(ttl|wait|timeout)$/.test(name)))(
  'the limits of $name are judged',
  ({ name, min = Number.NaN, max = Number.NaN }) => {
    const wide = { failover_ttl: 300, failover_loop_wait: 1, failover_retry_timeout: 3 };
    const judged = [min - 1, min, max, max + 1].map(
      (value) => problemsOf({ ...wide, [name]: value }).length,
    );

    expect(judged).toEqual([1, 0, 0, 1]);
  },
);
