import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { quoteIdentifier, quoteLiteral } from '../../../../lib/sql/quoting.ts';

const literals = [
  { text: '', quoted: "''" },
  { text: "it's", quoted: "'it''s'" },
  { text: "'; DROP ROLE admin; --", quoted: "'''; DROP ROLE admin; --'" },
  { text: '\\', quoted: " E'\\\\'" },
  { text: "\\'", quoted: " E'\\\\'''" },
  { text: '$$', quoted: "'$$'" },
  { text: 'ü\n', quoted: "'ü\n'" },
];

test.each(literals)('the literal of $text', ({ text, quoted }) => {
  expect(quoteLiteral(text)).toBe(quoted);
});

const identifiers = [
  { name: 'admin', quoted: '"admin"' },
  { name: 'User', quoted: '"User"' },
  { name: 'a"b', quoted: '"a""b"' },
  { name: '"; --', quoted: '"""; --"' },
  { name: "o'\\", quoted: `"o'\\"` },
  { name: 'x'.repeat(63), quoted: `"${'x'.repeat(63)}"` },
];

test.each(identifiers)('the identifier of $name', ({ name, quoted }) => {
  expect(quoteIdentifier(name)).toBe(quoted);
});

const refused = [
  { summary: 'nothing', name: '' },
  { summary: 'more than 63 bytes', name: 'x'.repeat(64) },
  { summary: 'more than 63 bytes in fewer characters', name: 'ü'.repeat(32) },
  { summary: 'a NUL', name: 'a\0b' },
  { summary: 'half a character', name: 'a\uD800' },
];

test.each(refused)('a name of $summary is refused without being repeated', ({ name }) => {
  expect(() => quoteIdentifier(name)).toThrow(/^cannot quote (identifier|text): [^\0\uD800]*$/u);
});

test('text that PostgreSQL cannot store is refused', () => {
  expect(() => quoteLiteral('a\0b')).toThrow(/cannot quote text/);
  expect(() => quoteLiteral('\uDC00')).toThrow(/cannot quote text/);
});

// Characters that have ever ended or escaped a string somewhere, and some that have not.
const nasty = fc.string({
  unit: fc.constantFrom(
    "'",
    '"',
    '\\',
    '$',
    ';',
    '-',
    '/',
    '*',
    'E',
    'U',
    '&',
    '\n',
    ' ',
    'a',
    'ü',
    '😀',
    '＇',
  ),
});

// Quicker than the generator's own characters, which it first sorts by script.
const anything = fc
  .array(fc.integer({ min: 1, max: 0x10ffff }))
  .map((points) => String.fromCodePoint(...points))
  .filter((text) => text.isWellFormed());

test('a literal ends where it should and reads back as it was, in either string mode', () => {
  fc.assert(
    fc.property(fc.oneof(nasty, anything), (text) => {
      expect(readLiteral(quoteLiteral(text))).toBe(text);
    }),
  );
});

test('an identifier ends where it should and reads back as it was', () => {
  fc.assert(
    fc.property(nasty, (name) => {
      fc.pre(name !== '' && Buffer.byteLength(name) <= 63);
      const quoted = quoteIdentifier(name);

      expect(quoted).toMatch(/^"(?:[^"]|"")+"$/u);
      expect(quoted.slice(1, -1).replaceAll('""', '"')).toBe(name);
    }),
  );
});

/** Reads as PostgreSQL's lexer does; a backslash outside E'' would depend on a setting. */
function readLiteral(quoted: string): string {
  const escaped = /^ E'((?:[^'\\]|''|\\\\)*)'$/u.exec(quoted);
  if (escaped !== null) return (escaped[1] ?? '').replaceAll(/''|\\\\/gu, (pair) => pair.charAt(0));
  const plain = /^'((?:[^'\\]|'')*)'$/u.exec(quoted);
  if (plain === null) throw new Error(`not one literal: ${quoted}`);
  return (plain[1] ?? '').replaceAll("''", "'");
}
