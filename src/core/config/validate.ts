// From what Juju gives to typed settings, or to every problem at once. Whatever it is given, it says
// what is wrong with it. Options that are not in the table are ignored: Juju refuses them.

import { cut } from '../../../lib/base/cut.ts';
import { compressLevels } from '../backups/speed.ts';
import { longestText, type OptionRow, type OptionValue, type TextForm } from './option-row.ts';
import { options } from './options.ts';
import {
  type OptionValues,
  type Settings,
  settingsOf,
  trackOptions,
  withDefaults,
} from './settings.ts';

export type SettingsResult =
  | { readonly kind: 'valid'; readonly settings: Settings }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] };

/** Checks all options; collects every problem in the order of the table. */
export function validateSettings(raw: Readonly<Record<string, unknown>>): SettingsResult {
  const { values, wrong, problems } = sortOut(raw);
  // What is wrong by itself is not held against what it is combined with.
  for (const { names, problemOf } of combinations) {
    const problem = names.some((name) => wrong.has(name)) ? undefined : problemOf(values);
    if (problem !== undefined) problems.push(problem);
  }
  if (problems.length > 0) return { kind: 'invalid', problems };
  return { kind: 'valid', settings: settingsOf(values) };
}

/**
 * The settings as if what is wrong by itself were not set, and which options those are: for what has to
 * be known whatever else is wrong.
 */
export function validPart(raw: Readonly<Record<string, unknown>>): {
  readonly settings: Settings;
  readonly wrong: ReadonlySet<string>;
} {
  const { values, wrong } = sortOut(raw);
  return { settings: settingsOf(values), wrong };
}

/** Values that are right by themselves, with defaults for all others, and what is wrong. */
function sortOut(raw: Readonly<Record<string, unknown>>) {
  const problems: string[] = [];
  const wrong = new Set<string>();
  const given: Record<string, OptionValue> = {};
  for (const row of options) {
    const value = Object.hasOwn(raw, row.name) ? raw[row.name] : undefined;
    if (value === undefined || value === null) continue;
    if (isRight(row, value)) given[row.name] = value;
    else {
      const more = detailOf(row, value);
      problems.push(`${row.name} has to be ${expectation(row)}, not "${shown(value)}"${more}`);
      wrong.add(row.name);
    }
  }
  return { values: withDefaults(given), wrong, problems };
}

/** Whether the value is right by itself, as far as it can be told without asking anybody. */
export function isWellFormed(option: string, value: OptionValue): boolean {
  const row = options.find(({ name }) => name === option);
  return row !== undefined && isAcceptable(row, value);
}

/** Most values are at their default; a test sees to it that every default is acceptable. */
function isRight(row: OptionRow, value: unknown): value is OptionValue {
  return (value !== undefined && value === row.default) || isAcceptable(row, value);
}

function isAcceptable(row: OptionRow, value: unknown): value is OptionValue {
  if (row.type === 'boolean') return typeof value === 'boolean';
  if (isTextual(row)) return typeof value === 'string' && isText(row, value);
  return typeof value === 'number' && isNumber(row, value);
}

function isTextual({ type }: OptionRow): boolean {
  return type === 'string' || type === 'secret';
}

function isText({ allowed, form }: OptionRow, value: string): boolean {
  if (value.length > longestOf(form)) return false;
  const formed = form === undefined || (form.pattern.test(value) && !form.problemOf?.(value));
  return formed && (allowed?.includes(value) ?? true);
}

function longestOf(form: TextForm | undefined): number {
  return form?.longest ?? longestText;
}

/** What exactly is wrong with a text that looks right, or is too long for any. */
function detailOf({ form }: OptionRow, value: unknown): string {
  if (form === undefined || typeof value !== 'string') return '';
  const longest = longestOf(form);
  const formed = form.pattern.test(value);
  if (value.length > longest && (formed || value.length > longestText)) {
    return `: it has more than ${longest} characters`;
  }
  if (!formed) return '';
  const detail = form.problemOf?.(value);
  return detail === undefined ? '' : `: ${detail}`;
}

/** Closer to zero than this the server cannot read a number. */
const smallest = 2 ** -1022;

function isNumber({ type, min = -Infinity, max = Infinity }: OptionRow, value: number): boolean {
  const readable =
    type === 'int'
      ? Number.isSafeInteger(value)
      : Number.isFinite(value) && (value === 0 || Math.abs(value) >= smallest);
  return readable && value >= min && value <= max;
}

/** What a value of this option has to be, in words. */
export function expectation(row: OptionRow): string {
  if (row.type === 'boolean') return 'true or false';
  if (row.allowed !== undefined) return `one of ${row.allowed.join(', ')}`;
  if (isTextual(row)) return row.form?.words ?? 'text';
  const kind = row.type === 'int' ? 'a whole number' : 'a number';
  const { min = -Infinity, max = Infinity } = row;
  // Limits of what a number can be say nothing to the reader.
  return max >= Number.MAX_SAFE_INTEGER
    ? `${kind} of at least ${min}`
    : `${kind} from ${min} to ${max}`;
}

const longestShown = 60;

/** The value in one short line. */
export function shown(value: unknown): string {
  const simple = ['string', 'number', 'boolean', 'bigint'].includes(typeof value);
  const whole = simple ? String(value) : Array.isArray(value) ? 'a list' : `a ${typeof value}`;
  return cut(whole, longestShown).replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
}

/** Options that are right one by one but not together. */
interface Combination {
  readonly names: readonly string[];
  readonly problemOf: (values: OptionValues) => string | undefined;
}

const combinations: readonly Combination[] = [
  {
    names: ['failover_ttl', 'failover_loop_wait', 'failover_retry_timeout'],
    problemOf: (values) => {
      const ttl = Number(values['failover_ttl']);
      const loopWait = Number(values['failover_loop_wait']);
      const retryTimeout = Number(values['failover_retry_timeout']);
      return loopWait + 2 * retryTimeout <= ttl
        ? undefined
        : 'failover_loop_wait and twice failover_retry_timeout have to fit into failover_ttl, ' +
            `not "${loopWait} + 2 * ${retryTimeout} > ${ttl}"`;
    },
  },
  {
    names: ['backup_compress_type', 'backup_compress_level'],
    problemOf: (values) => {
      const { backup_compress_type: type, backup_compress_level: level } = values;
      const [least, most] = compressLevels[String(type)] ?? [];
      const unlimited = least === undefined || most === undefined || level === undefined;
      return unlimited || (Number(level) >= least && Number(level) <= most)
        ? undefined
        : `backup_compress_level has to be from ${least} to ${most} for ${String(type)}, not ` +
            `"${String(level)}"`;
    },
  },
  {
    names: trackOptions,
    problemOf: (values) => {
      const [one, other] = trackOptions.map((name) => values[name]);
      return one === other || one === 'none' || other === 'none'
        ? undefined
        : `${trackOptions.join(' and ')} have to be the same, or one of them none: both set ` +
            `track_functions, not "${String(one)}" and "${String(other)}"`;
    },
  },
];
