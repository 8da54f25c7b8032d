import { expect, test } from '@jest/globals';

import { parameterProblem, shown } from '../../../../src/core/action-parameters.ts';
import type { ActionRow } from '../../../../src/core/action-table.ts';

const row: ActionRow = {
  name: 'do-it',
  description: '',
  runsOn: '',
  parameters: [
    { name: 'text', type: 'string', description: '' },
    { name: 'flag', type: 'boolean', description: '' },
  ],
  results: {},
};
const bare: ActionRow = { ...row, parameters: [] };

const rows: readonly {
  readonly summary: string;
  readonly given: Readonly<Record<string, unknown>>;
  readonly of?: ActionRow;
  readonly problem?: string;
}[] = [
  { summary: 'nothing at all', given: {} },
  { summary: 'what is declared', given: { text: '', flag: false } },
  { summary: 'a text of the greatest length', given: { text: 'x'.repeat(4096) } },
  {
    summary: 'a longer text',
    given: { text: 'x'.repeat(4097) },
    problem: 'The parameter text has more than 4096 characters',
  },
  {
    summary: 'a number for a text',
    given: { text: 12_345_678 },
    problem: 'The parameter text has to be a text; numbers need --string-args',
  },
  {
    summary: 'nothing for a text',
    given: { text: null },
    problem: 'The parameter text has to be a text; numbers need --string-args',
  },
  {
    summary: 'a text for a flag',
    given: { flag: 'true' },
    problem: 'The parameter flag has to be true or false',
  },
  {
    summary: 'a list for a flag',
    given: { flag: [true] },
    problem: 'The parameter flag has to be true or false',
  },
  {
    summary: 'an unknown name',
    given: { text: 'x', txet: 'x' },
    problem: 'The action do-it has no parameter "txet"; it has: text, flag',
  },
  {
    summary: 'a parameter where there are none',
    given: { text: 'x' },
    of: bare,
    problem: 'The action do-it has no parameter "text"; it has none',
  },
  {
    summary: 'a name that is long and of several lines',
    given: { [`a\n${'b'.repeat(100)}`]: 1 },
    of: bare,
    problem: `The action do-it has no parameter "a\\n${'b'.repeat(38)}…"; it has none`,
  },
];

test.each(rows)('$summary', ({ given, of = row, problem }) => {
  expect(parameterProblem(of, given)).toBe(problem);
});

test('what an operator typed is shown in one line, plain when it is plain', () => {
  expect(shown('alice')).toBe('alice');
  expect(shown('')).toBe('');
  expect(shown('a b\n')).toBe('"a b\\n"');
});
