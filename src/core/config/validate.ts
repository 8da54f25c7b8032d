// From what Juju gives to typed settings, or to every problem at once. Unknown options cannot
// occur: Juju refuses them.

import type { OptionRow, OptionValue } from './option-row.ts';
import { options } from './options.ts';

export interface Settings {
  readonly synchronousNodeCount: 'all' | 'majority' | number;
  readonly synchronousModeStrict: boolean;
  readonly profile: 'production' | 'testing';
  readonly profileLimitMemoryMb: number | undefined;
  readonly maximumLagOnFailoverBytes: number;
  /** Server parameters as PostgreSQL spells them. */
  readonly parameters: Readonly<Record<string, string>>;
}

export type SettingsResult =
  | { readonly kind: 'valid'; readonly settings: Settings }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] };

type Raw = Readonly<Record<string, OptionValue>>;

/** Checks all options; collects every problem in the order of the table. */
export function validateSettings(raw: Raw): SettingsResult {
  const problems = options.flatMap((row) => problemsOf(row, raw[row.name]));
  if (problems.length > 0) return { kind: 'invalid', problems };
  return { kind: 'valid', settings: settingsOf(raw) };
}

function problemsOf(row: OptionRow, value: OptionValue | undefined): readonly string[] {
  if (value === undefined) return [];
  const problem = typeProblem(row, value) ?? listProblem(row, value) ?? rangeProblem(row, value);
  return problem === undefined ? [] : [`${row.name} ${problem}`];
}

function typeProblem(row: OptionRow, value: OptionValue): string | undefined {
  const expected = {
    string: 'string',
    boolean: 'boolean',
    int: 'number',
    float: 'number',
  } as const;
  if (typeof value !== expected[row.type]) return `has to be of type ${row.type}`;
  if (row.type === 'int' && !Number.isInteger(value)) return 'has to be a whole number';
  return undefined;
}

function listProblem(row: OptionRow, value: OptionValue): string | undefined {
  if (row.allowed !== undefined && !row.allowed.includes(String(value))) {
    return `has to be one of ${row.allowed.join(', ')}, not "${String(value)}"`;
  }
  if (row.form !== undefined && !row.form.pattern.test(String(value))) {
    return `has to be ${row.form.words}, not "${String(value)}"`;
  }
  return undefined;
}

function rangeProblem(row: OptionRow, value: OptionValue): string | undefined {
  if (typeof value !== 'number') return undefined;
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = row;
  return value < min || value > max ? `has to be from ${min} to ${max}, not ${value}` : undefined;
}

function settingsOf(raw: Raw): Settings {
  const value = (name: string): OptionValue | undefined =>
    raw[name] ?? options.find((row) => row.name === name)?.default;
  const count = String(value('synchronous_node_count'));
  const limit = value('profile_limit_memory');
  return {
    synchronousNodeCount: count === 'all' || count === 'majority' ? count : Number(count),
    synchronousModeStrict: value('synchronous_mode_strict') === true,
    profile: value('profile') === 'testing' ? 'testing' : 'production',
    profileLimitMemoryMb: typeof limit === 'number' ? limit : undefined,
    maximumLagOnFailoverBytes: Number(value('durability_maximum_lag_on_failover')),
    parameters: Object.fromEntries(
      options.flatMap((row) => {
        const given = value(row.name);
        if (row.target.kind !== 'parameter' || given === undefined) return [];
        return [[row.target.parameter, parameterText(row, given)]];
      }),
    ),
  };
}

const unitSuffixes: Readonly<Record<string, string>> = {
  wal_keep_size: 'MB',
  maintenance_work_mem: 'kB',
  work_mem: 'kB',
  statement_timeout: 'ms',
  log_min_duration_statement: 'ms',
  autovacuum_naptime: 's',
};

/** The value as postgresql.conf has it: `on`/`off`, numbers with the unit that the option documents. */
function parameterText(row: OptionRow, value: OptionValue): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (typeof value === 'string' || row.target.kind !== 'parameter') return String(value);
  const suffix = unitSuffixes[row.target.parameter];
  return suffix === undefined || value <= 0 ? String(value) : `${value}${suffix}`;
}
