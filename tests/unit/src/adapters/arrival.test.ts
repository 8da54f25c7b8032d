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
  /** What waits already takes it so long. */
  readonly backlogMs?: number;
  /** Until then the command is that of before, which takes all. */
  readonly commandMs?: number;
  /** Until then segments go where they went before. */
  readonly formerMs?: number;
  /** The others are refused. */
  readonly fails?: true;
  /** What failed long ago. */
  readonly failedBefore?: string;
}

interface Told {
  readonly arrival: Arrival;
  /** Segments that were ended for it. */
  readonly switched: number;
}

/** Asks an archiver that begins with the first segment that is switched. */
async function ask(archiver: Archiver): Promise<Told> {
  const { segmentMs, backlogMs = 0, commandMs = 0, fails = false, failedBefore } = archiver;
  const formerMs = Math.max(commandMs, archiver.formerMs ?? 0);
  const clock = createClock(0);
  const first = 200;
  let freeAtMs = backlogMs;
  const tried: { readonly name: string; readonly atMs: number }[] = [];
  const isOver = ({ atMs }: { readonly atMs: number }) => atMs <= clock.nowMs();
  const goesElsewhere = ({ atMs }: { readonly atMs: number }) => atMs < formerMs;
  const state = (): ArchiverState => {
    const over = tried.filter(isOver);
    const last = over.findLast((one) => !fails || goesElsewhere(one))?.name;
    const failed = fails ? over.find((one) => !goesElsewhere(one))?.name : failedBefore;
    return {
      command: clock.nowMs() < commandMs ? '/bin/true' : 'archive',
      ...(last === undefined ? {} : { lastArchivedWal: last }),
      ...(failed === undefined ? {} : { lastFailedWal: failed }),
    };
  };
  const arrival = await awaitArrival({
    clock,
    command: 'archive',
    postgres: {
      switchWal: async () => {
        const name = nameOf(first + tried.length);
        freeAtMs = Math.max(freeAtMs, clock.nowMs()) + segmentMs;
        tried.push({ name, atMs: freeAtMs });
        return await Promise.resolve(name);
      },
      archiver: async () => await Promise.resolve(state()),
    },
    isThere: async (segment) => {
      const there = tried.filter((one) => !fails && isOver(one) && !goesElsewhere(one));
      return await Promise.resolve(there.some(({ name }) => name === segment));
    },
  });
  return { arrival, switched: tried.length };
}

interface Case extends Told {
  readonly summary: string;
  readonly archiver: Archiver;
}

const cases: readonly Case[] = [
  { summary: 'a fast one', archiver: { segmentMs: 100 }, arrival: 'arrived', switched: 1 },
  {
    summary: 'one that is some segments behind',
    archiver: { segmentMs: 4_000, backlogMs: 12_000 },
    arrival: 'arrived',
    switched: 1,
  },
  {
    summary: 'one that is far behind',
    archiver: { segmentMs: 4_000, backlogMs: 32_000 },
    arrival: 'arrived',
    switched: 2,
  },
  {
    summary: 'one whose command Patroni changes soon',
    archiver: { segmentMs: 100, commandMs: 6_000 },
    arrival: 'arrived',
    switched: 1,
  },
  {
    summary: 'one that goes on as before for a while',
    archiver: { segmentMs: 100, formerMs: 10_000 },
    arrival: 'arrived',
    switched: 2,
  },
  {
    summary: 'one that failed before',
    archiver: { segmentMs: 100, failedBefore: nameOf(199) },
    arrival: 'arrived',
    switched: 1,
  },
  {
    summary: 'one that goes on as before',
    archiver: { segmentMs: 100, formerMs: 600_000 },
    arrival: 'elsewhere',
    switched: 2,
  },
  {
    summary: 'one whose command stays as it was',
    archiver: { segmentMs: 100, commandMs: 600_000 },
    arrival: 'elsewhere',
    switched: 2,
  },
  {
    summary: 'one that goes on as before, slowly',
    archiver: { segmentMs: 4_000, formerMs: 600_000, failedBefore: nameOf(199) },
    arrival: 'elsewhere',
    switched: 2,
  },
  {
    summary: 'one that hangs',
    archiver: { segmentMs: 600_000 },
    arrival: 'nowhere',
    switched: 2,
  },
  {
    summary: 'one that is refused',
    archiver: { segmentMs: 100, fails: true },
    arrival: 'nowhere',
    switched: 2,
  },
  {
    summary: 'one that is refused after the last of before',
    archiver: { segmentMs: 100, formerMs: 10_000, fails: true },
    arrival: 'nowhere',
    switched: 2,
  },
];

test.each(cases)('of $summary: $arrival', async ({ archiver, arrival, switched }) => {
  expect(await ask(archiver)).toEqual({ arrival, switched });
});
