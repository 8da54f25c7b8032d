import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { fingerprint } from '../../../../lib/base/fingerprint.ts';

test('has sixteen digits, the same for the same text', () => {
  expect(fingerprint('')).toBe('811c9dc5811c9dc5');
  // The first half is FNV-1a as published.
  expect(fingerprint('foobar').slice(0, 8)).toBe('bf9cf968');
  expect(fingerprint('[["a","1"]]')).toMatch(/^[0-9a-f]{16}$/);
});

test('tells texts apart', () => {
  const texts = Array.from({ length: 20_000 }, (_, index) => `option ${index} of ${index % 7}`);
  expect(new Set(texts.map(fingerprint)).size).toBe(texts.length);

  fc.assert(
    fc.property(fc.string(), fc.string(), (one, other) => {
      expect(fingerprint(one) === fingerprint(other)).toBe(one === other);
    }),
  );
});
