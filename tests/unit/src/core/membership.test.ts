import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import {
  heirOf,
  missingUnits,
  parseEndpoints,
  presentEndpoints,
  renderEndpoints,
} from '../../../../src/core/membership.ts';

const host = (number: number) => `app-${number}.app-endpoints`;

test.each([
  { summary: 'nothing written yet', text: undefined, expected: [] },
  { summary: 'text that is no JSON', text: '[not', expected: [] },
  { summary: 'JSON that is no list', text: '{"a": 1}', expected: [] },
  { summary: 'entries of other types', text: '[1, "x", null]', expected: ['x'] },
  { summary: 'an entry that is there twice', text: '["x", "x"]', expected: ['x'] },
])('$summary is read without a complaint', ({ text, expected }) => {
  expect(parseEndpoints(text)).toEqual(expected);
});

test('members are written once each, by unit number', () => {
  expect(renderEndpoints([host(10), host(2), host(10)])).toBe(JSON.stringify([host(2), host(10)]));
});

test('units that are not admitted come lowest number first', () => {
  const units = ['app/10', 'app/2', 'app/0'];

  expect(missingUnits('app', units, [host(0)])).toEqual(['app/2', 'app/10']);
});

test('after units are gone only the hosts of present units stay', () => {
  const numbers = fc.uniqueArray(fc.nat(20), { maxLength: 8 });

  fc.assert(
    fc.property(numbers, numbers, (admitted, present) => {
      const units = present.map((number) => `app/${number}`);
      const kept = presentEndpoints('app', units, admitted.map(host));
      expect(kept).toEqual(admitted.filter((number) => present.includes(number)).map(host));
    }),
  );
});

test.each([
  {
    summary: 'a synchronous standby that stays',
    roles: ['leader', 'replica', 'sync_standby'],
    heir: 'app-2',
  },
  {
    summary: 'a member of the quorum that stays',
    roles: ['leader', 'quorum_standby', 'replica'],
    heir: 'app-1',
  },
  {
    summary: 'nobody while only a unit that goes is synchronous',
    roles: ['leader', 'replica', 'replica', 'sync_standby'],
    heir: undefined,
  },
])('the primary goes to $summary', ({ roles, heir }) => {
  const members = roles.map((role, number) => ({ name: `app-${number}`, role }));

  expect(heirOf(['app/1', 'app/2'], members)).toBe(heir);
});
