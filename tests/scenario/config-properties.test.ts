// config-changed with generated settings, through the whole charm: whatever an operator sets, the hook
// ends well, and settings are taken over as a whole or not at all.

import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { options } from '../../src/core/config/options.ts';
import { validateSettings } from '../../src/core/config/validate.ts';
import { longText, typedValue } from '../support/options/arbitrary-values.ts';
import { configChanged, updateStatus } from '../support/scenario/events.ts';
import { fileOf, running, underTest } from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import { type RunResult, run } from '../support/scenario/run.ts';

const seed = 20260131;
const casesInBatch = 20;
const batches = Array.from({ length: 10 }, (_, batch) => ({ batch }));

const path = '/var/lib/postgresql/data/patroni.yml';

const configs = fc
  .subarray([...options], { minLength: 1, maxLength: 4 })
  .chain((rows) => fc.tuple(...rows.map((row) => fc.tuple(fc.constant(row.name), typedValue(row)))))
  .map((pairs) => Object.fromEntries(pairs));

type World = PostgresqlState['world'];

/** What the settings may change in the member and in the cluster. */
function inForce(state: PostgresqlState): unknown {
  return { file: fileOf(state, path), shared: state.world.patroni.config };
}

function verify(given: PostgresqlState, result: RunResult<World>): 'taken' | 'refused' {
  const { state: after, log, disturbances } = result;
  const errors = log
    .filter(({ level }) => level === 'ERROR')
    .flatMap(({ message }) => message.split('\n'));
  const blocked = after.unitStatus.message.startsWith('Configuration Error: ');
  expect([result.exitCode, result.commitError]).toEqual([0, undefined]);
  const judged = validateSettings(given.config);
  if (judged.kind === 'valid' && !blocked) return 'taken';
  expect(after.unitStatus.level).toBe('blocked');
  expect(blocked).toBe(true);
  expect(inForce(after)).toEqual(inForce(given));
  expect(disturbances).toEqual([]);
  // What the database or the pod refuses is found on the way; all else is known from the start.
  const problems = judged.kind === 'invalid' ? judged.problems : [];
  for (const problem of problems) expect(errors).toContain(`invalid configuration: ${problem}`);
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more, see the log)` : '';
  const [first = errors[0]?.replace('invalid configuration: ', '')] = problems;
  expect(after.unitStatus.message).toBe(`Configuration Error: ${first}${more}`);
  return 'refused';
}

/** Whatever was taken over, the file is made of the same again while something else is wrong. */
async function verifyKept({ state: taken }: RunResult<World>): Promise<void> {
  const given = { ...taken, config: { profile: 'huge' } };
  const { state: after, disturbances } = await run({
    charm: underTest,
    state: given,
    event: updateStatus,
  });
  expect(after.unitStatus.message).toMatch(/^Configuration Error: profile /);
  expect(fileOf(after, path)).toBe(fileOf(taken, path));
  expect(disturbances).toEqual([]);
}

test.each(batches)(
  'settings are taken over as a whole or not at all, batch $batch',
  async ({ batch }) => {
    const before = await running({ leader: true, others: [1, 2] });
    const outcomes = new Set<string>();
    for (const config of fc.sample(configs, { numRuns: casesInBatch, seed: seed + batch })) {
      const given = { ...before, config };
      const result = await run({
        charm: underTest,
        state: given,
        event: configChanged,
        interruptible: false,
      });
      const outcome = verify(given, result);
      outcomes.add(outcome);
      if (outcome === 'taken') await verifyKept(result);
    }
    expect([...outcomes].toSorted()).toEqual(['refused', 'taken']);
  },
);

const textual = options.filter(({ type }) => type === 'string').map((row) => ({ row }));

test.each(textual)(
  'a text without end for $row.name is refused like any other',
  async ({ row }) => {
    const before = await running({ leader: true });
    for (const text of fc.sample(longText(row), { numRuns: 3, seed })) {
      const given = { ...before, config: { [row.name]: text } };
      const result = await run({ charm: underTest, state: given, event: configChanged });

      expect(verify(given, result)).toBe('refused');
      expect(result.state.unitStatus.message.length).toBeLessThan(300);
    }
  },
);
