// Generated values over the whole option table. The seed is fixed: a failure can be repeated.

import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';

import { Secret } from '../../../../lib/base/secret.ts';
import type { OptionRow } from '../../../../src/core/config/option-row.ts';
import { options } from '../../../../src/core/config/options.ts';
import type { Settings } from '../../../../src/core/config/settings.ts';
import { validateSettings } from '../../../../src/core/config/validate.ts';
import { renderDynamic, renderMember } from '../../../../src/core/render/patroni.ts';
import { anyValue, rightValue, wrongValue } from '../../../support/options/arbitrary-values.ts';

const seed = 20260131;
const others = new Set([
  'backup_compress_type',
  'backup_compress_level',
  'failover_ttl',
  'failover_loop_wait',
  'failover_retry_timeout',
  'logging_track_functions',
  'optimizer_track_functions',
]);
/** Options whose values do not depend on each other. */
const independent = options.filter(({ name }) => !others.has(name));

function repeat(numRuns: number): fc.Parameters<unknown> {
  return { seed, numRuns };
}

/** Values for some of the options. */
function some(
  rows: readonly OptionRow[],
  value: (row: OptionRow) => fc.Arbitrary<unknown>,
): fc.Arbitrary<Readonly<Record<string, unknown>>> {
  return fc
    .subarray([...rows], { maxLength: 8 })
    .chain((chosen) =>
      fc.tuple(...chosen.map((row) => fc.tuple(fc.constant(row.name), value(row)))),
    )
    .map((pairs) => Object.fromEntries(pairs));
}

const secret = new Secret('x');
const resources = { cores: 2, memoryBytes: 2 ** 50 };

/** The server parameters of the member's own file. */
function localParameters(settings: Settings): unknown {
  const member = renderMember({
    settings,
    resources,
    unit: 'postgresql-k8s/0',
    app: 'postgresql-k8s',
    namespace: 'model',
    podIp: '10.1.2.3',
    binDir: '/usr/lib/postgresql/17/bin',
    passwords: { operator: secret, replication: secret, rewind: secret, patroni: secret },
    preloadLibraries: [],
    members: 3,
    stanza: undefined,
    connectivity: true,
    initialised: true,
    bootstrap: { kind: 'initdb' },
  });
  return field(field(member, 'postgresql'), 'parameters');
}

function sharedConfig(settings: Settings): unknown {
  return renderDynamic({ settings, resources, members: 3, stanza: undefined, patroniVersion: '4' });
}

/** What a reader of the written file gets. */
function throughYaml(value: unknown): unknown {
  return parse(stringify(value, { lineWidth: 0, version: '1.1' }), { version: '1.1' });
}

function field(document: unknown, name: string): unknown {
  return typeof document === 'object' && document !== null
    ? Reflect.get(document, name)
    : undefined;
}

/** What PostgreSQL reads in a text of ours. */
function readText(text: unknown, row: OptionRow): unknown {
  if (row.type === 'boolean') return { on: true, off: false }[String(text)];
  if (row.type === 'string' || row.type === 'secret') return text;
  const [, number, unit] = /^([-+.\de]+?)(ms|s|min|B|kB|MB)?$/.exec(String(text)) ?? [];
  expect([undefined, row.unit]).toContain(unit);
  return Number(number);
}

/** What Patroni calls the options that are no parameters. */
const ownNames: Readonly<Record<string, string>> = {
  durability_maximum_lag_on_failover: 'maximum_lag_on_failover',
  failover_failsafe_mode: 'failsafe_mode',
  failover_primary_start_timeout: 'primary_start_timeout',
  synchronous_mode_strict: 'synchronous_mode_strict',
};

/** The value as the reader of the file understands it. */
function readBack(row: OptionRow, settings: Settings): unknown {
  const { target } = row;
  if (target.kind === 'charm') {
    return throughYaml(field(sharedConfig(settings), ownNames[row.name] ?? ''));
  }
  const { parameter, scope } = target;
  if (scope === 'local') {
    return readText(throughYaml(field(localParameters(settings), parameter)), row);
  }
  const shared = field(sharedConfig(settings), 'postgresql');
  return throughYaml(field(field(shared, 'parameters'), parameter));
}

