// The requests that a cluster has given up, as its databag remembers them.

import { expect, test } from '@jest/globals';

import {
  parseAbandoned,
  parseRestoreId,
  renderAbandoned,
} from '../../../../src/core/backups/restore-request.ts';

test('what is remembered is read again, and nothing else', () => {
  expect(parseAbandoned(renderAbandoned(['r0'], 'r1'))).toEqual(['r0', 'r1']);
  expect(parseAbandoned(undefined)).toEqual([]);
  expect(parseAbandoned('r0  {"a":1} UPPER r1')).toEqual(['r0', 'r1']);
});

test('a request is remembered once, and the oldest of many are forgotten', () => {
  const many = Array.from({ length: 40 }, (_, number) => `r${number}`);
  const text = many.reduce((before, one) => renderAbandoned(parseAbandoned(before), one), '');

  expect(renderAbandoned(['r0', 'r1'], 'r0')).toBe('r1 r0');
  expect(parseAbandoned(text)).toEqual(many.slice(-16));
});

test('what could not be remembered is no id', () => {
  expect(['r7', 'r 7', '', undefined].map(parseRestoreId)).toEqual([
    'r7',
    undefined,
    undefined,
    undefined,
  ]);
});
