import { describe, expect, test } from '@jest/globals';

import { chooseFaults, faults } from '../../../../scripts/faults/catalogue.ts';
import { titleOf } from '../../../../scripts/faults/fault.ts';
import { podOf, unitOf } from '../../../../scripts/faults/names.ts';
import { parseOptions } from '../../../../scripts/faults/options.ts';

describe('chooseFaults', () => {
  test('every row has a title of its own', () => {
    expect(new Set(faults.map(titleOf)).size).toBe(faults.length);
  });

  test('a name means all its targets, a title one of them', () => {
    expect(chooseFaults(['kill-patroni', 'cut-60-replica']).map(titleOf)).toStrictEqual([
      'kill-patroni-primary',
      'kill-patroni-replica',
      'cut-60-replica',
    ]);
  });

  test('what hits the whole cloud comes last, however it is asked for', () => {
    const titles = chooseFaults(['stop-kubernetes-api', 'switchover']).map(titleOf);

    expect(titles).toStrictEqual(['switchover-replica', 'stop-kubernetes-api-all']);
    expect(chooseFaults([]).at(-1)?.everywhere).toBe(true);
  });

  test('what must be right in time is judged unless somebody who would have to see to it is away', () => {
    const unjudged = faults.filter(({ away }) => away !== undefined).map(titleOf);

    expect(unjudged).toStrictEqual([
      'cut-30-primary',
      'cut-60-primary',
      'cut-60-replica',
      'freeze-30-primary',
      'freeze-100-primary',
      'freeze-180-primary',
      'freeze-240-primary',
      'lose-pod-while-elected-leader-unit',
      'stop-kubernetes-api-all',
      'stop-juju-and-lose-pod-primary',
    ]);
  });

  test('a name that no row has is refused', () => {
    expect(() => chooseFaults(['kill-all'])).toThrow('cannot find fault "kill-all"');
  });
});

describe('parseOptions', () => {
  test('without arguments everything is played, in a model that goes away', () => {
    expect(parseOptions([])).toStrictEqual({
      names: [],
      rounds: undefined,
      keep: false,
      model: 'faults',
      charm: undefined,
      format: 'table',
    });
  });

  test('make hands its variables on', () => {
    expect(parseOptions(['--faults', 'a,b', '--rounds', '5', '--keep'])).toMatchObject({
      names: ['a', 'b'],
      rounds: 5,
      keep: true,
    });
  });

  test.each([
    ['--rounds', '0'],
    ['--rounds', 'x'],
    ['--format', 'xml'],
  ])('%s %s is refused', (...args) => {
    expect(() => parseOptions(args)).toThrow(/^cannot/);
  });
});

test('a unit and its pod name each other', () => {
  expect(podOf('postgresql-k8s/12')).toBe('postgresql-k8s-12');
  expect(unitOf('postgresql-k8s-12')).toBe('postgresql-k8s/12');
});
