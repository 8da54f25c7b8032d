// What is due when, step by step.

import { beforeAll, describe, expect, test } from '@jest/globals';

import { loadNextTime } from '../../../../src/adapters/cron-times.ts';
import {
  advance,
  chosenRun,
  delay,
  fail,
  follow,
  hold,
  missedRun,
  type NextTime,
  parseSchedule,
  renderSchedule,
  type Schedule,
  settle,
  tellLate,
  wakeTime,
} from '../../../../src/core/backups/schedule.ts';
import { isoSeconds } from '../../../../src/core/backups/times.ts';

let next: NextTime;

beforeAll(async () => {
  next = await loadNextTime();
});

/** `31 12:00` → that time of January 2026 (the 32nd is the first of February). */
const at = (text: string): number => {
  const [day = '', time = ''] = text.split(' ');
  return Date.parse(`2026-01-01T${time}:00Z`) / 1000 + (Number(day) - 1) * 86_400;
};
const now = (text: string) => ({ seconds: at(text), next });
const begin = (crons: Parameters<typeof follow>[1], text = '10 12:00'): Schedule =>
  follow({ runs: {} }, crons, now(text));
const wakes = (schedule: Schedule): string | undefined => {
  const time = wakeTime(schedule);
  return time === undefined ? undefined : isoSeconds(time);
};

const nightly = { full: '0 2 * * *' };
const both = { full: '0 2 * * 0', incremental: '0 2 * * *' };

