// Who may become the primary when nobody is.

import { describe, expect, test } from '@jest/globals';

import { type Candidate, isNewest, judgeSuccession } from '../../../../src/core/succession.ts';

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

describe('Patroni can choose', () => {
  test.each([
    ['while somebody leads', [up('a', { role: 'leader' }), down('b')], ['a', 'b']],
    ['when a synchronous replica is up', [down('a'), up('b'), up('c')], ['a', 'b']],
    ['when the last primary is up', [up('a'), down('b'), up('c')], ['a', 'b']],
    ['when nothing is remembered', [up('c')], []],
  ])('%s', (_when, members, complete) => {
    expect(judgeSuccession(members, complete)).toEqual({ kind: 'open' });
  });
});

describe('nobody may lead', () => {
  const complete = ['a', 'b'];

  test('when all that have every commit are down, or not even members', () => {
    expect(judgeSuccession([down('a'), up('c')], complete)).toEqual({
      kind: 'stuck',
      complete,
      newest: up('c'),
    });
  });

  test('and nobody is the newest when nobody is up', () => {
    expect(judgeSuccession([down('a'), down('c')], complete)).toEqual({ kind: 'stuck', complete });
  });

  test.each([
    ['the latest timeline', [up('c', { timeline: 2 }), up('d', { lagBytes: 900 })], 'd'],
    ['the least lag', [up('c', { lagBytes: 900 }), up('d', { lagBytes: 16 })], 'd'],
    ['a lag that is known', [lagUnknown('c'), up('d', { lagBytes: 16 })], 'd'],
    ['what is up', [down('c'), up('d', { lagBytes: 900 })], 'd'],
  ])('the newest has %s', (_what, members, unit) => {
    expect(judgeSuccession(members, complete)).toMatchObject({ newest: { unit } });
  });
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
