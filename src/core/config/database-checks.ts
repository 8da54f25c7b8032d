// Options whose values only the database or the image can judge. What they have said is kept, so
// that a value is asked about once; one that is not known to be good is not used, and the last
// good one, or else the default, stays in force. Pure.

import * as v from 'valibot';

import { parseStored } from '../stored.ts';
import { isWellFormed } from './validate.ts';

/** What the database is asked about. */
export type DatabaseJudge =
  | 'text-search-config'
  | 'date-style'
  | 'time-zone'
  | 'table-access-method'
  | 'roles';

type Judge = DatabaseJudge | 'locale';

interface CheckedOption {
  readonly option: string;
  readonly judge: Judge;
  /** What every server has; it need not be asked about. */
  readonly default: string | undefined;
}

const checkedOptions: readonly CheckedOption[] = [
  {
    option: 'instance_default_text_search_config',
    judge: 'text-search-config',
    default: 'pg_catalog.simple',
  },
  { option: 'ldap_map', judge: 'roles', default: undefined },
  { option: 'request_date_style', judge: 'date-style', default: 'ISO, MDY' },
  { option: 'request_time_zone', judge: 'time-zone', default: 'UTC' },
  { option: 'storage_default_table_access_method', judge: 'table-access-method', default: 'heap' },
  { option: 'response_lc_monetary', judge: 'locale', default: 'C' },
  { option: 'response_lc_numeric', judge: 'locale', default: 'C' },
  { option: 'response_lc_time', judge: 'locale', default: 'C' },
];

/** What Juju gives; a value of a wrong type is somebody else's to refuse. */
type Raw<Value> = Readonly<Record<string, Value>>;

const textsSchema = v.record(v.string(), v.string());
const verdictsSchema = v.object({
  accepted: textsSchema,
  rejected: textsSchema,
  lost: v.optional(textsSchema, {}),
});

/**
 * Values by option: the last one that was good, one that is known to be bad, and one that was good in
 * an image that has been replaced.
 */
export type Verdicts = v.InferOutput<typeof verdictsSchema>;

export const noVerdicts: Verdicts = { accepted: {}, rejected: {}, lost: {} };

/** Reads what `renderVerdicts` has written; otherwise all is asked about anew. */
export function parseVerdicts(text: string | undefined): Verdicts {
  return parseStored(verdictsSchema, text) ?? noVerdicts;
}

/** Text for the unit's state; `undefined` when there is nothing to remember. */
export function renderVerdicts(verdicts: Verdicts): string | undefined {
  const filled = Object.entries(verdicts).filter(([, values]) => Object.keys(values).length > 0);
  const { accepted, rejected } = verdicts;
  return filled.length === 0
    ? undefined
    : JSON.stringify({ accepted, rejected, ...Object.fromEntries(filled) });
}

interface QuestionTo<J extends Judge> {
  readonly option: string;
  readonly judge: J;
  readonly value: string;
}

export type DatabaseQuestion = QuestionTo<DatabaseJudge>;
export type Question = DatabaseQuestion | QuestionTo<'locale'>;

/**
 * What has to be asked: values that are set and not known to be good. A value that is wrong in form is
 * refused for that, and nobody is asked about it.
 */
export function openQuestions(raw: Raw<unknown>, { accepted }: Verdicts): readonly Question[] {
  return questions(raw).filter(
    ({ option, value }) => accepted[option] !== value && isWellFormed(option, value),
  );
}

const ofImage: readonly Judge[] = ['locale', 'time-zone'];

/**
 * What the image decides: asked anew in each, whatever an earlier one has said, since PostgreSQL would
 * not start. `kept`: values by option that are known to be good in this one.
 */
export function imageQuestions(
  raw: Raw<unknown>,
  kept: Readonly<Record<string, string>>,
): readonly Question[] {
  return questions(raw).filter(
    ({ option, judge, value }) =>
      ofImage.includes(judge) && kept[option] !== value && isWellFormed(option, value),
  );
}

function questions(raw: Raw<unknown>): readonly Question[] {
  return checkedOptions.flatMap(({ option, judge, default: usual }) => {
    const value = raw[option];
    return typeof value === 'string' && value !== usual ? [{ option, judge, value }] : [];
  });
}

/** Whether the value is good; `undefined`: nobody could be asked. */
export type Answer = Question & { readonly good: boolean | undefined };

/** The verdicts with what has been learned; what is at its default is forgotten. */
export function learn(raw: Raw<unknown>, old: Verdicts, answers: readonly Answer[]): Verdicts {
  const set = new Set(questions(raw).map(({ option }) => option));
  const accepted = pick(old.accepted, (option) => set.has(option));
  const rejected = pick(old.rejected, (option) => set.has(option));
  const lost = pick(old.lost, (option) => set.has(option) && raw[option] === old.lost[option]);
  for (const { option, value, good } of answers) {
    if (good === true) {
      accepted[option] = value;
      delete rejected[option];
      delete lost[option];
    } else if (good === false && [accepted[option], lost[option]].includes(value)) {
      // It is not the operator's mistake.
      lost[option] = value;
      delete accepted[option];
    } else if (good === false) {
      rejected[option] = value;
    }
  }
  return { accepted, rejected, lost };
}

function pick(
  from: Readonly<Record<string, string>>,
  keep: (option: string) => boolean,
): Record<string, string> {
  return Object.fromEntries(Object.entries(from).filter(([option]) => keep(option)));
}

export interface JudgedOptions<Value> {
  /** The options with every value that is not known to be good replaced. */
  readonly usable: Raw<Value>;
  readonly problems: readonly string[];
}

/** What may be used now (the options themselves when all may), and what is known to be wrong. */
export function judgeOptions<Value>(
  raw: Raw<Value>,
  verdicts: Verdicts,
): JudgedOptions<Value | string> {
  const open = openQuestions(raw, verdicts);
  if (open.length === 0) return { usable: raw, problems: [] };
  const usable: Record<string, Value | string> = { ...raw };
  for (const { option } of open) {
    const last = verdicts.accepted[option];
    if (last === undefined) delete usable[option];
    else usable[option] = last;
  }
  return {
    usable,
    problems: open
      .filter(({ option, value }) => verdicts.rejected[option] === value)
      .map(({ option, judge }) => problemText(option, judge)),
  };
}

function problemText(option: string, judge: Judge): string {
  return judge === 'locale'
    ? `Value for ${option} not one of the locales available in the system`
    : `${option} config option has an invalid value`;
}

/** The groups of the database in `ldap=pg,ldap=pg`. */
export function mappedRoles(map: string): readonly string[] {
  return map.split(',').map((pair) => pair.slice(pair.indexOf('=') + 1).trim());
}

/** Whether one of these locales (`locale -a`) is meant; a system knows `en_US.UTF-8` as `en_US.utf8`. */
export function isLocaleOf(value: string, available: readonly string[]): boolean {
  return available.some((name) => plainLocale(name) === plainLocale(value));
}

function plainLocale(name: string): string {
  const [language = '', ...codeset] = name.split('.');
  return [language, ...codeset.map((part) => part.toLowerCase().replaceAll('-', ''))].join('.');
}
