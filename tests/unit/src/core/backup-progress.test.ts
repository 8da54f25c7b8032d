// pgBackRest's lines as an operator gets them, and what collectors of metrics are told.

import { describe, expect, test } from '@jest/globals';

import {
  createBackupProgress,
  parseFileLine,
  sizeText,
} from '../../../../src/core/backups/backup-progress.ts';
import { failuresIn, renderBackupMetrics } from '../../../../src/core/backups/metrics.ts';

const file = (size: string, percent: number): string =>
  `2026-01-31 12:00:00.000 P01 DETAIL: backup file /data/base/1/1255 (${size}, ${percent}%) checksum 1f`;

describe('a line about a file', () => {
  test.each([
    [file('608KB', 2.45), { bytes: 608 * 1024, percent: 2.45 }],
    [file('8192B', 12.3), { bytes: 8192, percent: 12.3 }],
    [file('1.5GB', 99.9), { bytes: 1.5 * 1024 ** 3, percent: 99.9 }],
    [file('bundle 1/81920, 16KB', 3), { bytes: 16 * 1024, percent: 3 }],
    [
      'P00 DETAIL: match file from prior backup /data/base/1/1255 (1GB, 40.5%) checksum 1f',
      { bytes: 0, percent: 40.5 },
    ],
    ['P00   INFO: new backup label = 20260131-120000F', undefined],
    ['P00 DETAIL: reference pg_data/base/1/1 to 20260131-120000F', undefined],
  ])('%s', (line, expected) => {
    expect(parseFileLine(line)).toEqual(expected);
  });
});

describe('progress', () => {
  test('is told every ten seconds, with the rate since the last time', () => {
    const progress = createBackupProgress(0);

    expect(progress(file('100MB', 1), 5_000)).toBeUndefined();
    expect(progress(file('100MB', 2), 10_000)).toBe('2 % done, 200 MB copied, 20.0 MB/s');
    expect(progress(file('1GB', 3), 15_000)).toBeUndefined();
    expect(progress(file('0B', 4), 20_000)).toBe('4 % done, 1.2 GB copied, 102 MB/s');
  });

  test('is told earlier when five per cent more are done', () => {
    const progress = createBackupProgress(0);

    expect(progress(file('1MB', 4.9), 1_000)).toBeUndefined();
    expect(progress(file('1MB', 5), 1_000)).toBe('5 % done, 2.0 MB copied, 2.0 MB/s');
    expect(progress(file('1MB', 9), 2_000)).toBeUndefined();
  });

  test('of a million files there are few lines', () => {
    const progress = createBackupProgress(0);
    const told = Array.from({ length: 1_000_000 }, (_, index) =>
      progress(file('8KB', index / 10_000), index / 10),
    ).filter((line) => line !== undefined);

    expect(told.length).toBeLessThanOrEqual(31);
  });

  test("shows pgBackRest's own words in between, but not its options", () => {
    const progress = createBackupProgress(0);

    expect(progress('P00   INFO: backup command begin 2.45: --stanza=x', 0)).toBeUndefined();
    expect(progress('', 0)).toBeUndefined();
    expect(progress(' P00   INFO: execute backup start ', 0)).toBe(
      'P00   INFO: execute backup start',
    );
    expect(progress('P00   INFO: backup start archive = 1', 9_999)).toBeUndefined();
    expect(progress('P00   INFO: new backup label = x', 10_000)).toContain('new backup label');
  });
});

test.each([
  [0, '0 B'],
  [0.5, '1 B'],
  [1023, '1023 B'],
  [1536, '1.5 KB'],
  [150 * 1024 ** 2, '150 MB'],
  [2 ** 60, '1024 PB'],
])('%d bytes are %s', (bytes, text) => {
  expect(sizeText(bytes)).toBe(text);
});

describe('metrics', () => {
  const backup = {
    id: '2026-01-31T12:00:00Z',
    type: 'full',
    start: 1_769_860_800,
    stop: 1_769_860_890,
    size: 30_000_000,
  } as const;

  test('of the last backup', () => {
    expect(renderBackupMetrics({ seen: 0, backup }, 2)).toBe(
      [
        '# HELP postgresql_backup_last_success_timestamp_seconds When the newest backup that can be restored ended; 0 when there is none.',
        '# TYPE postgresql_backup_last_success_timestamp_seconds gauge',
        'postgresql_backup_last_success_timestamp_seconds 1769860890',
        '# HELP postgresql_backup_last_duration_seconds How long it took.',
        '# TYPE postgresql_backup_last_duration_seconds gauge',
        'postgresql_backup_last_duration_seconds 90',
        '# HELP postgresql_backup_last_size_bytes Size of the database in it.',
        '# TYPE postgresql_backup_last_size_bytes gauge',
        'postgresql_backup_last_size_bytes 30000000',
        '# HELP postgresql_backup_last_type Its type, as a label.',
        '# TYPE postgresql_backup_last_type gauge',
        'postgresql_backup_last_type{type="full"} 1',
        '# HELP postgresql_backup_failures_total Backups that this unit could not make, and scheduled ones that were refused.',
        '# TYPE postgresql_backup_failures_total counter',
        'postgresql_backup_failures_total 2',
        '',
      ].join('\n'),
    );
  });

  test('without a backup an alarm for its age goes off, and failures are counted on', () => {
    const text = renderBackupMetrics({ seen: 0 }, 7);

    expect(text).toContain('\npostgresql_backup_last_success_timestamp_seconds 0\n');
    expect(text).not.toMatch(/duration|size|type=/);
    expect([failuresIn(text), failuresIn(undefined), failuresIn('')]).toEqual([7, 0, 0]);
  });
});
