import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { Secret } from '../../../../lib/base/secret.ts';
import { matchesVerifier, scramVerifier } from '../../../../lib/sql/scram.ts';

// Salt and iterations of the example in RFC 7677, whose password is `pencil`; its keys follow from
// the exchange that it prints.
const example = { salt: Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'), iterations: 4096 };

test('the verifier is what PostgreSQL stores for the example of RFC 7677', () => {
  expect(scramVerifier(new Secret('pencil'), example)).toBe(
    'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$' +
      'WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
  );
});

test('every verifier has a salt of its own', () => {
  const password = new Secret('pencil');

  expect(scramVerifier(password)).not.toBe(scramVerifier(password));
});

test('a verifier matches the password that it was made from, and no other', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (one, other) => {
      fc.pre(one.normalize('NFKC') !== other.normalize('NFKC'));
      const verifier = scramVerifier(new Secret(one), { iterations: 2 });

      expect(matchesVerifier(verifier, new Secret(one))).toBe(true);
      expect(matchesVerifier(verifier, new Secret(other))).toBe(false);
    }),
  );
});

test.each(['', 'md5abcdef', 'SCRAM-SHA-256$x:y$z', 'pencil'])(
  '"%s" matches nothing',
  (verifier) => {
    expect(matchesVerifier(verifier, new Secret('pencil'))).toBe(false);
  },
);

const prepared = [
  { summary: 'a wide blank', left: 'a\u00A0b', right: 'a b' },
  { summary: 'a soft hyphen', left: 'a\u00ADb', right: 'ab' },
  { summary: 'a ligature', left: 'ﬁ', right: 'fi' },
];

test.each(prepared)('$summary is prepared as clients do', ({ left, right }) => {
  expect(scramVerifier(new Secret(left), example)).toBe(scramVerifier(new Secret(right), example));
});

test('nothing is no password', () => {
  expect(() => scramVerifier(new Secret(''))).toThrow(/empty/);
  expect(() => scramVerifier(new Secret('\u00AD'))).toThrow(/empty/);
});
