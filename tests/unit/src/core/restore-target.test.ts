// Which backup and timeline a restore takes, for what an operator may ask for.

import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { parseArchiveListing, parseHistory } from '../../../../src/core/backups/archive.ts';
import { type Backup, idOfLabel } from '../../../../src/core/backups/backup-list.ts';
import {
  type Catalogue,
  chooseTarget,
  roomFor,
} from '../../../../src/core/backups/restore-target.ts';
import { parseTime, renderTime } from '../../../../src/core/backups/restore-time.ts';
import { lineageKey, windowsOf } from '../../../../src/core/backups/windows.ts';

const times = [
  ['2026-01-31 12:00:00', '2026-01-31 12:00:00.000000+00'],
  ['2026-01-31 12:00:00.5', '2026-01-31 12:00:00.500000+00'],
  ['2026-01-31 12:00:00.123456', '2026-01-31 12:00:00.123456+00'],
  ['2026-01-31 12:00:00+02', '2026-01-31 10:00:00.000000+00'],
  ['2026-01-31 00:30:00+0530', '2026-01-30 19:00:00.000000+00'],
  ['2026-01-31 00:30:00.25-03:30', '2026-01-31 04:00:00.250000+00'],
  ['1969-12-31 23:59:59.75', '1969-12-31 23:59:59.750000+00'],
] as const;

test.each(times)('%s is %s', (given, rendered) => {
  const time = parseTime(given);

  expect(time?.kind === 'time' ? renderTime(time.micros) : undefined).toBe(rendered);
});

test.each([
  '',
  'now',
  'Latest',
  '2026-01-31',
  '2026-01-31T12:00:00',
  '2026-01-31T12:00:00Z',
  '2026-01-31 12:00',
  '2026-02-30 12:00:00',
  '2026-01-31 24:00:00',
  '2026-01-31 12:60:00',
  '2026-01-31 12:00:00.',
  '2026-01-31 12:00:00.1234567',
  '2026-01-31 12:00:00+2',
  '2026-01-31 12:00:00+16',
  '2026-01-31 12:00:00+02:60',
  '2026-01-31 12:00:00 UTC',
  '2026-01-31 12:00:00"; --type=none',
  '0001-01-01 00:00:00+15',
  '２026-01-31 12:00:00',
])('%j is no time', (given) => {
  expect(parseTime(given)).toBeUndefined();
});

test('whatever is taken for a time is rendered in one form, and means the same again', () => {
  fc.assert(
    fc.property(
      fc.date({
        min: new Date(Date.UTC(1970, 0, 1)),
        max: new Date(Date.UTC(9998, 0, 1)),
        noInvalidDate: true,
      }),
      fc.integer({ min: 0, max: 999 }),
      (date, rest) => {
        const micros = date.getTime() * 1000 + rest;
        const rendered = renderTime(micros);

        expect(rendered).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}\+00$/);
        expect(parseTime(rendered)).toMatchObject({ micros });
      },
    ),
  );
});

const at = (hour: number, minute = 0) => Date.UTC(2026, 0, 30, hour, minute) / 1000;
const stanza = 'model.patroni-app';

/** Made within ten seconds from a full hour on. */
function backup(hour: number, part: Partial<Backup> = {}): Backup {
  const label = `20260130-${String(hour).padStart(2, '0')}0000F`;
  return {
    label,
    id: idOfLabel(label),
    type: 'full',
    stanza,
    references: [],
    archiveId: '17-1',
    walStart: '000000010000000000000003',
    walStop: '000000010000000000000003',
    bytes: { size: 1000 },
    lsnStart: '0/3000028',
    lsnStop: '0/3000120',
    startSeconds: at(hour),
    stopSeconds: at(hour) + 10,
    timeline: '1',
    ...part,
  };
}

/** On the timeline that left the first at 0/5000000. */
const ofSecond = (hour: number, segment: number): Backup =>
  backup(hour, {
    walStart: `00000002000000000000000${segment}`,
    walStop: `00000002000000000000000${segment}`,
    lsnStart: `0/${segment}000028`,
    lsnStop: `0/${segment}000120`,
    timeline: '2',
  });

