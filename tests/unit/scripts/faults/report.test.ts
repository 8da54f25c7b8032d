import { describe, expect, test } from '@jest/globals';

import type { Fault } from '../../../../scripts/faults/fault.ts';
import { renderIndex } from '../../../../scripts/faults/index-page.ts';
import { judgeRound } from '../../../../scripts/faults/judge.ts';
import { renderPlot } from '../../../../scripts/faults/plot.ts';
import { hasPassed, type Result } from '../../../../scripts/faults/result.ts';
import type { RoundRecord } from '../../../../scripts/faults/round.ts';
import { median, renderRows, summarise } from '../../../../scripts/faults/summary.ts';
import { makeSample, type SampleOptions } from './samples.ts';

const fault = { name: 'kill', target: 'primary', lastsS: 0, boundS: 60 } as const;

/** Killed at 10 s, writes back at 13 s, `Primary` shown at 15 s, whole at 16 s. */
const record: RoundRecord = {
  primary: 'db-0',
  victim: 'db-0',
  startMs: 10_000,
  endMs: 10_500,
  doneMs: 27_000,
  wholeMs: 16_000,
  acks: [9000, 10_000, 13_000, 14_000, 26_000].map((atMs, id) => ({ id, atMs })),
  samples: [
    makeSample({ atMs: 11_000 }),
    makeSample({ atMs: 13_000, leader: 'db-1', messages: { 'db-0': 'Primary', 'db-1': '' } }),
    makeSample({ atMs: 15_000, leader: 'db-1' }),
    makeSample({ atMs: 26_000, leader: 'db-1' }),
  ],
  comparison: { lost: [], duplicated: [], agree: true },
  problem: undefined,
  nextId: 6,
};
const result: Result = {
  fault: 'kill',
  target: 'primary',
  round: 2,
  write_gap_s: 12,
  acknowledged: 5,
  lost: 0,
  duplicated: 0,
  recovered: true,
  recovered_s: 5.5,
  new_primary: 'db-1',
  failed_over: true,
  statuses_right_s: 0,
  labels_right_s: 0,
  endpoints_right_s: 0,
  right_in_time: true,
  members_agree: true,
  lock_returned: false,
  two_primaries: 0,
  load: 1.5,
  at: '1970-01-01T00:00:10.000Z',
  problem: null,
};

describe('judgeRound', () => {
  const judge = (change: Partial<RoundRecord> = {}, options: Partial<Fault> = {}) =>
    judgeRound(
      { ...fault, ...options, inject: async () => await Promise.resolve() },
      { round: 2, load: 1.5, record: { ...record, ...change } },
    );

  test('gives the keys in the order that readers of the file rely on', () => {
    expect(Object.keys(judge()).slice(0, 8)).toStrictEqual([
      'fault',
      'target',
      'round',
      'write_gap_s',
      'acknowledged',
      'lost',
      'duplicated',
      'recovered',
    ]);
  });

  test('a gap after the writes came back counts until the cluster is whole', () => {
    expect(judge()).toStrictEqual(result);
  });

  test('statuses are right from the sample that shows them, counted from the first write', () => {
    const acks = [9000, 10_000, 13_000, 14_000, 15_000].map((atMs, id) => ({ id, atMs }));

    expect(judge({ acks })).toMatchObject({ write_gap_s: 3, statuses_right_s: 2 });
  });

  describe('after a fail-over', () => {
    const acks = [9000, 10_000, 13_000, 14_000, 15_000].map((atMs, id) => ({ id, atMs }));
    const rightFrom = (atMs: number, before: SampleOptions): Partial<RoundRecord> => ({
      acks,
      samples: [
        makeSample({ atMs: 13_000, leader: 'db-1', ...before }),
        makeSample({ atMs, leader: 'db-1' }),
      ],
    });
    const stale = {
      statuses_right_s: { messages: { 'db-0': 'Primary' } },
      labels_right_s: { labelled: ['db-0'] },
      endpoints_right_s: { addresses: ['10.0.0.0'] },
    };

    for (const [field, before] of Object.entries(stale)) {
      test(`${field} may be five seconds, and no more`, () => {
        expect(judge(rightFrom(18_000, before))).toMatchObject({
          [field]: 5,
          right_in_time: true,
        });
        expect(judge(rightFrom(18_010, before))).toMatchObject({
          [field]: 5.01,
          right_in_time: false,
        });
      });

      test(`${field} that never comes is not in time`, () => {
        const samples = [makeSample({ atMs: 13_000, leader: 'db-1', ...before })];

        expect(judge({ acks, samples })).toMatchObject({ [field]: null, right_in_time: false });
      });
    }

    test('a Juju that keeps silent for a moment shows nothing wrong', () => {
      const right = { leader: 'db-1' };
      const samples = [
        makeSample({ atMs: 13_000, ...right }),
        { ...makeSample({ atMs: 19_000, ...right }), units: undefined },
        makeSample({ atMs: 26_000, ...right }),
      ];
      const silent = samples.map((sample) => ({ ...sample, units: undefined }));

      expect(judge({ acks, samples })).toMatchObject({ statuses_right_s: 0, right_in_time: true });
      expect(judge({ acks, samples: silent })).toMatchObject({
        statuses_right_s: null,
        right_in_time: false,
      });
    });

    test('what a unit shows that is away does not count, and nothing is judged', () => {
      const late = rightFrom(25_000, stale.statuses_right_s);

      expect(judge(late, { away: 'victim' })).toMatchObject({
        statuses_right_s: 0,
        right_in_time: null,
      });
      expect(judge({ ...late, victim: 'db-2' }, { away: 'victim' })).toMatchObject({
        statuses_right_s: 12,
        right_in_time: null,
      });
      expect(judge(late, { away: 'everybody' })).toMatchObject({
        statuses_right_s: 12,
        right_in_time: null,
      });
    });
  });

  test('without a fail-over nothing is said about its statuses', () => {
    const samples = [makeSample({ atMs: 11_000 }), makeSample({ atMs: 26_000 })];

    expect(judge({ samples })).toMatchObject({
      failed_over: false,
      statuses_right_s: null,
      labels_right_s: null,
      endpoints_right_s: null,
      right_in_time: null,
    });
  });

  test('a lock that comes back is looked for where the fault wants it watched', () => {
    const samples = [
      makeSample({ atMs: 11_000, leader: 'db-1' }),
      makeSample({ atMs: 26_000, leader: 'db-0' }),
    ];

    expect(judge({ samples })).toMatchObject({ lock_returned: false });
    expect(judge({ samples }, { watchS: 60 })).toMatchObject({ lock_returned: true });
  });

  test('a cluster that was not whole in time has not recovered', () => {
    expect(judge({ wholeMs: undefined })).toMatchObject({ recovered: false, recovered_s: null });
  });

  test('what could not be read is not nought', () => {
    expect(judge({ comparison: undefined })).toMatchObject({ lost: null, duplicated: null });
  });
});

