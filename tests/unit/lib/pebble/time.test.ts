import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { parseDurationMs, parseDurationNs, renderDurationMs } from '../../../../lib/pebble/time.ts';

test.each([
  ['0', 0],
  ['0s', 0],
  ['+5s', 5e9],
  ['-1.5h', -5400e9],
  ['1m30s', 90e9],
  ['1h2m3s4ms5us6ns', 3_723_004_005_006],
  ['1µs1μs', 2000],
  ['.5s', 0.5e9],
  ['1.s', 1e9],
  ['1.25ms', 1.25e6],
])('%s is %i nanoseconds', (text, ns) => {
  expect(parseDurationNs(text)).toBe(ns);
});

test.each(['', '5', 's', '.s', '5 s', ' 5s', '5s ', '1d', '1S', '--1s', '1e3s', '1s1', 'NaN'])(
  '%j is no duration',
  (text) => {
    expect(parseDurationNs(text)).toBeUndefined();
    expect(parseDurationMs(text)).toBeUndefined();
  },
);

test('milliseconds are written so that they are read back', () => {
  fc.assert(
    fc.property(fc.nat(), (ms) => {
      expect(parseDurationMs(renderDurationMs(ms))).toBe(ms);
    }),
  );
});

test('a fraction of a millisecond is rounded up, so that no wait becomes endless', () => {
  expect(renderDurationMs(0.2)).toBe('1ms');
});
