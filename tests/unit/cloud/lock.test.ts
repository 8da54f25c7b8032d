import { expect, test } from '@jest/globals';

import { describeWait } from '../../../cloud/command-line.ts';
import { parseHolder } from '../../../cloud/lock.ts';

test('the note of a holder is read back', () => {
  const holder = { pid: 12, startTicks: 345, doing: 'up' };

  expect(parseHolder(`${JSON.stringify(holder)}\n`)).toEqual(holder);
});

test.each([
  { summary: 'no note', text: undefined },
  { summary: 'an empty note', text: '' },
  { summary: 'a note cut short', text: '{"pid": 12, "star' },
  { summary: 'a note without a start time', text: '{"pid": 12, "doing": "up"}' },
])('nobody holds the lock after $summary', ({ text }) => {
  expect(parseHolder(text)).toBeUndefined();
});

test('who waits is told for whom', () => {
  expect(describeWait({ pid: 12, startTicks: 345, doing: 'down' })).toBe(
    'waiting: process 12 (down) changes the cloud',
  );
  expect(describeWait(undefined)).toBe('waiting: another process changes the cloud');
});
