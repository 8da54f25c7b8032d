import { describe, expect, test } from '@jest/globals';

import {
  type Ancestor,
  archiveFilter,
  parseArchiveListing,
  parseHistory,
} from '../../../../src/core/backups/archive.ts';
import type { Backup } from '../../../../src/core/backups/backup-list.ts';
import {
  backupBefore,
  findWindow,
  lineageKey,
  windowsOf,
} from '../../../../src/core/backups/windows.ts';

const stanza = 'model.patroni-app';

function hex(number: number): string {
  return number.toString(16).toUpperCase().padStart(8, '0');
}

/** Segments of a timeline, each archived ten seconds after the one before, from second 1000 on. */
function segments(timeline: number, first: number, last: number): readonly [string, object][] {
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const number = first + index;
    const folder = `${hex(timeline)}${hex(Math.floor(number / 256))}`;
    const name = `${folder}${hex(number % 256)}-${'a1'.repeat(20)}.zst`;
    const time = 1000 + 10 * number;
    return [`${stanza}/17-1/${folder}/${name}`, { type: 'file', size: 700, time }];
  });
}

/** A backup within one segment, that ends when the segment is archived. */
function backup(segment: number, more: Partial<Backup> = {}): Backup {
  const name = `00000001${hex(Math.floor(segment / 256))}${hex(segment % 256)}`;
  const position = hex(segment * 2 ** 24);
  return {
    label: `20260131-1200${String(segment).padStart(2, '0')}F`,
    id: 'id',
    type: 'full',
    stanza,
    references: [],
    archiveId: '17-1',
    walStart: name,
    walStop: name,
    bytes: {},
    lsnStart: `0/${position.slice(0, 6)}28`,
    lsnStop: `0/${position.slice(0, 5)}120`,
    startSeconds: 1000 + 10 * segment - 5,
    stopSeconds: 1000 + 10 * segment,
    timeline: '1',
    ...more,
  };
}

interface Given {
  readonly files: readonly (readonly [string, object])[];
  readonly backups: readonly Backup[];
  readonly forks?: Readonly<Record<number, readonly Ancestor[]>>;
}

/** Windows as `timeline: earliest-latest from segment of the backup`. */
function windows({ files, backups, forks = {} }: Given) {
  const json = JSON.stringify(Object.fromEntries(files));
  const { archives } = parseArchiveListing(json, backups);
  const lineage = new Map(
    Object.entries(forks).map(([timeline, path]) => [
      lineageKey(stanza, '17-1', Number(timeline)),
      path,
    ]),
  );
  return windowsOf(backups, archives, lineage);
}

function shown(given: Given): readonly string[] {
  return windows(given).map(
    (one) =>
      `${one.timeline}: ${one.earliestSeconds}-${one.latestSeconds} from ${one.backups.length}`,
  );
}

/** Within segment `number`, after what backups of that segment need. */
function positionIn(number: number): number {
  return number * 2 ** 24 + 0x8000;
}

