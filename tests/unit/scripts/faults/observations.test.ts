import { describe, expect, test } from '@jest/globals';

import {
  countTwoPrimaries,
  findLastingStart,
  hasFailedOver,
  hasLockReturned,
  labelsPrimary,
  leadsToPrimary,
  listProblems,
  namesPrimary,
  type Sample,
} from '../../../../scripts/faults/observations.ts';
import { makeSample, names } from './samples.ts';

describe('listProblems', () => {
  const whole = makeSample();
  const rows: readonly {
    readonly summary: string;
    readonly sample: Sample;
    readonly problems: readonly string[];
  }[] = [
    { summary: 'a whole cluster has none', sample: whole, problems: [] },
    {
      summary: 'a member that keeps silent is one, whatever the others say of it',
      sample: makeSample({ silent: ['db-1'] }),
      problems: ['db-1 is silent'],
    },
    {
      summary: 'a pod that is missing is one',
      sample: { ...whole, views: whole.views.slice(1) },
      problems: ['2 of 3 pods'],
    },
    {
      summary: 'a replica that does not stream is one',
      sample: {
        ...whole,
        cluster: whole.cluster.map((member) =>
          member.name === 'db-2' ? { ...member, role: 'replica', state: 'starting' } : member,
        ),
      },
      problems: ['db-2 is a replica and starting'],
    },
    {
      summary: 'two timelines are one',
      sample: {
        ...whole,
        cluster: whole.cluster.map((member) =>
          member.name === 'db-2' ? { ...member, timeline: 2 } : member,
        ),
      },
      problems: ['timelines 1 and 2'],
    },
    {
      summary: 'a unit that calls itself primary and is not is one',
      sample: makeSample({ messages: { 'db-1': 'Primary' } }),
      problems: ['db/1 shows active "Primary"'],
    },
    {
      summary: 'a primary that thinks that others are missing is one',
      sample: makeSample({ messages: { 'db-0': 'Primary (degraded)' } }),
      problems: ['db/0 shows active "Primary (degraded)"'],
    },
    {
      summary: 'members that tell that they were fenced are none',
      sample: makeSample({
        messages: {
          'db-0': 'Primary (fenced lately: PostgreSQL was stopped for 5 s)',
          'db-1': 'fenced lately: Patroni was silent for 10 s',
        },
      }),
      problems: [],
    },
    {
      summary: 'a silent Juju is one',
      sample: { ...whole, units: undefined },
      problems: ['no answer from Juju'],
    },
  ];

  test.each(rows)('$summary', ({ sample, problems }) => {
    expect(listProblems(sample, names.length)).toStrictEqual(problems);
  });
});

describe('namesPrimary', () => {
  test.each([
    { summary: 'the leader alone', messages: {}, named: true },
    { summary: 'the leader, degraded', messages: { 'db-0': 'Primary (degraded)' }, named: true },
    { summary: 'nobody', messages: { 'db-0': '' }, named: false },
    { summary: 'another unit', messages: { 'db-0': '', 'db-1': 'Primary' }, named: false },
    { summary: 'two units', messages: { 'db-1': 'Primary' }, named: false },
  ])('$summary is named', ({ messages, named }) => {
    expect(namesPrimary(makeSample({ messages }))).toBe(named);
  });

  const messages = { 'db-1': 'Primary' };
  const sample = makeSample({ messages });
  const absent = { ...sample, pods: sample.pods.filter(({ name }) => name !== 'db-1') };
  test.each([
    {
      summary: 'one whose charm does not run',
      given: makeSample({ messages, charmless: ['db-1'] }),
    },
    { summary: 'one without a pod', given: absent },
    { summary: 'one that is said to be away', given: sample, away: 'db-1' },
  ])('a unit that nobody can speak for does not count: $summary', ({ given, away }) => {
    expect(namesPrimary(given, away)).toBe(true);
  });

  test('a primary that nobody can speak for is not named', () => {
    expect(namesPrimary(makeSample({ charmless: ['db-0'] }))).toBe(false);
  });
});

const unled = { ...makeSample(), cluster: [] };

describe('labelsPrimary', () => {
  test.each([
    { summary: 'the leader alone', sample: makeSample(), right: true },
    { summary: 'nobody', sample: makeSample({ labelled: [] }), right: false },
    { summary: 'another pod', sample: makeSample({ labelled: ['db-1'] }), right: false },
    { summary: 'two pods', sample: makeSample({ labelled: ['db-0', 'db-1'] }), right: false },
    { summary: 'a pod, while nobody leads', sample: unled, right: false },
  ])('$summary has the label: $right', ({ sample, right }) => {
    expect(labelsPrimary(sample)).toBe(right);
  });
});

describe('leadsToPrimary', () => {
  const sample = makeSample();
  const starting = sample.pods.map((pod) => ({ ...pod, address: '' }));
  test.each([
    { summary: 'to the leader alone', given: sample, right: true },
    { summary: 'nowhere', given: makeSample({ addresses: [] }), right: false },
    {
      summary: 'to a pod that is gone',
      given: makeSample({ addresses: ['10.0.0.9'] }),
      right: false,
    },
    {
      summary: 'to another pod as well',
      given: makeSample({ addresses: ['10.0.0.0', '10.0.0.1'] }),
      right: false,
    },
    {
      summary: 'nowhere, and the leader has no address either',
      given: { ...sample, pods: starting, primaryAddresses: [''] },
      right: false,
    },
    { summary: 'somewhere, while nobody leads', given: unled, right: false },
  ])('the Service leads $summary: $right', ({ given, right }) => {
    expect(leadsToPrimary(given)).toBe(right);
  });
});

describe('over time', () => {
  const leaders = ['db-0', 'db-0', 'db-1', 'db-1', 'db-0'];
  const samples = leaders.map((leader, index) => makeSample({ atMs: index * 1000, leader }));

  test('a condition holds from the moment after it last failed', () => {
    const holds = ({ cluster }: Sample) => cluster[1]?.role === 'leader';

    expect(findLastingStart(samples.slice(0, 4), 0, holds)).toBe(2000);
    expect(findLastingStart(samples.slice(0, 4), 2500, holds)).toBe(3000);
    expect(findLastingStart(samples, 0, holds)).toBeUndefined();
  });

  test('another leader means that it failed over; one that cannot be seen does not', () => {
    const nobody = { ...makeSample(), cluster: [] };

    expect(hasFailedOver(samples, 'db-0')).toBe(true);
    expect(hasFailedOver([...samples.slice(0, 2), nobody], 'db-0')).toBe(false);
  });

  test('a lock that comes back is seen only in the window that is asked for', () => {
    expect(hasLockReturned(samples, 'db-0', { fromMs: 2500, toMs: 9000 })).toBe(true);
    expect(hasLockReturned(samples, 'db-0', { fromMs: 2500, toMs: 3500 })).toBe(false);
    expect(hasLockReturned(samples.slice(0, 2), 'db-0', { fromMs: 0, toMs: 9000 })).toBe(false);
  });

  test('two members that both say that they are the primary are counted', () => {
    const [first = makeSample()] = samples;
    const both = {
      ...first,
      views: first.views.map((view) => ({ ...view, role: 'primary' as const })),
    };

    expect(countTwoPrimaries([...samples, both])).toBe(1);
  });
});
