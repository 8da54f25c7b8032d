import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { parseBytes, parseCores, parseQuantity } from '../../../../lib/kube/quantity.ts';

const cores = [
  { text: '4', cores: 4 },
  { text: '500m', cores: 0.5 },
  { text: '3920m', cores: 3.92 },
  { text: '0.1', cores: 0.1 },
  { text: '.5', cores: 0.5 },
  { text: '5.', cores: 5 },
  { text: '+2', cores: 2 },
  { text: '100u', cores: 0.0001 },
  { text: '1n', cores: 1e-9 },
  { text: '2e-3', cores: 0.002 },
];

test.each(cores)('"$text" is $cores cores', (row) => {
  expect(parseCores(row.text)).toBe(row.cores);
});

const bytes = [
  { text: '1.5Gi', bytes: 1_610_612_736 },
  { text: '100M', bytes: 100_000_000 },
  { text: '1e9', bytes: 1_000_000_000 },
  { text: '1E9', bytes: 1_000_000_000 },
  { text: '1E', bytes: 1e18 },
  { text: '128974848000m', bytes: 128_974_848 },
  { text: '3977196Ki', bytes: 4_072_648_704 },
  { text: '123k', bytes: 123_000 },
  { text: '0.1Gi', bytes: 107_374_183 },
  { text: '1500m', bytes: 2 },
  { text: '8Ei', bytes: 2 ** 63 },
  { text: '0', bytes: 0 },
];

test.each(bytes)('"$text" is $bytes bytes', (row) => {
  expect(parseBytes(row.text)).toBe(row.bytes);
});

const wrong = [
  '',
  '.',
  'Gi',
  '12e',
  '1K',
  '1gi',
  '1.2.3',
  '-1',
  '1 Gi',
  ' 1',
  '1Gib',
  '0x10',
  '١',
  '1e999',
];

test.each(wrong)('"%s" is no quantity', (text) => {
  expect(parseQuantity(text)).toBeUndefined();
  expect(parseBytes(text)).toBeUndefined();
  expect(parseCores(text)).toBeUndefined();
});

const binary = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const;
const decimal = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'] as const;
const count = fc.bigInt({ min: 0n, max: 10n ** 15n });

test('a binary suffix multiplies by a power of 1024, exactly', () => {
  fc.assert(
    fc.property(count, fc.nat({ max: 6 }), (whole, index) => {
      const quantity = parseQuantity(`${whole}${binary[index]}`);

      expect(quantity).toEqual({ numerator: whole * 1024n ** BigInt(index), denominator: 1n });
    }),
  );
});

test('a decimal suffix is worth a thousand of the one before', () => {
  fc.assert(
    fc.property(count, fc.integer({ min: 1, max: 9 }), (whole, index) => {
      const [large, small] = [`${whole}${decimal[index]}`, `${whole * 1000n}${decimal[index - 1]}`];

      const [left, right] = [parseQuantity(large), parseQuantity(small)];

      expect(left && right && left.numerator * right.denominator).toBe(
        left && right && right.numerator * left.denominator,
      );
    }),
  );
});

test('an exponent moves the decimal point', () => {
  fc.assert(
    fc.property(fc.nat({ max: 999_999 }), fc.integer({ min: -9, max: 18 }), (digits, exponent) => {
      const quantity = parseQuantity(`${digits}e${exponent}`);

      const expected = { numerator: BigInt(digits), denominator: 1n };
      if (exponent > 0) expected.numerator *= 10n ** BigInt(exponent);
      else expected.denominator = 10n ** BigInt(-exponent);
      expect(quantity).toEqual(expected);
    }),
  );
});

test('bytes are the smallest whole number that is not below the value', () => {
  fc.assert(
    fc.property(fc.nat(), (milli) => {
      expect(parseBytes(`${milli}m`)).toBe(Math.ceil(milli / 1000));
    }),
  );
});