describe('windows', () => {
  const cases: readonly { summary: string; given: Given; want: readonly string[] }[] = [
    { summary: 'without WAL there is none', given: { files: [], backups: [backup(2)] }, want: [] },
    {
      summary: 'without a backup there is none',
      given: { files: segments(1, 1, 9), backups: [] },
      want: [],
    },
    {
      summary: 'from the end of the oldest backup to the newest segment',
      given: { files: segments(1, 1, 9), backups: [backup(6), backup(2)] },
      want: ['1: 1020-1090 from 2'],
    },
    {
      summary: 'a gap ends one and a backup behind it begins the next',
      given: {
        files: [...segments(1, 1, 4), ...segments(1, 6, 9)],
        backups: [backup(2), backup(7)],
      },
      want: ['1: 1020-1040 from 1', '1: 1070-1090 from 1'],
    },
    {
      summary: 'a gap that no backup follows leaves what is behind it out',
      given: { files: [...segments(1, 1, 4), ...segments(1, 6, 9)], backups: [backup(2)] },
      want: ['1: 1020-1040 from 1'],
    },
    {
      summary: 'a backup that lacks its own WAL does not count',
      given: {
        files: segments(1, 1, 4),
        backups: [backup(3, { walStop: '000000010000000000000005' })],
      },
      want: [],
    },
    {
      summary: 'a backup with errors does not count',
      given: { files: segments(1, 1, 4), backups: [backup(2, { error: 'checksum' })] },
      want: [],
    },
    {
      summary: 'a backup of another database of the stanza does not count',
      given: { files: segments(1, 1, 4), backups: [backup(2, { archiveId: '16-1' })] },
      want: [],
    },
    {
      summary: 'a fork is crossed from a backup before it, and the old timeline stays',
      given: {
        files: [...segments(1, 1, 5), ...segments(2, 5, 9)],
        backups: [backup(2)],
        forks: { 2: [{ timeline: 1, endLsn: positionIn(5) }] },
      },
      want: ['1: 1020-1050 from 1', '2: 1020-1090 from 1'],
    },
    {
      summary: 'the segment of the fork counts on the new timeline, not on the old one',
      given: {
        files: [...segments(1, 1, 4), ...segments(2, 5, 9)],
        backups: [backup(2)],
        forks: { 2: [{ timeline: 1, endLsn: positionIn(5) }] },
      },
      want: ['1: 1020-1040 from 1', '2: 1020-1090 from 1'],
    },
    {
      summary: 'a fork whose segment is missing is not crossed',
      given: {
        files: [...segments(1, 1, 5), ...segments(2, 6, 9)],
        backups: [backup(2)],
        forks: { 2: [{ timeline: 1, endLsn: positionIn(5) }] },
      },
      want: ['1: 1020-1050 from 1'],
    },
    {
      summary: 'WAL missing before the fork keeps the new timeline out of reach',
      given: {
        files: [...segments(1, 1, 3), ...segments(2, 5, 9)],
        backups: [backup(2)],
        forks: { 2: [{ timeline: 1, endLsn: positionIn(5) }] },
      },
      want: ['1: 1020-1030 from 1'],
    },
    {
      summary: 'a backup that ended after the fork leads to the old timeline only',
      given: {
        files: [...segments(1, 1, 8), ...segments(2, 5, 9)],
        backups: [backup(7)],
        forks: { 2: [{ timeline: 1, endLsn: positionIn(5) }] },
      },
      want: ['1: 1070-1080 from 1'],
    },
    {
      summary: 'a backup in the very segment of the fork leads across it',
      given: {
        files: [...segments(1, 1, 5), ...segments(2, 5, 9)],
        backups: [backup(5)],
        forks: { 2: [{ timeline: 1, endLsn: positionIn(5) }] },
      },
      want: ['1: 1050-1050 from 1', '2: 1050-1090 from 1'],
    },
    {
      summary: 'several forks are crossed, also two in one segment',
      given: {
        files: [...segments(1, 1, 4), ...segments(3, 5, 7), ...segments(4, 8, 9)],
        backups: [backup(2)],
        forks: {
          3: [
            { timeline: 1, endLsn: positionIn(5) },
            { timeline: 2, endLsn: positionIn(5) + 8 },
          ],
          4: [
            { timeline: 1, endLsn: positionIn(5) },
            { timeline: 2, endLsn: positionIn(5) + 8 },
            { timeline: 3, endLsn: positionIn(8) },
          ],
        },
      },
      want: ['1: 1020-1040 from 1', '3: 1020-1070 from 1', '4: 1020-1090 from 1'],
    },
    {
      summary: 'segments follow one another across logs',
      given: { files: segments(1, 250, 260), backups: [backup(251)] },
      want: ['1: 3510-3600 from 1'],
    },
  ];

  test.each(cases)('$summary', ({ given, want }) => {
    expect(shown(given)).toEqual(want);
  });
});

