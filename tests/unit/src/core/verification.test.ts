// What pgBackRest says of a repository, and what follows from it.

import { describe, expect, test } from '@jest/globals';

import { parseArchiveListing } from '../../../../src/core/backups/archive.ts';
import type { Backup } from '../../../../src/core/backups/backup-list.ts';
import { judgeRepository } from '../../../../src/core/backups/findings.ts';
import { refuseTrial } from '../../../../src/core/backups/trial-room.ts';
import { parseVerification, type Verification } from '../../../../src/core/backups/verification.ts';
import { commandLineOf, renderTrialServer } from '../../../../src/core/render/trial-server.ts';

const log = (indented: string) => `
2026-11-21 22:16:30.011 P00   INFO: verify command begin 2.55.1: --stanza=s --verbose
2026-11-21 22:16:45.525 P01   INFO: invalid result 15-1/0000000100000000/000000010000000000000001-0ce97a81e41233bbeb95e4b5d8334f275cf22ae8.gz: [29] raised from local-1 protocol: zlib threw error: [-3] data error
                                    [FormatError] on retry after 0ms
2026-11-21 22:16:46.347 P01   INFO: file missing '20261121-221615F/pg_data/base/5/16384.gz'
2026-11-21 22:16:46.452 P00   INFO: ${indented.replaceAll('\n', `\n${' '.repeat(36)}`)}
${indented}2026-11-21 22:16:46.452 P00   INFO: verify command end: completed successfully (339ms)
`;

const damaged = `stanza: s
status: error
  archiveId: 15-1, total WAL checked: 7, total valid WAL: 6
    missing: 0, checksum invalid: 0, size invalid: 0, other: 1
  backup: 20261121-221615F, status: invalid, total files checked: 966, total valid files: 964
    missing: 1, checksum invalid: 1, size invalid: 0, other: 0
  backup: 20261121-221620F, status: manifest missing, total files checked: 0, total valid files: 0
`;

describe('what pgBackRest says', () => {
  test('counts, statuses and the names of files', () => {
    expect(parseVerification(log(damaged), 's')).toEqual({
      content: false,
      archives: [{ name: '15-1', checked: 7, valid: 6, faults: 'other: 1' }],
      backups: [
        {
          name: '20261121-221615F',
          status: 'invalid',
          checked: 966,
          valid: 964,
          faults: 'missing: 1, checksum invalid: 1',
        },
        { name: '20261121-221620F', status: 'manifest missing', checked: 0, valid: 0, faults: '' },
      ],
      files: [
        {
          path: '15-1/0000000100000000/000000010000000000000001-0ce97a81e41233bbeb95e4b5d8334f275cf22ae8.gz',
          fault: 'invalid result',
        },
        { path: '20261121-221615F/pg_data/base/5/16384.gz', fault: 'file missing' },
      ],
      notes: [],
    });
  });

  test('what is no count is a note', () => {
    const text = 'stanza: s\nstatus: ok\n    no archives or backups exist in the repo\n';

    expect(parseVerification(text, 's')).toMatchObject({
      content: true,
      notes: ['no archives or backups exist in the repo'],
    });
  });

  test.each(['', 'ERROR: [055]', 'stanza: other\nstatus: ok\n', 'stanza: s\n'])(
    'something else is not understood: %j',
    (text) => {
      expect(parseVerification(text, 's')).toBeUndefined();
    },
  );
});

const backupOf = (label: string, wal: string, references: readonly string[] = []): Backup => ({
  label,
  id: label,
  type: 'full',
  stanza: 's',
  references,
  archiveId: '17-1',
  walStart: wal,
  walStop: wal,
  bytes: {},
  lsnStart: 'n/a',
  lsnStop: 'n/a',
  startSeconds: 1,
  stopSeconds: 2,
  timeline: '1',
});

const segment = (number: number) => number.toString(16).toUpperCase().padStart(8, '0');
const wal = (number: number, timeline = 1) => `${segment(timeline)}00000000${segment(number)}`;

function judge(
  backups: readonly Backup[],
  segments: readonly string[],
  change: Partial<Verification> = {},
) {
  const paths = segments.map((one) => `s/17-1/${one.slice(0, 16)}/${one}-${'0a'.repeat(20)}.zst`);
  const listing = JSON.stringify(Object.fromEntries(paths.map((path) => [path, { time: 5 }])));
  const verification: Verification = {
    content: true,
    archives: [],
    backups: backups.map(({ label: name }) => {
      return { name, status: 'valid', checked: 5, valid: 5, faults: '' };
    }),
    files: [],
    notes: [],
    ...change,
  };
  const archive = parseArchiveListing(listing, backups);
  return judgeRepository(verification, { stanza: 's', backups, archive, lineage: new Map() });
}

