// Who may become the primary when nobody is.

import { describe, expect, test } from '@jest/globals';

import {
  type Candidate,
  type CommitRecord,
  describeAwaited,
  isNewest,
  judgeSuccession,
} from '../../../../src/core/succession.ts';

const up = (unit: string, change: Partial<Candidate> = {}): Candidate => ({
  unit,
  role: 'replica',
  started: true,
  timeline: 3,
  lagBytes: 0,
  ...change,
});
const down = (unit: string): Candidate => up(unit, { started: false });
const lagUnknown = (unit: string): Candidate => ({
  unit,
  role: 'replica',
  started: true,
  timeline: 3,
});

const record = (standbys: readonly string[], quorum = 0): CommitRecord => ({
  leader: 'a',
  standbys,
  quorum,
});
const voter = (unit: string): Candidate => up(unit, { role: 'quorum_standby' });
const lost = (unit: string): Candidate => ({ ...voter(unit), started: false });

describe('Patroni can choose', () => {
  test.each([
    ['while somebody leads', [up('a', { role: 'leader' }), down('b')], record(['b'])],
    ['when a synchronous replica is up', [down('a'), up('b'), up('c')], record(['b'])],
    ['when the last primary is up', [up('a'), down('b'), up('c')], record(['b'])],
    ['when nothing is remembered', [up('c')], undefined],
    ['when more than a quorum are up', [lost('a'), voter('b'), voter('c')], record(['b', 'c'], 1)],
    ['when the last primary is up, whoever else', [voter('a'), lost('b')], record(['b', 'c'], 1)],
    [
      'when commits wait for a quorum no more',
      [down('b'), up('c', { role: 'sync_standby' })],
      record(['b', 'c'], 1),
    ],
  ])('%s', (_when, members, remembered) => {
    expect(judgeSuccession(members, remembered)).toEqual({ kind: 'open' });
  });
});

describe('nobody may lead', () => {
  const awaited = { leader: 'a', count: 1, standbys: ['b'] };

  test('when all that have every commit are down, or not even members', () => {
    expect(judgeSuccession([down('a'), up('c')], record(['b']))).toEqual({
      kind: 'stuck',
      awaited,
      newest: up('c'),
    });
  });

  test('and nobody is the newest when nobody is up', () => {
    expect(judgeSuccession([down('a'), down('c')], record(['b']))).toEqual({
      kind: 'stuck',
      awaited,
    });
  });

  test('when a commit may be on none of the replicas that are up', () => {
    const members = [lost('a'), lost('b'), voter('c')];

    expect(judgeSuccession(members, record(['b', 'c'], 1))).toEqual({
      kind: 'stuck',
      awaited,
      newest: voter('c'),
    });
  });

  test.each([
    [['c', 'd', 'e'], 3, { count: 1, standbys: ['b'] }],
    [['d'], 2, { count: 2, standbys: ['b', 'c', 'e'] }],
    [['c', 'd', 'e'], 4, { count: 0, standbys: ['b'] }],
  ])('until enough are back, when %j are up and %d may lack a commit', (units, quorum, rest) => {
    const members = ['b', 'c', 'd', 'e'].map((unit) =>
      units.includes(unit) ? voter(unit) : lost(unit),
    );

    expect(judgeSuccession(members, record(['b', 'c', 'd', 'e'], quorum))).toMatchObject({
      awaited: { leader: 'a', ...rest },
    });
  });

  test('and replicas that commits do not wait for are no help', () => {
    const members = [voter('b'), up('c'), up('d')];

    expect(judgeSuccession(members, record(['b', 'e'], 1))).toMatchObject({ kind: 'stuck' });
  });

  test.each([
    ['the latest timeline', [up('c', { timeline: 2 }), up('d', { lagBytes: 900 })], 'd'],
    ['the least lag', [up('c', { lagBytes: 900 }), up('d', { lagBytes: 16 })], 'd'],
    ['a lag that is known', [lagUnknown('c'), up('d', { lagBytes: 16 })], 'd'],
    ['what is up', [down('c'), up('d', { lagBytes: 900 })], 'd'],
  ])('the newest has %s', (_what, members, unit) => {
    expect(judgeSuccession(members, record(['b']))).toMatchObject({ newest: { unit } });
  });
});

test.each([
  ['a or b or c', { count: 1, standbys: ['b', 'c'] }],
  ['a, or 2 of b, c, d', { count: 2, standbys: ['b', 'c', 'd'] }],
  ['a', { count: 0, standbys: ['b'] }],
])('who is waited for: %s', (text, rest) => {
  expect(describeAwaited({ leader: 'a', ...rest })).toBe(text);
});

test('units that are equal are all the newest, those that are down are not', () => {
  const members = [up('c'), up('d'), up('e', { lagBytes: 1 }), down('f')];

  expect(['c', 'd', 'e', 'f', 'g'].map((unit) => isNewest(unit, up('c'), members))).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});
