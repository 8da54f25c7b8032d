// Whether WAL arrives, with archivers as they are: slow, failing, or at work for somebody else.

import { expect, test } from '@jest/globals';

import { type Arrival, awaitArrival } from '../../../../src/adapters/arrival.ts';
import type { ArchiverState } from '../../../../src/ports.ts';
import { createClock } from '../../../support/scenario/host.ts';

const nameOf = (number: number) =>
  `0000000100000000${number.toString(16).padStart(8, '0').toUpperCase()}`;

interface Archiver {
  /** How long it takes for each segment. */
  readonly segmentMs: number;
  /** Segments that are archived by what was in force before. */
  readonly former?: number;
  /** The others are refused. */
  readonly fails?: true;
  /** What failed long ago. */
  readonly failedBefore?: string;
}

/** Asks an archiver that begins with the first segment that is switched. */
async function ask(archiver: Archiver): Promise<Arrival> {
  const { segmentMs, former = 0, fails = false, failedBefore } = archiver;
  const clock = createClock(0);
  const first = 200;
  let switched = 0;
  let freeAtMs = 0;
  const done: { readonly number: number; readonly atMs: number }[] = [];
  const archived = () =>
    done.filter(
      ({ number, atMs }) => atMs <= clock.nowMs() && !(fails && number >= first + former),
    );
  const state = (): ArchiverState => {
    const last = archived().at(-1)?.number;
    const failed = fails && switched > former ? nameOf(first + former) : failedBefore;
    return {
      ...(last === undefined ? {} : { lastArchivedWal: nameOf(last) }),
      ...(failed === undefined ? {} : { lastFailedWal: failed }),
    };
  };
  return await awaitArrival({
    clock,
    postgres: {
      switchWal: async () => {
        const number = first + switched;
        switched += 1;
        freeAtMs = Math.max(freeAtMs, clock.nowMs()) + segmentMs;
        done.push({ number, atMs: freeAtMs });
        return await Promise.resolve(nameOf(number));
      },
      archiver: async () => await Promise.resolve(state()),
    },
    isThere: async (segment) => {
      const there = archived().filter(({ number }) => number >= first + former);
      return await Promise.resolve(there.some(({ number }) => nameOf(number) === segment));
    },
  });
}

const cases: readonly { summary: string; archiver: Archiver; arrival: Arrival }[] = [
  { summary: 'a fast one', archiver: { segmentMs: 100 }, arrival: 'arrived' },
  {
    summary: 'one that always is some segments behind',
    archiver: { segmentMs: 4_000 },
    arrival: 'arrived',
  },
  {
    summary: 'one that first goes on as before',
    archiver: { segmentMs: 100, former: 7 },
    arrival: 'arrived',
  },
  {
    summary: 'one that failed before',
    archiver: { segmentMs: 100, failedBefore: nameOf(199) },
    arrival: 'arrived',
  },
  {
    summary: 'one that goes on as before',
    archiver: { segmentMs: 100, former: 1_000 },
    arrival: 'elsewhere',
  },
  {
    summary: 'one that goes on as before, slowly',
    archiver: { segmentMs: 4_000, former: 1_000, failedBefore: nameOf(199) },
    arrival: 'elsewhere',
  },
  { summary: 'one that hangs', archiver: { segmentMs: 600_000 }, arrival: 'nowhere' },
  { summary: 'one that is refused', archiver: { segmentMs: 100, fails: true }, arrival: 'nowhere' },
  {
    summary: 'one that is refused after the last of before',
    archiver: { segmentMs: 100, former: 3, fails: true },
    arrival: 'nowhere',
  },
];

test.each(cases)('of $summary: $arrival', async ({ archiver, arrival }) => {
  expect(await ask(archiver)).toBe(arrival);
});
