// Who makes a due backup, and what stands in the databags about it.

import { expect, test } from '@jest/globals';

import { chooseMaker, parseAnswer, parseOrder } from '../../../../src/core/backups/order.ts';

const member = (unit: string, leads = false, started = true) => ({ unit, leads, started });

test.each([
  ['without certificates the primary', [member('a/0'), member('a/1', true)], false, 'a/1'],
  ['itself, when it is the primary', [member('a/0', true), member('a/1')], false, 'a/0'],
  ['with certificates a replica', [member('a/0', true), member('a/1')], true, 'a/1'],
  [
    'one that works',
    [member('a/0', true), member('a/1', false, false), member('a/2')],
    true,
    'a/2',
  ],
  [
    'itself, when it is a replica',
    [member('a/1'), member('a/0'), member('a/2', true)],
    true,
    'a/0',
  ],
  ['the only member, whatever it has', [member('a/0', true)], true, 'a/0'],
  ['itself, when nobody can, to say why', [member('a/0'), member('a/1')], false, 'a/0'],
  ['itself, when nobody is seen', [], false, 'a/0'],
])('who makes it: %s', (...[, members, tls, expected]) => {
  expect(chooseMaker('a/0', members, { tls })).toBe(expected);
});

test('what is no order and no answer counts as none', () => {
  const order = { id: 'o1', unit: 'a/1', type: 'full', due: 1 };
  expect(parseOrder(JSON.stringify(order))).toEqual(order);
  expect(parseAnswer('{"id":"o1","waits":"it"}')).toEqual({ id: 'o1', waits: 'it' });

  for (const text of [undefined, '', '{', '{}', JSON.stringify({ ...order, unit: 'x' })]) {
    expect([parseOrder(text), parseAnswer(text?.replace('o1', 'O 1'))]).toEqual([
      undefined,
      undefined,
    ]);
  }
});
