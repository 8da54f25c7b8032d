import { expect, test } from '@jest/globals';

import { Secret } from '../../../lib/base/secret.ts';
import { canonical, differences } from '../../support/scenario/compare.ts';

test('is JSON with sorted keys, without what JSON leaves out', () => {
  const value = {
    b: [1, undefined, 'x"y'],
    a: { d: undefined, c: null },
    10: true,
    secret: new Secret('hush'),
    bytes: new Uint8Array([1, 2]),
  };

  expect(canonical(value)).toBe(
    '{"10":true,"a":{"c":null},"b":[1,null,"x\\"y"],"bytes":"bytes AQI=","secret":' +
      `${JSON.stringify(new Secret('hush'))}}`,
  );
  expect(canonical(undefined)).toBe('null');
});

test('numbers what was made in the order in which it appears, also in parts that are shared', () => {
  const shared = { id: 'made0000010000000001' };
  const other = { id: 'made0000020000000001' };

  expect(canonical([shared, other, shared])).toBe(
    '[{"id":"made#1"},{"id":"made#2"},{"id":"made#1"}]',
  );
  expect(canonical([other, shared])).toBe('[{"id":"made#1"},{"id":"made#2"}]');
  expect(differences({ a: shared }, { a: other })).toEqual([]);
});

test('a part that has been compared cannot be changed unseen', () => {
  const part = { list: ['a'] };
  canonical({ part });

  expect(() => part.list.push('b')).toThrow(TypeError);
  expect(() => Object.assign(part, { more: true })).toThrow(TypeError);
});