/** What is meant to arrive. */
function meant(row: OptionRow, value: string | number | boolean): unknown {
  if (row.name.startsWith('cpu_max_')) {
    const workers = value === 'auto' ? 4 : Number(value);
    // Two cores have four processes, of which no more than that can be parallel workers.
    const most = row.name === 'cpu_max_parallel_workers' ? Math.min(workers, 4) : workers;
    return row.name === 'cpu_max_worker_processes' ? most : String(most);
  }
  if (row.name === 'durability_wal_keep_size') return Math.max(Number(value), 16);
  // A text has one zero only.
  return value === 0 ? 0 : value;
}

test('a right value of any option arrives where it belongs', () => {
  const arriving = independent.filter(
    ({ name, target }) => target.kind === 'parameter' || name in ownNames,
  );
  for (const row of arriving) {
    fc.assert(
      fc.property(rightValue(row), (value) => {
        const result = validateSettings({ [row.name]: value });
        if (result.kind === 'invalid') throw new Error(result.problems.join());
        const got = readBack(row, result.settings);
        if (!Object.is(got, meant(row, value))) throw new Error(`${row.name}: ${String(got)}`);
      }),
      repeat(12),
    );
  }
});

test('a file with many right values can be read back', () => {
  fc.assert(
    fc.property(some(independent, rightValue), (raw) => {
      const result = validateSettings(raw);
      if (result.kind === 'invalid') throw new Error(result.problems.join());
      const parameters = localParameters(result.settings);
      expect(throughYaml(parameters)).toEqual(parameters);
    }),
    repeat(30),
  );
});

test('right values are right together', () => {
  fc.assert(
    fc.property(some(independent, rightValue), (raw) => {
      const result = validateSettings(raw);
      if (result.kind === 'invalid') throw new Error(result.problems.join());
    }),
    repeat(1500),
  );
});

test('a wrong value of any option is named, and nothing else, whatever is right besides', () => {
  for (const row of options) {
    const rest = some(
      independent.filter(({ name }) => name !== row.name),
      rightValue,
    );
    fc.assert(
      fc.property(wrongValue(row), rest, (value, right) => {
        const result = validateSettings({ ...right, [row.name]: value });
        const problems = result.kind === 'invalid' ? result.problems : [];
        const named = problems[0]?.startsWith(`${row.name} has to be `) === true;
        if (problems.length !== 1 || !named) throw new Error(problems.join());
      }),
      repeat(14),
    );
  }
});

test('of two wrong values both are named', () => {
  const two = fc.subarray([...options], { minLength: 2, maxLength: 2 });
  const wrong = two.chain((rows) =>
    fc.tuple(...rows.map((row) => fc.tuple(fc.constant(row.name), wrongValue(row)))),
  );
  fc.assert(
    fc.property(wrong, (pairs) => {
      const result = validateSettings(Object.fromEntries(pairs));
      const problems = result.kind === 'invalid' ? result.problems : [];
      const named = problems.map((problem) => problem.split(' ')[0]);
      if (named.join() !== pairs.map(([name]) => name).join()) throw new Error(problems.join());
    }),
    repeat(2000),
  );
});

test('anything at all gives either settings or problems that name an option', () => {
  const names = new Set(options.map(({ name }) => name));
  const unknown = fc.dictionary(fc.string(), fc.anything({ maxDepth: 1 }), { maxKeys: 2 });
  fc.assert(
    fc.property(some(options, anyValue), unknown, (raw, more) => {
      const result = validateSettings({ ...more, ...raw });
      if (result.kind === 'valid') return;
      if (result.problems.length === 0) throw new Error('refused without a problem');
      for (const problem of result.problems) {
        const named = names.has(problem.split(' ')[0] ?? '');
        if (!named || /[\n\r\0]/.test(problem)) throw new Error(problem);
      }
    }),
    repeat(3000),
  );
});