describe('a schedule', () => {
  test('begins with the next time, not with one that has passed', () => {
    const schedule = begin(nightly);

    expect(wakes(schedule)).toBe('2026-01-11T02:00:00Z');
    expect(chosenRun(advance(schedule, now('11 01:59')), at('11 01:59'))).toBeUndefined();
    expect(chosenRun(advance(schedule, now('11 02:00')), at('11 02:00'))).toEqual({
      type: 'full',
      due: at('11 02:00'),
    });
  });

  test('survives the databag, and what is none there is nothing', () => {
    const schedule = fail(
      advance(begin(both), now('11 02:00')),
      { type: 'full', reason: 'away' },
      at('11 02:01'),
    );

    expect(parseSchedule(renderSchedule(schedule))).toEqual(schedule);
    for (const text of [undefined, '', '{', '[]', '{"runs":{"full":{}}}']) {
      expect(parseSchedule(text)).toEqual({ runs: {} });
    }
    expect(renderSchedule({ runs: {}, tooOld: 1 })).toBeUndefined();
  });

  test('of those that are due at once the fullest is made, and stands for the others', () => {
    const open = advance(begin(both), now('11 02:00'));

    expect(chosenRun(open, at('11 02:00'))?.type).toBe('full');
    const settled = settle(open, { type: 'full', start: at('11 02:00') });
    expect(chosenRun(settled, at('11 02:00'))).toBeUndefined();
    expect(wakes(settled)).toBe('2026-01-12T02:00:00Z');
  });

  test('a lesser backup does not stand for a fuller one', () => {
    const settled = settle(advance(begin(both), now('11 02:00')), {
      type: 'incremental',
      start: at('11 02:00'),
    });

    expect(chosenRun(settled, at('11 02:00'))?.type).toBe('full');
  });

  test('a backup that began before does not count', () => {
    const open = advance(begin(nightly), now('11 02:00'));
    const settled = settle(open, { type: 'full', start: at('11 02:00') - 1 });

    expect(chosenRun(settled, at('11 02:00'))).toBeDefined();
  });

  test('several times that nobody saw are one backup, and are told', () => {
    const open = advance(begin(nightly), now('14 12:00'));
    const { schedule, told } = tellLate(open, 'nobody');

    expect(told).toEqual([{ type: 'full', due: at('11 02:00') }]);
    expect(missedRun(schedule)).toBe('full due 2026-01-11T02:00:00Z (nobody)');
    expect(tellLate(schedule, 'nobody').told).toEqual([]);
    const settled = settle(schedule, { type: 'full', start: at('14 12:00') });
    expect(missedRun(settled)).toBeUndefined();
    expect(wakes(settled)).toBe('2026-01-15T02:00:00Z');
  });

  test('one time that nobody saw is made up for without a word', () => {
    const open = advance(begin(nightly), now('12 01:59'));

    expect(tellLate(open, 'nobody').told).toEqual([]);
    expect(chosenRun(open, at('12 01:59'))?.due).toBe(at('11 02:00'));
  });

  test('a failure is repeated three times, a quarter of an hour later each', () => {
    let schedule = advance(begin(nightly), now('11 02:00'));
    const attempts: string[] = [];
    for (let seconds = at('11 02:00'); seconds < at('12 02:00'); seconds += 60) {
      schedule = advance(schedule, { seconds, next });
      const chosen = chosenRun(schedule, seconds);
      if (chosen === undefined) continue;
      attempts.push(isoSeconds(seconds).slice(11, 16));
      schedule = fail(schedule, { type: chosen.type, reason: 'away' }, seconds);
    }

    expect(attempts).toEqual(['02:00', '02:15', '02:30', '02:45']);
    expect(wakes(schedule)).toBe('2026-01-12T02:00:00Z');
    const again = advance(schedule, now('12 02:00'));
    expect(chosenRun(again, at('12 02:00'))?.due).toBe(at('11 02:00'));
    expect(missedRun(again)).toBe('full due 2026-01-11T02:00:00Z (away)');
  });

  test('what fails fails for all that it would have stood for', () => {
    const open = advance(begin(both), now('11 02:00'));
    const failed = fail(open, { type: 'full', reason: 'away' }, at('11 02:00'));

    expect(chosenRun(failed, at('11 02:14'))).toBeUndefined();
    expect(chosenRun(failed, at('11 02:15'))?.type).toBe('full');
  });

  test('what waits is not missed until its next time comes, and stays open', () => {
    const open = advance(begin(nightly), now('11 02:00'));
    const delayed = delay(open, 'paused', at('11 02:00'));
    const waiting = advance(delayed, now('20 12:00'));

    expect(tellLate(waiting, 'nobody').told).toEqual([]);
    expect(missedRun(advance(delayed, now('12 01:59')))).toBeUndefined();
    expect(missedRun(waiting)).toBe('full due 2026-01-11T02:00:00Z (paused)');
    expect(chosenRun(waiting, at('20 12:00'))).toEqual({ type: 'full', due: at('11 02:00') });
  });

  test('what came while something long was done waited for that, however often it came', () => {
    const since = at('11 01:30');
    const held = hold(begin(nightly), { since, reason: 'it was busy' }, now('13 09:00'));

    expect(held.runs.full).toEqual({
      cron: nightly.full,
      due: at('11 02:00'),
      next: at('14 02:00'),
      delayed: 'it was busy',
    });
    expect(chosenRun(held, at('13 09:00'))?.due).toBe(at('11 02:00'));
    expect(tellLate(held, 'nobody').told).toEqual([]);
  });

  test('what came before something long was done did not wait for that', () => {
    const schedule = begin(nightly);
    const since = at('11 02:01');

    expect(hold(schedule, { since, reason: 'it was busy' }, now('13 09:00'))).toEqual(schedule);
    expect(hold(schedule, { since: 0, reason: 'it was busy' }, now('10 13:00'))).toEqual(schedule);
  });

  test('another schedule begins anew; what is open stays open', () => {
    const failed = fail(
      advance(begin(nightly), now('11 02:00')),
      { type: 'full', reason: 'away' },
      at('11 02:00'),
    );
    const changed = follow(failed, { full: '0 4 * * *' }, now('11 05:00'));

    expect(missedRun(changed)).toBe('full due 2026-01-11T02:00:00Z (away)');
    expect(advance(changed, now('11 06:00')).runs.full?.next).toBe(at('12 04:00'));
    expect(renderSchedule(follow(changed, {}, now('11 06:00')))).toBeUndefined();
  });

  test.each([
    [nightly, 48],
    [{ full: '0 2 * * 0', incremental: '0 * * * *' }, 2],
    [{ full: '0 2 * * 1-5' }, 144],
    [{ full: '0 1,2 * * *' }, 46],
  ])('%j leads to backups that are too old after %d hours', (crons, hours) => {
    expect(begin(crons).tooOld).toBe(hours * 3600);
  });

  test('a clock that leaps far ahead costs no more than some steps', () => {
    const schedule = begin({ incremental: '* * * * *' });
    const later = { seconds: at('10 12:00') + 10 * 365 * 86_400, next };

    expect(advance(schedule, later).runs.incremental).toMatchObject({
      due: at('10 12:01'),
      next: later.seconds + 60,
    });
  });

  test('a clock that was set back opens nothing twice', () => {
    const settled = settle(advance(begin(nightly), now('11 02:00')), {
      type: 'full',
      start: at('11 02:00'),
    });

    expect(chosenRun(advance(settled, now('11 01:30')), at('11 01:30'))).toBeUndefined();
    expect(wakes(settled)).toBe('2026-01-12T02:00:00Z');
  });

  test('a long reason is cut', () => {
    const open = advance(begin(nightly), now('11 02:00'));
    const failed = fail(open, { type: 'full', reason: 'x'.repeat(500) }, at('11 02:00'));

    expect(missedRun(failed)).toBe(`full due 2026-01-11T02:00:00Z (${'x'.repeat(120)}…)`);
  });
});