describe('hasPassed', () => {
  test.each([
    { summary: 'a round with nothing wrong', change: {}, passed: true },
    { summary: 'a lost write', change: { lost: 1 }, passed: false },
    { summary: 'a write that is there twice', change: { duplicated: 1 }, passed: false },
    { summary: 'members that could not be read', change: { lost: null }, passed: false },
    { summary: 'members that differ', change: { members_agree: false }, passed: false },
    { summary: 'a cluster that is not whole', change: { recovered: false }, passed: false },
    { summary: 'a cluster that was whole at once', change: { recovered_s: 0 }, passed: true },
    { summary: 'what is not judged', change: { right_in_time: null }, passed: true },
    { summary: 'statuses that were late', change: { right_in_time: false }, passed: false },
    {
      summary: 'an old primary that got the lock back',
      change: { lock_returned: true },
      passed: false,
    },
  ])('$summary: $passed', ({ change, passed }) => {
    expect(hasPassed({ ...result, ...change })).toBe(passed);
  });
});

test('the table has a line of medians for each fault', () => {
  const results = [
    { ...result, write_gap_s: 3 },
    { ...result, write_gap_s: 5, recovered: false, recovered_s: null },
    { ...result, write_gap_s: 10, lost: null, statuses_right_s: null },
    { ...result, fault: 'cut' },
    { ...result, fault: 'cut', failed_over: false, statuses_right_s: null },
  ];

  expect(renderRows(summarise(results))).toBe(
    `fault         passed  write gap s          lost  duplicated         recovered s    statuses right s  labels right s  endpoints right s  fail-overs
kill-primary     1/3   5.0 (10.0)  0 (1 unread)           0  5.5 (5.5, 1 never)  0.0 (0.0, 1 never)       0.0 (0.0)          0.0 (0.0)           3
cut-primary      2/2  12.0 (12.0)             0           0           5.5 (5.5)           0.0 (0.0)       0.0 (0.0)          0.0 (0.0)           1
`,
  );
});

test.each([
  { values: [], middle: undefined },
  { values: [1, 2, 9], middle: 2 },
  { values: [1, 2, 4, 9], middle: 3 },
])('the median of $values is $middle', ({ values, middle }) => {
  expect(median(values)).toBe(middle);
});

test('the picture has a panel for each round, with the fault and the recovery marked', () => {
  const picture = renderPlot('kill-primary', [
    { result, record },
    { result, record: { ...record, wholeMs: undefined } },
  ]);

  expect(picture.match(/class="fault"/g)).toHaveLength(2);
  expect(picture.match(/class="whole"/g)).toHaveLength(1);
  expect(picture.match(/class="bar"/g)).toHaveLength(10);
  expect(picture).toContain('round 2: gap 12 s, 0 lost, 0 duplicated, whole 5.5 s after the end');
  expect(picture).not.toContain('NaN');
});

test('the page shows the table and every picture, and loads nothing else', () => {
  const page = renderIndex(summarise([result, { ...result, fault: 'cut', lost: 2 }]));

  expect([...page.matchAll(/src="([^"]+)"/g)].map(([, source]) => source)).toStrictEqual([
    'kill-primary.svg',
    'cut-primary.svg',
  ]);
  expect(page).toContain('<td class="bad">0/1</td>');
});
