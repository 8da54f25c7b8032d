// Whether the parameters of an action are what its row declares. Newer versions of Juju check this
// too, older ones let unknown names through. Pure.

import { cut } from '../../lib/base/cut.ts';
import type { ActionParameter, ActionRow } from './action-table.ts';

/** Longer than anything that somebody means. */
const maximumLength = 4096;
const shownLength = 40;

/** What is wrong with the first bad parameter; never repeats a value, which may be a password. */
export function parameterProblem(
  row: ActionRow,
  given: Readonly<Record<string, unknown>>,
): string | undefined {
  for (const [name, value] of Object.entries(given)) {
    const known = row.parameters.find((each) => each.name === name);
    const problem = known === undefined ? unknownProblem(row, name) : valueProblem(known, value);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function unknownProblem({ name, parameters }: ActionRow, given: string): string {
  const known = parameters.map((each) => each.name);
  const choice = known.length === 0 ? 'it has none' : `it has: ${known.join(', ')}`;
  return `The action ${name} has no parameter ${shorten(given)}; ${choice}`;
}

function valueProblem({ name, type }: ActionParameter, value: unknown): string | undefined {
  if (typeof value !== type) {
    const wanted = type === 'boolean' ? 'true or false' : 'a text; numbers need --string-args';
    return `The parameter ${name} has to be ${wanted}`;
  }
  if (typeof value === 'string' && value.length > maximumLength) {
    return `The parameter ${name} has more than ${maximumLength} characters`;
  }
  return undefined;
}

/** A name or value of the operator's in quotes, in one line and of bearable length. */
export function shorten(text: string): string {
  return JSON.stringify(cut(text, shownLength));
}

/** The same without quotes where it is as plain as a name, as messages have always shown it. */
export function shown(text: string): string {
  return /^[\w.:+/-]{0,40}$/.test(text) ? text : shorten(text);
}
