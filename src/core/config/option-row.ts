// One row of the option table, and the short forms in which the rows are written down.

export type OptionType = 'string' | 'secret' | 'int' | 'boolean' | 'float';
export type OptionValue = string | number | boolean;

/** What a number counts, as PostgreSQL counts it by itself: none of them has to be converted. */
export type OptionUnit = 'ms' | 's' | 'min' | 'B' | 'kB' | 'MB' | 'pages of 8 kB';

/**
 * Where a value ends up: a server parameter, or a decision of the charm. Patroni takes some
 * parameters from the configuration that all members share (`cluster`) and ignores them in a member's
 * own file (`local`).
 */
export type OptionTarget =
  | {
      readonly kind: 'parameter';
      readonly parameter: string;
      readonly scope: 'local' | 'cluster';
    }
  | { readonly kind: 'charm' };

/** What a text has to look like, and the same in words: "has to be …". */
export interface TextForm {
  readonly pattern: RegExp;
  readonly words: string;
  /** Characters at most; `longestText` unless told. */
  readonly longest?: number;
  /** What is wrong with a text that has the pattern, to follow a colon. */
  readonly problemOf?: (text: string) => string | undefined;
}

/**
 * Characters of a text at most. What is set is shown, logged and remembered, and neither an argument of
 * a hook tool nor what Juju keeps for a unit (65,536 bytes) takes a text of any length.
 */
export const longestText = 1000;

export interface OptionRow {
  readonly name: string;
  readonly type: OptionType;
  readonly default?: OptionValue;
  readonly allowed?: readonly string[];
  readonly min?: number;
  readonly max?: number;
  readonly form?: TextForm;
  readonly unit?: OptionUnit;
  readonly target: OptionTarget;
  /** PostgreSQL takes a new value when it starts, not before. */
  readonly restart?: boolean;
  readonly description: string;
}

export const int32 = 2147483647;

/** Groups whose options are server parameters: the group's name is taken off. */
const parameterGroups: ReadonlySet<string> = new Set([
  'connection',
  'cpu',
  'durability',
  'instance',
  'logging',
  'memory',
  'optimizer',
  'request',
  'response',
  'session',
  'storage',
  'vacuum',
]);

const otherSpellings: Readonly<Record<string, string>> = {
  date_style: 'DateStyle',
  time_zone: 'TimeZone',
};

/** `vacuum_vacuum_cost_delay` → `vacuum_cost_delay`; `undefined` for an option of another group. */
export function parameterOf(option: string): string | undefined {
  const end = option.indexOf('_');
  const rest = option.slice(end + 1);
  if (end < 0 || !parameterGroups.has(option.slice(0, end))) return undefined;
  return otherSpellings[rest] ?? rest.replace(/^pg_stat_statements_/, 'pg_stat_statements.');
}

/**
 * Parameters that Patroni takes from the shared configuration only, of those that have an option.
 * Source: Patroni documentation, "Patroni configuration", "Important rules".
 */
const clusterParameters: ReadonlySet<string> = new Set([
  'max_connections',
  'max_locks_per_transaction',
  'max_prepared_transactions',
  'max_worker_processes',
  'wal_keep_size',
]);

/** A decision of the charm. */
export const charm: OptionTarget = { kind: 'charm' };

/** A server parameter. */
export function parameter(name: string): OptionTarget {
  const scope = clusterParameters.has(name) ? 'cluster' : 'local';
  return { kind: 'parameter', parameter: name, scope };
}

type More = Partial<Omit<OptionRow, 'name' | 'type' | 'description'>>;

/** Writes rows of one type; the target follows from the name unless told. */
function rowsOf(type: OptionType) {
  return (name: string, more: More, description: string): OptionRow => {
    const own = parameterOf(name);
    return {
      name,
      type,
      target: own === undefined ? charm : parameter(own),
      description,
      ...more,
    };
  };
}

export const text = rowsOf('string');
export const secret = rowsOf('secret');
export const int = rowsOf('int');
export const float = rowsOf('float');
const boolean = rowsOf('boolean');

/** A switch. */
export function flag(name: string, on: boolean, description: string): OptionRow {
  return boolean(name, { default: on }, description);
}
