// What follows from what the watcher sees.

import { expect, test } from '@jest/globals';

import { nothingSeen, reckonedVolume } from '../../../../src/core/watch-state.ts';

const seeing = (totalBytes: number) => ({
  ...nothingSeen,
  disk: { level: 'ok' as const, freePercent: 40, totalBytes, readOnly: false },
});

test.each([
  { summary: 'nothing known', seen: nothingSeen, before: undefined, expected: undefined },
  { summary: 'not looked yet', seen: nothingSeen, before: 1000, expected: 1000 },
  { summary: 'seen first', seen: seeing(1000), before: undefined, expected: 1000 },
  { summary: 'as it was', seen: seeing(1000), before: 1000, expected: 1000 },
  { summary: 'a little more', seen: seeing(1099), before: 1000, expected: 1000 },
  { summary: 'a little less', seen: seeing(901), before: 1000, expected: 1000 },
  { summary: 'a tenth more', seen: seeing(1100), before: 1000, expected: 1100 },
  { summary: 'a tenth less', seen: seeing(900), before: 1000, expected: 900 },
])('the volume is reckoned with as it is, but for what varies: $summary', (given) => {
  expect(reckonedVolume(given.seen, given.before)).toBe(given.expected);
});
