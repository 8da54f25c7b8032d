// Times as operators see them, and log sequence numbers as numbers.

import * as v from 'valibot';

/** Seconds that are a time which can be written down. */
export const timeSchema = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(0),
  v.maxValue(253_402_300_799),
);

/** `2026-01-31T12:00:00Z` */
export function isoSeconds(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** `1/5000028` → 4378853416: exact up to nine petabytes of WAL. `undefined` for anything else. */
export function lsnNumber(text: string): number | undefined {
  const { high, low } = /^(?<high>[0-9A-F]{1,8})\/(?<low>[0-9A-F]{1,8})$/i.exec(text)?.groups ?? {};
  if (high === undefined || low === undefined) return undefined;
  return Number.parseInt(high, 16) * 2 ** 32 + Number.parseInt(low, 16);
}
