// Text of any characters that Unicode has, for generated tests. fast-check's own kind of it lists all
// million of them first, in every file that asks.

import fc from 'fast-check';

const firstSurrogate = 0xd800;
const surrogates = 0x800;
const last = 0x10ffff;

/** Any code point but half a surrogate pair, one as likely as another, and the low ones more often. */
const character: fc.Arbitrary<string> = fc.oneof(fc.nat(0xff), fc.nat(last - surrogates)).map(
  (rank) => String.fromCodePoint(rank < firstSurrogate ? rank : rank + surrogates),
  (value) => {
    const code = typeof value === 'string' ? value.codePointAt(0) : undefined;
    if (code === undefined || value !== String.fromCodePoint(code)) throw new Error('no character');
    return code < firstSurrogate ? code : code - surrogates;
  },
);

/** Text that may hold anything. */
export function anyText(limits: { readonly maxLength?: number } = {}): fc.Arbitrary<string> {
  return fc.string({ unit: character, ...limits });
}
