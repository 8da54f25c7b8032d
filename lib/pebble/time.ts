// Durations as Go writes them (`1m30s`, `500ms`): Pebble's layers and requests use them. Numbers
// are nanoseconds where exactness matters for comparing, milliseconds towards our own code.

const nanoseconds: ReadonlyMap<string, number> = new Map([
  ['ns', 1],
  ['us', 1e3],
  ['µs', 1e3],
  ['μs', 1e3],
  ['ms', 1e6],
  ['s', 1e9],
  ['m', 60e9],
  ['h', 3600e9],
]);

const wholePattern = /^[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+)$/;
const partPattern = /(\d+\.?\d*|\.\d+)(ns|us|\u00b5s|\u03bcs|ms|s|m|h)/g;

/** The duration in nanoseconds; `undefined` when the text is not a duration. */
export function parseDurationNs(text: string): number | undefined {
  if (!wholePattern.test(text)) return undefined;
  let total = 0;
  for (const [, amount = '', unit = ''] of text.matchAll(partPattern)) {
    total += Math.trunc(Number(amount) * (nanoseconds.get(unit) ?? 0));
  }
  return text.startsWith('-') ? 0 - total : total;
}

/** The duration in milliseconds, with a fraction where there is one. */
export function parseDurationMs(text: string): number | undefined {
  const ns = parseDurationNs(text);
  return ns === undefined ? undefined : ns / 1e6;
}

/** A number of milliseconds as a duration. */
export function renderDurationMs(ms: number): string {
  return `${Math.ceil(ms)}ms`;
}
