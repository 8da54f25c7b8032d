// Times in the form of cron: minute, hour, day of the month, month, day of the week. What is taken is
// what every cron takes; croner, which reckons with it (src/adapters/cron-times.ts), takes all of it.
// Source: POSIX, crontab; crontab(5).

import type { TextForm } from './option-row.ts';

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Largest step. */
  readonly size: number;
  /** Names of the values from `min` on. */
  readonly names?: readonly string[];
}

const months = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');
const days = 'sun mon tue wed thu fri sat'.split(' ');

const fields: readonly Field[] = [
  { name: 'minute', min: 0, max: 59, size: 60 },
  { name: 'hour', min: 0, max: 23, size: 24 },
  { name: 'day of the month', min: 1, max: 31, size: 31 },
  { name: 'month', min: 1, max: 12, size: 12, names: months },
  // Sunday is 0 and 7.
  { name: 'day of the week', min: 0, max: 7, size: 7, names: days },
];

/** Five fields, or nothing at all. */
export const cronForm: TextForm = {
  pattern: /^[\w*,/ -]{0,100}$/,
  words: 'empty or five fields of cron, as in "0 2 * * *"',
  problemOf: cronProblem,
};

/** Whether it is a schedule. */
export function isCron(text: string): boolean {
  return text !== '' && cronForm.pattern.test(text) && cronProblem(text) === undefined;
}

/** What is wrong with the text, with the field that it is wrong in. */
function cronProblem(text: string): string | undefined {
  if (text === '') return undefined;
  const given = text.split(' ').filter((part) => part !== '');
  if (given.length !== fields.length) return `it has ${given.length} fields`;
  for (const [index, field] of fields.entries()) {
    for (const part of (given[index] ?? '').split(',')) {
      const problem = partProblem(part, field);
      if (problem !== undefined) return `its ${field.name} ${problem}`;
    }
  }
  return neverComes(given) ? 'there is no such day' : undefined;
}

/** `*`, `5`, `1-5`, and the ones that are no single value with a step: `*` + `/15`. */
const partPattern =
  /^(?:(?<all>\*)|(?<first>\d{1,2}|[a-z]{3})(?:-(?<last>\d{1,2}|[a-z]{3}))?)(?:\/(?<step>\d{1,2}))?$/i;

function partProblem(part: string, field: Field): string | undefined {
  const found = partPattern.exec(part)?.groups;
  if (found === undefined) return `is "${part}"`;
  const { all, first = '', last, step } = found;
  if (step !== undefined && !isStep(step, field)) {
    return `has the step "${step}", which is not from 1 to ${field.size}`;
  }
  if (all !== undefined) return undefined;
  if (last !== undefined) return rangeProblem({ part, first, last }, field);
  if (valueOf(first, field) === undefined) return outside(first, field);
  return step === undefined ? undefined : `is "${part}": a step follows "*" or a range`;
}

function isStep(text: string, { size }: Field): boolean {
  return Number(text) >= 1 && Number(text) <= size;
}

interface Range {
  readonly part: string;
  readonly first: string;
  readonly last: string;
}

function rangeProblem({ part, first, last }: Range, field: Field): string | undefined {
  const [from, to] = [valueOf(first, field), endOf(last, field)];
  if (from === undefined) return outside(first, field);
  if (to === undefined) return outside(last, field);
  return from > to ? `is "${part}", which ends before it begins` : undefined;
}

function outside(text: string, { min, max }: Field): string {
  return `is "${text}", which is not from ${min} to ${max}`;
}

function valueOf(text: string, { min, max, names }: Field): number | undefined {
  if (/^\d+$/.test(text)) {
    const value = Number(text);
    return value >= min && value <= max ? value : undefined;
  }
  const place = names?.indexOf(text.toLowerCase()) ?? -1;
  return place < 0 ? undefined : min + place;
}

/** A range may end with a Sunday, but not begin with 7. */
function endOf(text: string, field: Field): number | undefined {
  return field.names === days && text.toLowerCase() === 'sun' ? 7 : valueOf(text, field);
}

const longestMonths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Whether none of the months has any of the days; a day of the week always comes. */
function neverComes([, , day = '*', month = '*', weekday = '*']: readonly string[]): boolean {
  const [, , dayField, monthField] = fields;
  if (weekday !== '*' || dayField === undefined || monthField === undefined) return false;
  const earliest = Math.min(...day.split(',').map((part) => beginOf(part, dayField)));
  return !longestMonths.some((length, index) => {
    return length >= earliest && month.split(',').some((part) => has(part, index + 1, monthField));
  });
}

function beginOf(part: string, field: Field): number {
  const first = partPattern.exec(part)?.groups?.['first'];
  return first === undefined ? field.min : (valueOf(first, field) ?? field.min);
}

function has(part: string, value: number, field: Field): boolean {
  const { first, last = first, step = '1' } = partPattern.exec(part)?.groups ?? {};
  const from = beginOf(part, field);
  const to = last === undefined ? field.max : endOf(last, field);
  return to !== undefined && value >= from && value <= to && (value - from) % Number(step) === 0;
}
