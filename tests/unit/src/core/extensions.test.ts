import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import {
  enabledPlugins,
  extensionOptions,
  extensionParameters,
  planExtensions,
  unsatisfiedPlugins,
  wantedExtensions,
} from '../../../../src/core/config/extensions.ts';
import {
  extensionsStatus,
  isSettled,
  parseRecord,
  renderRecord,
  renderUnfinished,
  unwantedExtensions,
} from '../../../../src/core/config/extensions-record.ts';

const names = extensionOptions.map(({ name }) => name);
const all = wantedExtensions(names);

test('there are 53 switches, of which only the audit is on', () => {
  expect(new Set(names).size).toBe(53);
  expect(names.every((name) => /^plugin_[a-z0-9_]+_enable$/.test(name))).toBe(true);
  expect(extensionOptions.filter((row) => row.default).map(({ name }) => name)).toEqual([
    'plugin_audit_enable',
  ]);
  expect(enabledPlugins({})).toEqual(['plugin_audit_enable']);
});

test('switches stand for extensions of the same name, with three exceptions', () => {
  const differing = names.filter(
    (name) => wantedExtensions([name]).join() !== name.replace(/^plugin_(.*)_enable$/, '$1'),
  );

  expect(Object.fromEntries(differing.map((name) => [name, wantedExtensions([name])]))).toEqual({
    plugin_audit_enable: ['pgaudit'],
    plugin_spi_enable: ['refint', 'autoinc', 'insert_username', 'moddatetime'],
    plugin_uuid_ossp_enable: ['uuid-ossp'],
  });
});

test('a value that is no boolean switches nothing on', () => {
  expect(enabledPlugins({ plugin_audit_enable: 'true', plugin_hstore_enable: 1 })).toEqual([]);
});

test('every option that lacks what it needs is named with what it lacks', () => {
  const enabled = enabledPlugins({
    plugin_postgis_tiger_geocoder_enable: true,
    plugin_fuzzystrmatch_enable: true,
    plugin_earthdistance_enable: true,
    plugin_jsonb_plperl_enable: true,
    plugin_plperl_enable: true,
  });

  expect(unsatisfiedPlugins(enabled)).toEqual([
    'plugin_earthdistance_enable needs cube',
    'plugin_postgis_tiger_geocoder_enable needs postgis',
  ]);
  expect(unsatisfiedPlugins(['plugin_postgis_tiger_geocoder_enable'])).toEqual([
    'plugin_postgis_tiger_geocoder_enable needs postgis and fuzzystrmatch',
  ]);
});

test('what is needed is created first and dropped last', () => {
  const chain = ['postgis_tiger_geocoder', 'postgis', 'fuzzystrmatch', 'jsonb_plperl', 'plperl'];

  const { create } = planExtensions({ wanted: chain, unwanted: [] }, ['plpgsql']);
  const { drop } = planExtensions({ wanted: [], unwanted: chain }, chain);

  for (const [dependent, needed] of [
    ['postgis_tiger_geocoder', 'postgis'],
    ['postgis_tiger_geocoder', 'fuzzystrmatch'],
    ['jsonb_plperl', 'plperl'],
  ] as const) {
    expect(create.indexOf(needed)).toBeLessThan(create.indexOf(dependent));
    expect(drop.indexOf(dependent)).toBeLessThan(drop.indexOf(needed));
  }
});

test('a plan is the difference, leaves others alone, and carried out leaves nothing to do', () => {
  const some = fc.subarray([...all]);
  const property = fc.property(some, some, some, (wanted, unwanted, present) => {
    const goal = { wanted, unwanted: [...unwanted, 'own_extension'] };
    const installed = [...present, 'plpgsql', 'own_extension'];

    const { create, drop } = planExtensions(goal, installed);
    const after = [...installed.filter((name) => !drop.includes(name)), ...create];

    const stay = present.filter((name) => !wanted.includes(name) && !unwanted.includes(name));
    expect(after.toSorted()).toEqual([...wanted, ...stay, 'plpgsql', 'own_extension'].toSorted());
    expect(planExtensions(goal, after)).toEqual({ create: [], drop: [] });
  });
  fc.assert(property, { numRuns: 300, seed: 5 });
});

test('the server audits as long as the extension is on', () => {
  expect(extensionParameters(['plugin_audit_enable'])).toEqual({
    'pgaudit.log': 'ROLE,DDL,MISC,MISC_SET',
    'pgaudit.log_client': 'off',
    'pgaudit.log_parameter': 'off',
  });
  expect(extensionParameters(['plugin_hstore_enable'])).toEqual({});
});

