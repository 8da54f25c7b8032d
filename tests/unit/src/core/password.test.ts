import { expect, test } from '@jest/globals';

import { passwordProblem } from '../../../../src/core/password.ts';

const usable = [
  'eightsix',
  'x'.repeat(256),
  `a'b"c\\d'';--$$`,
  ' leading and trailing ',
  '#:{}[]&*!|>%@`,? -',
  'pässwörd ①ﬁ',
  '🔑🔑🔑🔑🔑🔑🔑🔑',
  'SCRAM-SHA-256$4096:abc$def:ghi',
];
test.each(usable)('%j can be used', (password) => {
  expect(passwordProblem(password)).toBeUndefined();
});

const problems = [
  { password: '', problem: 'it is empty' },
  { password: 'seven77', problem: 'it has fewer than 8 characters' },
  { password: '🔑'.repeat(7), problem: 'it has fewer than 8 characters' },
  { password: 'x'.repeat(257), problem: 'it has more than 256 characters' },
  { password: 'two\nlines', problem: 'it has a line break or another control character' },
  { password: 'tabu\tlator', problem: 'it has a line break or another control character' },
  { password: 'nul\0nul\0', problem: 'it has a line break or another control character' },
  { password: 'deleting\u007f', problem: 'it has a line break or another control character' },
  { password: 'separator\u2028', problem: 'it has a line break or another control character' },
  { password: 'half of\uD83D a pair', problem: 'it has a character that Unicode does not know' },
  { password: 'unassigned\uFFFF', problem: 'it has a character that Unicode does not know' },
];
test.each(problems)('$password cannot be used: $problem', ({ password, problem }) => {
  expect(passwordProblem(password)).toBe(problem);
});
