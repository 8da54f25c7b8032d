// Parameters that make no sense, for every action: each is refused with one clear sentence, changes
// nothing, and does not repeat what may have been a password. The cases are generated, always the
// same ones.

import { beforeAll, expect, test } from '@jest/globals';

import { type ActionRow, actionTable } from '../../src/core/action-table.ts';
import { stateDifferences } from '../support/scenario/compare.ts';
import { action } from '../support/scenario/events.ts';
import { after, running, underTest } from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import { run } from '../support/scenario/run.ts';

type Params = Readonly<Record<string, unknown>>;

const marker = 'never-to-be-shown-again';

/** Of every type that JSON has. */
const oddValues: readonly unknown[] = [
  null,
  0,
  -1.5,
  12_345_678,
  [],
  [marker],
  {},
  { [marker]: marker },
  `${marker}${'x'.repeat(5_000)}`,
  '🔑'.repeat(100_000),
];

const oddNames: readonly string[] = [
  '',
  ' ',
  'Type',
  'constructor',
  '__proto__',
  'toString',
  'a\nb',
  'x'.repeat(70_000),
  '日本語',
  '--format',
];

/** Texts that are of the right type, and still nonsense for every parameter that takes one. */
const oddTexts: readonly string[] = [
  '',
  ' ',
  '\0',
  'two\nlines',
  '../../etc/passwd',
  "'; DROP TABLE users; --",
  '$(reboot)',
  '{{7*7}}',
  'x'.repeat(4_000),
  'ünïcödé ①',
];

const defaults: Readonly<Record<string, string>> = { string: 'text', boolean: 'false' };

function casesOf({ name, parameters }: ActionRow): readonly Params[] {
  const own = parameters.map((each) => each.name);
  return [
    ...oddNames.map((odd) => ({ [odd]: marker })),
    ...oddNames.map(
      (odd): Params => Object.fromEntries([...own, odd].map((each) => [each, 1] as const)),
    ),
    ...parameters.flatMap(({ name: known, type }) => [
      ...oddValues.map((value) => ({ [known]: value })),
      { [known]: type === 'boolean' ? 'true' : true },
      { [known]: defaults[type] === 'text' ? 1 : 'no' },
      ...(type === 'string' ? oddTexts.map((text) => complete(name, { [known]: text })) : []),
    ]),
  ];
}

/** With what else the action needs, so that it is this text that is refused. */
function complete(name: string, params: Params): Params {
  return name === 'set-password' && 'password' in params
    ? { username: 'nobody', ...params }
    : params;
}

/** Juju would refuse most of these itself: here it declares whatever is given. */
function lenient(name: string, params: Params) {
  const declared = Object.keys(params).map((each) => [each, {}] as const);
  const entry = { params: Object.fromEntries(declared), required: [] };
  const { files } = underTest;
  return { ...underTest, files: { ...files, actions: { ...files.actions, [name]: entry } } };
}

let given: PostgresqlState;
beforeAll(async () => {
  // One action that changes nothing brings the state into the form that the others are held against.
  given = await after(await running({ leader: true, others: [1] }), action('get-primary'));
});

test('there are enough cases', () => {
  expect(actionTable.flatMap(casesOf).length).toBeGreaterThan(300);
});

test.each(actionTable.map((row) => [row.name, row] as const))(
  '%s refuses nonsense',
  async (name, row) => {
    for (const params of casesOf(row)) {
      const event = action(name, params);
      const result = await run({
        charm: lenient(name, params),
        state: given,
        event,
        interruptible: false,
      });

      const { failed, results } = result.action;
      expect({ params, exitCode: result.exitCode, results }).toEqual({
        params,
        exitCode: 0,
        results: {},
      });
      expect(failed).toMatch(/^[^\n]{10,400}$/);
      expect(failed).not.toContain(marker);
      expect(result.log.filter(({ level }) => level === 'ERROR')).toEqual([]);
      expect(JSON.stringify(result.log)).not.toContain(marker);
      expect(stateDifferences(given, result.state)).toEqual([]);
      expect(result.disturbances).toEqual([]);
    }
  },
);
