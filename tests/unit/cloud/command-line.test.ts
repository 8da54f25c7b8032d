import { expect, test } from '@jest/globals';

import { parseCommandLine } from '../../../cloud/command-line.ts';

const line = { usage: 'usage: try\n', options: ['format'], positionals: { min: 1, max: 2 } };

test.each([
  { summary: 'one word', args: ['stop'], values: {}, positionals: ['stop'] },
  {
    summary: 'an option after two words',
    args: ['stop', 'etcd', '--format', 'json'],
    values: { format: 'json' },
    positionals: ['stop', 'etcd'],
  },
  {
    summary: 'an option with an equals sign',
    args: ['--format=json', 'stop'],
    values: { format: 'json' },
    positionals: ['stop'],
  },
])('arguments are read: $summary', ({ args, values, positionals }) => {
  expect(parseCommandLine(line, args)).toEqual({ values, positionals });
});

test.each([['--help'], ['-h'], ['stop', '--help']])('help is asked for with %s %s', (...args) => {
  expect(parseCommandLine(line, args)).toBe('help');
});

test.each([
  { summary: 'too few words', args: [], message: 'usage: try' },
  { summary: 'too many words', args: ['a', 'b', 'c'], message: 'usage: try' },
  { summary: 'an unknown option', args: ['a', '--fast'], message: '--fast' },
])('other arguments are refused: $summary', ({ args, message }) => {
  expect(() => parseCommandLine(line, args)).toThrow(message);
});