test('segments of another size are counted as they are', () => {
  // Of 64 MB: 64 in a log, and position 0/18000028 is in the sixth.
  const own = backup(6, { lsnStart: '0/18000028', lsnStop: '0/18000120' });
  const last = '00000001000000000000003F';
  const next = '000000010000000100000000';
  const files = Object.fromEntries([
    ...segments(1, 6, 0x3e),
    ...[last, next].map((name): [string, object] => [
      `${stanza}/17-1/${name.slice(0, 16)}/${name}-${'b2'.repeat(20)}`,
      { time: 5000 },
    ]),
  ]);

  const { archives } = parseArchiveListing(JSON.stringify(files), [own]);

  expect(archives[0]?.segmentBytes).toBe(64 * 2 ** 20);
  expect(archives[0]?.runs.get(1)).toEqual([{ first: 6, last: 64, lastSeconds: 5000 }]);
});

test('only whole segments and history files are read, and asked for', () => {
  const whole = segments(1, 7, 7)[0]?.[0] ?? '';
  const files = {
    '.': { type: 'path' },
    [whole]: { time: 1 },
    [whole.replace(/7-a1/, '8.partial-a1')]: { time: 2 },
    [whole.replace(/7-a1.*/, '9.00000028.backup')]: { time: 3 },
    [`${stanza}/17-1/0000000A.history`]: { time: 1_769_860_800 },
    [`${stanza}/archive.info`]: { time: 5 },
  };

  const { archives, histories } = parseArchiveListing(JSON.stringify(files), []);

  expect(histories).toEqual([
    {
      id: '2026-01-31T12:00:00Z',
      seconds: 1_769_860_800,
      stanza,
      archiveId: '17-1',
      timeline: 10,
      path: `${stanza}/17-1/0000000A.history`,
    },
  ]);
  expect(archives.map(({ runs }) => [...runs])).toEqual([
    [[1, [{ first: 7, last: 7, lastSeconds: 1 }]]],
  ]);
  expect(Object.keys(files).filter((path) => new RegExp(archiveFilter).test(path))).toEqual([
    whole,
    `${stanza}/17-1/0000000A.history`,
  ]);
});

test('a history file says where each timeline was left', () => {
  const text =
    '1\t0/70000A0\tno recovery target specified\n\n2\t1/5000028\tbefore 2026-01-31 12:00:00+00\n';

  expect(parseHistory(text)).toEqual([
    { timeline: 1, endLsn: 0x70000a0 },
    { timeline: 2, endLsn: 2 ** 32 + 0x5000028 },
  ]);
  expect(parseHistory('no history\n')).toEqual([]);
});

describe('a moment', () => {
  const found = windows({
    files: [...segments(1, 1, 8), ...segments(2, 5, 9)],
    backups: [backup(2), backup(4), backup(7)],
    forks: { 2: [{ timeline: 1, endLsn: positionIn(5) }] },
  });

  const moments = [
    { summary: 'before every backup', moment: { seconds: 1019 }, want: undefined },
    { summary: 'at the end of a backup', moment: { seconds: 1020 }, want: 2 },
    { summary: 'on two timelines', moment: { seconds: 1075 }, want: 2 },
    { summary: 'on a named one', moment: { seconds: 1075, timeline: 1 }, want: 1 },
    { summary: 'after the last segment', moment: { seconds: 1091 }, want: undefined },
    { summary: 'the latest', moment: { seconds: 'latest' }, want: 2 },
    { summary: 'of another stanza', moment: { seconds: 1075, stanza: 'other' }, want: undefined },
  ] as const;

  test.each(moments)('$summary is in the right window', ({ moment, want }) => {
    expect(findWindow(found, moment)?.timeline).toBe(want);
  });

  test('is restored from the newest backup that had ended', () => {
    const window = findWindow(found, { seconds: 1045 });

    expect(window && backupBefore(window, 1045)?.stopSeconds).toBe(1040);
    expect(window && backupBefore(window, 1039)?.stopSeconds).toBe(1020);
    expect(window && backupBefore(window, 'latest')?.stopSeconds).toBe(1040);
  });
});

test('a hundred thousand segments become one run', () => {
  const json = JSON.stringify(Object.fromEntries(segments(1, 1, 100_000)));

  const { archives } = parseArchiveListing(json, [backup(2)]);

  expect(archives[0]?.runs.get(1)).toHaveLength(1);
});
