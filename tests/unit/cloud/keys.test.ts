import { expect, test } from '@jest/globals';

import { computeKey } from '../../../cloud/build/keys.ts';

const inputs = { version: '1.2', flags: ['-s', '-w'], sources: { 'go.mod': 'module a\n' } };

test('a key does not depend on the order of fields', () => {
  const reordered = {
    sources: { 'go.mod': 'module a\n' },
    flags: ['-s', '-w'],
    version: '1.2',
  };

  expect(computeKey(reordered)).toBe(computeKey(inputs));
});

test('a key is sixteen hexadecimal digits', () => {
  expect(computeKey(inputs)).toMatch(/^[0-9a-f]{16}$/);
});

test.each([
  { summary: 'a value', changed: { ...inputs, version: '1.3' } },
  { summary: 'the order of a list', changed: { ...inputs, flags: ['-w', '-s'] } },
  { summary: 'the content of a file', changed: { ...inputs, sources: { 'go.mod': 'module b\n' } } },
  { summary: 'one more field', changed: { ...inputs, tags: 'minimal' } },
  { summary: 'where a list ends', changed: { ...inputs, flags: ['-s -w'] } },
])('a key changes with $summary', ({ changed }) => {
  expect(computeKey(changed)).not.toBe(computeKey(inputs));
});

test('an absent field and an undefined one give the same key', () => {
  expect(computeKey({ ...inputs, tags: undefined })).toBe(computeKey(inputs));
});