describe('what follows', () => {
  const first = backupOf('20260101-000000F', wal(4));
  const second = backupOf('20260102-000000F', wal(8));

  test('nothing, where all is well', () => {
    const segments = [4, 5, 6, 7, 8, 9].map((number) => wal(number));

    expect(judge([second, first], segments)).toEqual({
      good: [first, second],
      bad: new Map(),
      problems: [],
    });
  });

  test('WAL from before the oldest backup may be missing', () => {
    expect(judge([second], [wal(1), wal(3), wal(8)]).problems).toEqual([]);
  });

  test('a gap behind a backup is named from its first to its last segment', () => {
    const { good, problems } = judge([first, second], [wal(4), wal(8), wal(9)]);

    expect(good).toEqual([first, second]);
    expect(problems).toEqual([expect.stringContaining(`timeline 1 lacks ${wal(5)} to ${wal(7)},`)]);
  });

  test('what builds on a damaged one is no better, through all steps', () => {
    const increment = backupOf('20260101-000000F_20260101-010000I', wal(5), [first.label]);
    const faults = { name: first.label, status: 'invalid', checked: 5, valid: 4, faults: '' };
    const { good, bad } = judge(
      [first, increment, second],
      [4, 5, 6, 7, 8].map((n) => wal(n)),
      {
        backups: [faults, { ...faults, name: increment.label, status: 'valid', valid: 5 }],
      },
    );

    expect(good).toEqual([]);
    expect([...bad.values()]).toEqual([
      '1 of 5 files cannot be relied on',
      'builds on 2026-01-01T00:00:00Z',
      'pgBackRest has not looked at it',
    ]);
  });

  test('many names of files are shortened', () => {
    const files = [1, 2, 3, 4, 5].map((number) => ({
      path: `${first.label}/bundle/${number}`,
      fault: 'file missing',
    }));
    const { problems } = judge([first], [wal(4)], {
      files,
      backups: [
        { name: first.label, status: 'invalid', checked: 9, valid: 4, faults: 'missing: 5' },
      ],
    });

    expect(problems).toEqual([
      `backup ${first.id}: 5 of 9 files cannot be relied on (missing: 5): bundle/1, bundle/2, bundle/3 and 2 more`,
    ]);
  });

  test.each([
    { notes: ['backup.info is damaged'], says: 'backup.info is damaged' },
    { notes: [], says: 'it does not say why' },
  ])('pgBackRest is not content, and names no file: $says', ({ notes, says }) => {
    expect(judge([first], [wal(4)], { content: false, notes }).problems).toEqual([
      `pgBackRest is not content: ${says}`,
    ]);
  });
});

test.each([
  { backup: 10, free: 41, room: true },
  { backup: 10, free: 30, room: false },
  { backup: 0.01, free: 20.05, room: false },
  { backup: 0.01, free: 20.2, room: true },
])('a backup of $backup GiB with $free of 100 GiB free: $room', ({ backup, free, room }) => {
  const gib = 2 ** 30;
  const refusal = refuseTrial(backup * gib, { free: free * gib, total: 100 * gib });

  expect(refusal === undefined).toBe(room);
});

test.each([
  [1, '2MB', '64MB'],
  [16, '32MB', '64MB'],
  [64, '128MB', '128MB'],
])('with WAL files of %d MiB a trial keeps as little as can be', (size, least, most) => {
  const settings = renderTrialServer({
    directory: '/trial',
    preparedTransactions: 0,
    locksPerTransaction: 64,
    segmentBytes: size * 2 ** 20,
  });

  expect(settings).toMatchObject({ min_wal_size: least, max_wal_size: most, wal_keep_size: '0' });
});

test('the server of a trial is told everything on its command line', () => {
  const line = commandLineOf(
    renderTrialServer({
      directory: '/trial',
      preparedTransactions: 5,
      locksPerTransaction: 64,
      segmentBytes: 16 * 2 ** 20,
    }),
  );

  for (const part of [
    "-c listen_addresses='' ",
    "-c unix_socket_directories='/trial' ",
    "-c archive_mode='off' ",
    "-c shared_preload_libraries='' ",
    "-c max_logical_replication_workers='0' ",
    "-c hba_file='/trial/pg_hba.conf' ",
    "-c max_prepared_transactions='5' ",
  ]) {
    expect(line).toContain(part);
  }
});