function carriedOut(enabled: readonly string[]) {
  return parseRecord(renderRecord(undefined, { enabled, problem: undefined, left: [] }));
}

const problems = [
  {
    kind: 'missing' as const,
    level: 'blocked',
    message: 'Extensions not in the image: postgis, hll',
  },
  {
    kind: 'failed' as const,
    level: 'blocked',
    message: 'Cannot change extensions: postgis, hll. See logs',
  },
  {
    kind: 'dependents' as const,
    level: 'blocked',
    message: 'Cannot disable plugins: Existing objects depend on it. See logs',
  },
];

test.each(problems)('a problem of kind $kind is told until it is over', ({ kind, ...status }) => {
  const enabled = ['plugin_audit_enable'];
  const problem = { kind, extensions: ['postgis', 'hll'] };
  const record = parseRecord(renderRecord(undefined, { enabled, problem, left: [] }));

  expect(extensionsStatus(record, enabled)).toEqual(status);
  expect(isSettled(record, enabled)).toBe(false);
});

test('switches that have been carried out are settled until they change', () => {
  const record = carriedOut(['plugin_audit_enable']);

  expect(isSettled(record, ['plugin_audit_enable'])).toBe(true);
  expect(extensionsStatus(record, ['plugin_audit_enable'])).toBeUndefined();
  expect(isSettled(record, [])).toBe(false);
  expect(extensionsStatus(record, [])).toEqual({
    level: 'waiting',
    message: 'Updating extensions',
  });
});

test('switches that cannot work together are told before anything else', () => {
  expect(extensionsStatus(undefined, ['plugin_earthdistance_enable'])).toEqual({
    level: 'blocked',
    message: 'Unsatisfied plugin dependencies. Please check the logs',
  });
});

test('nothing carried out yet is no empty set of switches', () => {
  expect(isSettled(parseRecord(undefined), [])).toBe(false);
  expect(extensionsStatus(undefined, [])?.message).toBe('Updating extensions');
  expect(isSettled(carriedOut([]), [])).toBe(true);
});

const audit = 'plugin_audit_enable';
const hstore = 'plugin_hstore_enable';
const spi = 'plugin_spi_enable';

test('what the charm has created is to be dropped when its switch is off, and nothing else', () => {
  expect(unwantedExtensions(carriedOut([audit, hstore]), [audit])).toEqual(['hstore']);
  expect(unwantedExtensions(carriedOut([audit]), [audit, hstore])).toEqual([]);
  expect(unwantedExtensions(undefined, [])).toEqual([]);
});

test('what could not be dropped is to be dropped until it is gone', () => {
  const before = carriedOut([hstore, spi, audit]);
  const problem = { kind: 'dependents' as const, extensions: ['autoinc'] };
  const left = parseRecord(renderRecord(before, { enabled: [audit], problem, left: ['autoinc'] }));

  expect(unwantedExtensions(left, [audit])).toEqual(wantedExtensions([spi]));
  const gone = parseRecord(renderRecord(left, { enabled: [audit], problem: undefined, left: [] }));
  expect(unwantedExtensions(gone, [audit])).toEqual([]);
});

test('an image that lacks one makes nothing the own', () => {
  const problem = { kind: 'missing' as const, extensions: ['hll'] };
  const enabled = ['plugin_hll_enable', hstore];
  const record = parseRecord(renderRecord(carriedOut([audit]), { enabled, problem, left: [] }));

  expect(unwantedExtensions(record, [])).toEqual(['pgaudit']);
});

test('what was begun counts as created, and as not carried out', () => {
  const record = parseRecord(renderUnfinished(carriedOut([audit]), [hstore]));

  expect(isSettled(record, [hstore])).toBe(false);
  expect(extensionsStatus(record, [hstore])?.message).toBe('Updating extensions');
  expect(unwantedExtensions(record, [])).toEqual(['pgaudit', 'hstore']);
  expect(renderUnfinished(record, [hstore])).toBe(JSON.stringify(record));
});

test('a problem that an earlier version has noted says nothing of what it had created', () => {
  const record = parseRecord(
    JSON.stringify({ enabled: [hstore], problem: { kind: 'missing', extensions: ['hll'] } }),
  );

  expect(unwantedExtensions(record, [])).toEqual([]);
});

test.each(['', '[]', '{"enabled":"all"}', '{"enabled":[],"problem":{"kind":"newer"}}', '{"unterm'])(
  'a record that cannot be read says nothing of what was carried out (%j)',
  (text) => {
    expect(parseRecord(text)).toBeUndefined();
  },
);
