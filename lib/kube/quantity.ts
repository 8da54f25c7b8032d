// Kubernetes quantities (`500m`, `1.5Gi`, `128974848000m`, `1e9`), read exactly: the value is a
// fraction of two big integers until the caller asks for a number.
// Source: Kubernetes API reference, `Quantity`.

/** An exact, non-negative value. */
export interface Quantity {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

const pattern =
  /^\+?(?<whole>\d*)(?:\.(?<fraction>\d*))?(?:(?<suffix>[numkMGTPE]|[KMGTPE]i)|[eE](?<exponent>[+-]?\d{1,2}))?$/u;

const decimalExponents: Readonly<Record<string, number>> = {
  n: -9,
  u: -6,
  m: -3,
  k: 3,
  M: 6,
  G: 9,
  T: 12,
  P: 15,
  E: 18,
};

const binaryExponents: Readonly<Record<string, number>> = {
  Ki: 10,
  Mi: 20,
  Gi: 30,
  Ti: 40,
  Pi: 50,
  Ei: 60,
};

/** The value of a quantity; `undefined` when the text is none (negative ones are none to us). */
export function parseQuantity(text: string): Quantity | undefined {
  const groups = pattern.exec(text)?.groups;
  if (groups === undefined) return undefined;
  const { whole = '', fraction = '', suffix = '', exponent = '0' } = groups;
  if (whole + fraction === '') return undefined;
  const decimal = (decimalExponents[suffix] ?? Number(exponent)) - fraction.length;
  const binary = binaryExponents[suffix] ?? 0;
  return {
    numerator: BigInt(whole + fraction) * power(10n, decimal) * power(2n, binary),
    denominator: power(10n, -decimal),
  };
}

/** Number of processor cores, to the precision of a double: `3920m` is 3.92. */
export function parseCores(text: string): number | undefined {
  const quantity = parseQuantity(text);
  if (quantity === undefined) return undefined;
  const { numerator, denominator } = quantity;
  // Split, so that neither part overflows a double before the division.
  return Number(numerator / denominator) + Number(numerator % denominator) / Number(denominator);
}

/** Number of bytes, part of a byte counting as one, as Kubernetes rounds. */
export function parseBytes(text: string): number | undefined {
  const quantity = parseQuantity(text);
  if (quantity === undefined) return undefined;
  const { numerator, denominator } = quantity;
  return Number((numerator + denominator - 1n) / denominator);
}

function power(base: bigint, exponent: number): bigint {
  return exponent > 0 ? base ** BigInt(exponent) : 1n;
}
