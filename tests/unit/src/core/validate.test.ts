import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { options } from '../../../../src/core/config/options.ts';
import { validateSettings } from '../../../../src/core/config/validate.ts';

const defaults = {
  synchronousNodeCount: 'all',
  synchronousModeStrict: true,
  profile: 'production',
  profileLimitMemoryMb: undefined,
  maximumLagOnFailoverBytes: 1048576,
  parameters: {
    synchronous_commit: 'on',
    wal_keep_size: '4096MB',
    statement_timeout: '0',
    maintenance_work_mem: '65536kB',
    work_mem: '4096kB',
    log_connections: 'on',
    log_disconnections: 'on',
    log_lock_waits: 'off',
    log_min_duration_statement: '-1',
    default_statistics_target: '100',
    autovacuum_naptime: '60s',
  },
};

test('nothing set means the defaults of the table', () => {
  expect(validateSettings({})).toEqual({ kind: 'valid', settings: defaults });
});

test('every problem is named at once, in the order of the table', () => {
  const result = validateSettings({
    vacuum_autovacuum_naptime: 0,
    synchronous_node_count: 'none',
    profile: 'fast',
    memory_work_mem: 4.5,
    logging_log_connections: 'yes',
  });

  expect(result).toEqual({
    kind: 'invalid',
    problems: [
      'synchronous_node_count has to be all, majority or a number of at least 1, not "none"',
      'profile has to be one of production, testing, not "fast"',
      'memory_work_mem has to be a whole number',
      'logging_log_connections has to be of type boolean',
      'vacuum_autovacuum_naptime has to be from 1 to 2147483, not 0',
    ],
  });
});

const limits = options.flatMap((row) => {
  const cases = [];
  if (row.min !== undefined)
    cases.push({ row, value: row.min, ok: true }, { row, value: row.min - 1, ok: false });
  if (row.max !== undefined)
    cases.push({ row, value: row.max, ok: true }, { row, value: row.max + 1, ok: false });
  return cases;
});

test.each(limits.map((each) => ({ ...each, summary: `${each.row.name} = ${each.value}` })))(
  '$summary is judged by its limits',
  ({ row, value, ok }) => {
    expect(validateSettings({ [row.name]: value }).kind).toBe(ok ? 'valid' : 'invalid');
  },
);

test('any values at all give either settings or problems that name an option', () => {
  const value = fc.oneof(fc.string(), fc.integer(), fc.double(), fc.boolean());
  const config = fc.dictionary(fc.constantFrom(...options.map(({ name }) => name)), value);

  fc.assert(
    fc.property(config, (raw) => {
      const result = validateSettings(raw);
      if (result.kind === 'valid')
        return Object.values(result.settings.parameters).every((text) => text !== '');
      return result.problems.every((problem) =>
        options.some(({ name }) => problem.startsWith(name)),
      );
    }),
    { numRuns: 10_000 },
  );
});