const segment = (timeline: number, number: number, seconds: number) =>
  [
    `${stanza}/17-1/0000000${timeline}00000000/0000000${timeline}000000000000000${number}-${'a'.repeat(40)}.zst`,
    { time: seconds },
  ] as const;

function catalogue(backups: readonly Backup[]): Catalogue {
  const listing = Object.fromEntries([
    segment(1, 3, at(12)),
    segment(1, 4, at(12, 40)),
    segment(1, 5, at(12, 50)),
    segment(2, 5, at(13, 30)),
    segment(2, 6, at(14)),
    [`${stanza}/17-1/00000002.history`, { time: at(13) }] as const,
  ]);
  const { archives, histories } = parseArchiveListing(JSON.stringify(listing), backups);
  const lineage = new Map([
    [lineageKey(stanza, '17-1', 2), parseHistory('1\t0/5000000\tno recovery target specified\n')],
  ]);
  return { backups, histories, windows: windowsOf(backups, archives, lineage) };
}

const both = catalogue([backup(12), ofSecond(14, 6)]);
const first = catalogue([backup(12)]);

function choose(given: Catalogue, id: string | undefined, time?: string) {
  const parsed = time === undefined ? undefined : parseTime(time);
  const choice = chooseTarget(
    { ...(id === undefined ? {} : { id }), ...(parsed === undefined ? {} : { time: parsed }) },
    given,
  );
  return 'refusal' in choice ? choice.refusal : choice.target;
}

const label = '20260130-120000F';
const fork = '2026-01-30T13:00:00Z';

test('a backup without a time is restored as it is', () => {
  expect(choose(both, '2026-01-30T12:00:00Z')).toEqual({ label, stanza, timeline: 1 });
});

test('a time or the end of a backup is on the timeline of the backup', () => {
  expect(choose(both, '2026-01-30T12:00:00Z', '2026-01-30 12:45:00')).toEqual({
    label,
    stanza,
    timeline: 1,
    time: '2026-01-30 12:45:00.000000+00',
  });
  expect(choose(both, '2026-01-30T12:00:00Z', 'latest')).toMatchObject({
    timeline: 1,
    time: 'latest',
  });
});

test('a timeline is reached from the newest backup that leads there', () => {
  expect(choose(first, fork, '2026-01-30 13:20:00')).toMatchObject({ label, timeline: 2 });
  expect(choose(both, fork, '2026-01-30 13:20:00')).toMatchObject({ label, timeline: 2 });
  expect(choose(both, fork, 'latest')).toMatchObject({ label: '20260130-140000F', timeline: 2 });
});

test('a backup of a timeline that was left before it leads nowhere else', () => {
  const late = backup(14, {
    walStart: '000000010000000000000005',
    walStop: '000000010000000000000005',
    lsnStart: '0/5000028',
    lsnStop: '0/5000120',
  });

  expect(choose(catalogue([late]), fork, 'latest')).toBe(
    "Can't find the nearest timeline before timestamp latest to restore",
  );
});

test('a time alone is on the timeline of what came last before it', () => {
  expect(choose(both, undefined, '2026-01-30 12:30:00')).toMatchObject({ label, timeline: 1 });
  expect(choose(both, undefined, '2026-01-30 13:10:00')).toMatchObject({ label, timeline: 2 });
  // Times are compared with their zones: it is half past one.
  expect(choose(both, undefined, '2026-01-30 15:30:00+02')).toMatchObject({ timeline: 2 });
});

test('latest alone is the end of the newest timeline', () => {
  expect(choose(both, undefined, 'latest')).toEqual({
    label: '20260130-140000F',
    stanza,
    timeline: 2,
    time: 'latest',
  });
  expect(choose(first, undefined, 'latest')).toBe(
    'There is no base backup created from the latest timeline',
  );
});

