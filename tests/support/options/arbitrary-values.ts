// Values of options for generated tests: right ones, wrong ones, and anything at all.

import fc from 'fast-check';

import type { OptionRow } from '../../../src/core/config/option-row.ts';

const isTextual = ({ type }: OptionRow): boolean => type === 'string' || type === 'secret';

/** A value that the option takes. */
export function rightValue(row: OptionRow): fc.Arbitrary<string | number | boolean> {
  if (row.type === 'boolean') return fc.boolean();
  if (isTextual(row)) return rightText(row);
  const { min = 0, max = 0 } = row;
  const limits = fc.constantFrom(min, max);
  if (row.type === 'int') return fc.oneof(limits, fc.integer({ min, max }), nearby(row));
  const readable = (value: number): boolean => value === 0 || Math.abs(value) >= 2 ** -1022;
  return fc.oneof(limits, fc.double({ min, max, noNaN: true }).filter(readable), nearby(row));
}

/** Numbers close to the lower limit, where those are that people use. */
function nearby({ min = 0, max = 0 }: OptionRow): fc.Arbitrary<number> {
  return fc.nat(1000).map((more) => Math.min(Math.ceil(min) + more, max));
}

function rightText({ name, allowed }: OptionRow): fc.Arbitrary<string> {
  if (allowed !== undefined) return fc.constantFrom(...allowed);
  const number = (min: number) => fc.integer({ min, max: 20 }).map(String);
  if (name.startsWith('cpu_')) return fc.oneof(fc.constant('auto'), number(2));
  if (name === 'synchronous_node_count') {
    return fc.oneof(fc.constantFrom('all', 'majority'), number(1));
  }
  if (name === 'backup_cipher_secret') return fc.constantFrom('', 'secret:abcdefghij0123456789');
  if (name.startsWith('backup_schedule_')) {
    return fc.constantFrom('', '0 2 * * *', '*/15 8-18 * * mon-fri', '30 1 1,15 jan-dec/3 0');
  }
  if (name === 'ldap_map') {
    return fc.constantFrom(
      '',
      'a=b',
      'a b=c, d=e',
      'a=b,c=d',
      'staff=readers,'.repeat(200) + 'a=b',
    );
  }
  return fc.string({ unit: nameUnit, minLength: 1, maxLength: 50 });
}

const nameUnit = fc.constantFrom(...'abzABZ019_ .,:/+-#%*?&!|>[]{}@~äß漢'.split(''), '😀');

/** A value that the option does not take. */
export function wrongValue(row: OptionRow): fc.Arbitrary<unknown> {
  const otherTypes = fc.oneof(
    fc.array(fc.anything({ maxDepth: 1 }), { maxLength: 3 }),
    fc.object({ maxDepth: 1, maxKeys: 3 }),
    fc.constantFrom(Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY),
    fc.bigInt(),
  );
  if (row.type === 'boolean') return fc.oneof(otherTypes, fc.string(), fc.double());
  if (isTextual(row)) return fc.oneof(otherTypes, wrongText(row), fc.double(), fc.boolean());
  const { min = 0, max = 0 } = row;
  const outside = [min - 1, min - 1e9, ...(max < Number.MAX_SAFE_INTEGER ? [max + 1] : [])];
  const broken = row.type === 'int' ? [min + 0.5, 1e300, Number.EPSILON] : [5e-324, -5e-324];
  const number = fc.constantFrom(...outside, ...broken);
  return fc.oneof(otherTypes, number, fc.string(), fc.boolean());
}

function wrongText(row: OptionRow): fc.Arbitrary<string> {
  const { allowed } = row;
  const long = longText(row);
  if (allowed !== undefined) {
    return fc.oneof(
      fc.string().filter((text) => !allowed.includes(text)),
      long,
    );
  }
  // No form takes a line break or a double quote.
  const odd = fc
    .tuple(fc.string(), fc.constantFrom('\n', '\r', '\0', '"', '\u2028'), fc.string())
    .map((parts) => parts.join(''));
  return fc.oneof({ weight: 3, arbitrary: odd }, long);
}

/** Right but for its length, which goes up to what neither Juju's state nor an argument takes. */
export function longText({ name }: OptionRow): fc.Arbitrary<string> {
  const texts: Readonly<Record<string, string>> = {
    ldap_map: 'a=b,',
    synchronous_node_count: '12',
  };
  const part = texts[name] ?? (name.startsWith('cpu_') ? '345' : 'äß漢😀');
  return fc
    .constantFrom(5_000, 70_000, 200_000)
    .map((length) => `${part.repeat(length / part.length)}${name === 'ldap_map' ? 'c=d' : ''}`);
}

/** Anything that could come out of JSON, and more. */
export function anyValue(row: OptionRow): fc.Arbitrary<unknown> {
  return fc.oneof(rightValue(row), wrongValue(row), fc.anything({ maxDepth: 2 }));
}

/** Right or wrong, but of the type that Juju itself sees to. */
export function typedValue(row: OptionRow): fc.Arbitrary<string | number | boolean> {
  if (row.type === 'boolean') return fc.boolean();
  const right = rightValue(row);
  if (row.type === 'secret') return fc.constant('secret:abcdefghij0123456789');
  if (isTextual(row)) {
    return fc.oneof({ weight: 4, arbitrary: right }, fc.string(), longText(row));
  }
  const wild =
    row.type === 'int' ? fc.maxSafeInteger() : fc.double({ noNaN: true, noDefaultInfinity: true });
  const { min = 0, max = 0 } = row;
  return fc.oneof({ weight: 3, arbitrary: right }, wild, fc.constantFrom(min - 1, max + 1));
}
