// Schedules: what is refused and why, and that croner reckons with all that is taken.

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { loadNextTime } from '../../../../src/adapters/cron-times.ts';
import { cronForm } from '../../../../src/core/config/cron.ts';
import { validateSettings } from '../../../../src/core/config/validate.ts';

const problemOf = (text: string): string | undefined => {
  const result = validateSettings({ backup_schedule_full: text });
  return result.kind === 'invalid' ? result.problems.join('\n') : undefined;
};

const at = (text: string): number => Date.parse(text) / 1000;

describe('a schedule', () => {
  test.each([
    ['0 2 * *', 'it has 4 fields'],
    ['0 0 2 * * *', 'it has 6 fields'],
    ['60 2 * * *', 'its minute is "60", which is not from 0 to 59'],
    ['0 24 * * *', 'its hour is "24", which is not from 0 to 23'],
    ['0 2 0 * *', 'its day of the month is "0", which is not from 1 to 31'],
    ['0 2 * 13 *', 'its month is "13", which is not from 1 to 12'],
    ['0 2 * mon *', 'its month is "mon", which is not from 1 to 12'],
    ['0 2 * * 8', 'its day of the week is "8", which is not from 0 to 7'],
    ['0 2 * * fri-mon', 'its day of the week is "fri-mon", which ends before it begins'],
    ['0 9-8 * * *', 'its hour is "9-8", which ends before it begins'],
    ['*/0 * * * *', 'its minute has the step "0", which is not from 1 to 60'],
    ['*/61 * * * *', 'its minute has the step "61", which is not from 1 to 60'],
    ['5/10 * * * *', 'its minute is "5/10": a step follows "*" or a range'],
    ['1,,2 * * * *', 'its minute is ""'],
    ['0 2 L * *', 'its day of the month is "L"'],
    ['0 2 31 4,jun *', 'there is no such day'],
    ['0 2 30 2 *', 'there is no such day'],
  ])('%j is refused', (text, problem) => {
    expect(problemOf(text)).toBe(
      `backup_schedule_full has to be ${cronForm.words}, not "${text}": ${problem}`,
    );
  });

  test.each(['@daily', '0 2 * * 5#1', '0 2 ? * *', 'every night', '0 2 * * *\n', ' '.repeat(101)])(
    '%j is refused as a whole',
    (text) => {
      expect(problemOf(text)).toContain('backup_schedule_full has to be empty or five fields');
    },
  );

  test.each([
    ['0 2 * * *', '2026-02-01T02:00:00Z'],
    ['0 12 * * *', '2026-02-01T12:00:00Z'],
    ['1 12 * * *', '2026-01-31T12:01:00Z'],
    ['*/15 * * * MON-FRI', '2026-02-02T00:00:00Z'],
    ['0 3 * * 7', '2026-02-01T03:00:00Z'],
    ['0 3 * * sat-sun', '2026-02-01T03:00:00Z'],
    // Either of the days, as every cron has it.
    ['0 0 13 * fri', '2026-02-06T00:00:00Z'],
    ['0 0 29 2 *', '2028-02-29T00:00:00Z'],
    // No hour of a summer time is left out.
    ['30 2 29 3 *', '2026-03-29T02:30:00Z'],
  ])('%j comes next at %s', async (text, expected) => {
    const next = await loadNextTime();

    expect(problemOf(text)).toBeUndefined();
    expect(next(text, at('2026-01-31T12:00:00Z'))).toBe(at(expected));
  });

  test('whatever is taken, croner reckons with', async () => {
    const next = await loadNextTime();
    const number = fc.integer({ min: 0, max: 62 }).map(String);
    const name = fc.constantFrom('jan', 'Feb', 'DEC', 'sun', 'Mon', 'SAT');
    const value = fc.oneof({ weight: 5, arbitrary: number }, name);
    const span = fc.oneof(
      fc.constant('*'),
      value,
      fc.tuple(value, value).map((ends) => ends.join('-')),
    );
    const part = fc.oneof(
      { weight: 3, arbitrary: span },
      fc.tuple(span, number).map((both) => both.join('/')),
    );
    const field = fc.oneof(
      { weight: 2, arbitrary: fc.constant('*') },
      { weight: 4, arbitrary: part },
      fc.tuple(part, part).map((both) => both.join(',')),
    );
    const text = fc.tuple(field, field, field, field, field).map((all) => all.join(' '));
    let taken = 0;
    fc.assert(
      fc.property(text, (cron) => {
        if (problemOf(cron) !== undefined) return;
        taken += 1;
        expect([cron, next(cron, at('2026-01-31T12:00:00Z'))]).toEqual([cron, expect.any(Number)]);
      }),
      { seed: 20260131, numRuns: 20_000 },
    );
    expect(taken).toBeGreaterThan(500);
  });
});