test('timelines are compared as numbers', () => {
  const ninth = backup(12, {
    label: '20260130-120000F',
    timeline: '9',
    walStart: '000000090000000000000003',
    walStop: '000000090000000000000003',
  });
  const tenth = backup(13, {
    timeline: 'A',
    walStart: '0000000A0000000000000003',
    walStop: '0000000A0000000000000003',
  });
  const given: Catalogue = {
    backups: [ninth, tenth],
    histories: [],
    windows: [9, 10].map((timeline) => ({
      stanza,
      archiveId: '17-1',
      timeline,
      earliestSeconds: at(12),
      latestSeconds: at(15),
      backups: [timeline === 9 ? ninth : tenth],
    })),
  };

  expect(choose(given, undefined, 'latest')).toMatchObject({ timeline: 10 });
});

test('what cannot be reached is refused, with the reason', () => {
  expect(choose(both, undefined)).toMatch(/^Either backup-id or restore-to-time parameters need/);
  expect(choose(both, '2020-01-01T00:00:00Z')).toBe('Invalid backup-id: 2020-01-01T00:00:00Z');
  expect(choose(both, fork)).toBe(
    'Cannot restore to the timeline without restore-to-time parameter',
  );
  expect(choose(both, undefined, '2026-01-30 12:00:09')).toBe(
    "Can't find the nearest timeline before timestamp 2026-01-30 12:00:09 to restore",
  );
  expect(choose(both, '2026-01-30T12:00:00Z', '2026-01-30 12:55:00')).toBe(
    'WAL of timeline 1 was archived until 2026-01-30 12:50:00 UTC, which is before 2026-01-30 12:55:00' +
      `; a later timeline leads there: backup-id=${fork}`,
  );
  expect(choose({ ...both, windows: [] }, '2026-01-30T12:00:00Z', 'latest')).toBe(
    'WAL that follows the backup 2026-01-30T12:00:00Z is not in the repository',
  );
  expect(choose({ backups: [], histories: [], windows: [] }, undefined, 'latest')).toBe(
    "Can't find the nearest timeline before timestamp latest to restore",
  );
});

test('a time that only a later timeline leads to is refused with its id', () => {
  // Its history was archived at 13:00, when it had been in force for a while.
  expect(choose(both, undefined, '2026-01-30 12:58:00')).toBe(
    'WAL of timeline 1 was archived until 2026-01-30 12:50:00 UTC, which is before 2026-01-30 12:58:00' +
      `; a later timeline leads there: backup-id=${fork}`,
  );
  expect(choose(both, fork, '2026-01-30 12:58:00')).toMatchObject({ label, timeline: 2 });
  // Neither one that ends before, nor the timeline itself, nor one of another database.
  expect(choose(both, fork, '2026-01-30 15:00:00')).toMatch(/ 15:00:00$/);
  const elsewhere = both.windows.map((one) =>
    one.timeline === 2 ? { ...one, archiveId: '17-2' } : one,
  );
  expect(choose({ ...both, windows: elsewhere }, undefined, '2026-01-30 12:58:00')).toMatch(
    /before 2026-01-30 12:58:00$/,
  );
});

test('the database of today counts, not one of the stanza that was before', () => {
  const old = backup(11, { archiveId: '16-1', timeline: '7' });
  const given = catalogue([old, backup(12)]);

  expect(choose(given, undefined, '2026-01-30 12:30:00')).toMatchObject({ label, timeline: 1 });
});

test('a name that is none of pgBackRest never gets into a command', () => {
  const odd = backup(12, { stanza: 'x --type=none' });

  expect(choose({ ...first, backups: [odd] }, odd.id)).toMatch(/no name that pgBackRest gives$/);
});

const gigabyte = 2 ** 30;

test.each([
  [{ backup: gigabyte, free: 3 * gigabyte, old: gigabyte }, 'aside'],
  [{ backup: gigabyte, free: gigabyte, old: gigabyte }, 'instead'],
  [{ backup: gigabyte, free: gigabyte / 2, old: gigabyte / 4 }, 'none'],
  // Half as much again is not enough for the WAL of a small database.
  [{ backup: 1000, free: 2000, old: gigabyte }, 'instead'],
  [{ backup: 20 * gigabyte, free: 21 * gigabyte, old: 0 }, 'none'],
])('room for %j: %s', (bytes, room) => {
  expect(roomFor(bytes)).toBe(room);
});
