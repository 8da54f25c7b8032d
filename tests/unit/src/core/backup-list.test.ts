import { expect, test } from '@jest/globals';
import * as v from 'valibot';

import { renderBackupDocument } from '../../../../src/core/backups/backup-document.ts';
import {
  type Backup,
  idOfLabel,
  parseInfo,
  usableBackups,
} from '../../../../src/core/backups/backup-list.ts';
import { renderBackupTable } from '../../../../src/core/backups/backup-table.ts';
import type { RecoveryWindow } from '../../../../src/core/backups/windows.ts';

const start = Date.UTC(2026, 0, 31, 12, 0, 0) / 1000;

function backup(label: string, more: Readonly<Record<string, unknown>> = {}) {
  return {
    label,
    type: 'full',
    error: false,
    reference: null,
    lsn: { start: '0/2000028', stop: '0/2000120' },
    timestamp: { start, stop: start + 3 },
    archive: { start: '000000020000000000000002', stop: '000000020000000000000002' },
    database: { id: 1, 'repo-key': 1 },
    info: { size: 2000, delta: 200, repository: { delta: 20 } },
    ...more,
  };
}

const info = JSON.stringify([
  {
    name: 'model.patroni-app',
    status: { code: 0, message: 'ok' },
    db: [{ id: 1, version: '17', 'system-id': 7437289356782345678n.toString() }],
    backup: [
      backup('20260131-120000F_20260131-130000D', { reference: ['20260131-120000F'] }),
      backup('20260131-120000F'),
      backup('20260131-140000F', { error: true }),
    ],
  },
]).replace(/"(7437289356782345678)"/, '$1');

test('what pgBackRest says is read, with system identifiers to the last digit', () => {
  const [stanza] = parseInfo(info);

  expect(stanza).toMatchObject({
    name: 'model.patroni-app',
    statusCode: 0,
    systemIds: ['7437289356782345678'],
  });
  expect(stanza?.backups[1]).toEqual({
    label: '20260131-120000F',
    id: '2026-01-31T12:00:00Z',
    type: 'full',
    stanza: 'model.patroni-app',
    references: [],
    archiveId: '17-1',
    systemId: '7437289356782345678',
    walStart: '000000020000000000000002',
    walStop: '000000020000000000000002',
    bytes: { size: 2000, sizeDelta: 200, repoSizeDelta: 20 },
    lsnStart: '0/2000028',
    lsnStop: '0/2000120',
    startSeconds: start,
    stopSeconds: start + 3,
    timeline: '2',
  });
});

test('an empty repository has no stanzas', () => {
  expect(parseInfo('[]')).toEqual([]);
});

test('a stanza without a database or a backup is a stanza', () => {
  const text = JSON.stringify([{ name: 's', status: { code: 1, message: 'missing stanza path' } }]);

  expect(parseInfo(text)).toEqual([
    {
      name: 's',
      statusCode: 1,
      statusMessage: 'missing stanza path',
      encrypted: false,
      systemIds: [],
      backups: [],
    },
  ]);
});

test('that the repository could not be read is told by its first line', () => {
  const message =
    '[ProtocolError] HTTP request failed with 403 (Forbidden):\n*** Path/Query ***:\nGET /';
  const status = { code: 99, message: 'other' };
  const text = JSON.stringify([
    { name: '[invalid]', status, repo: [{ key: 1, status: { code: 99, message } }] },
    { name: 'of an older version', status },
  ]);

  expect(parseInfo(text).map(({ failure }) => failure)).toEqual([
    '[ProtocolError] HTTP request failed with 403 (Forbidden)',
    'other',
  ]);
});

test('the time of the last part of a label is its id', () => {
  expect(idOfLabel('20260131-120000F_20260201-093015I')).toBe('2026-02-01T09:30:15Z');
});

test('backups with errors, and those of other stanzas, cannot be restored', () => {
  expect(usableBackups(parseInfo(info), 'model.patroni-app').map(({ id }) => id)).toEqual([
    '2026-01-31T12:00:00Z',
    '2026-01-31T13:00:00Z',
  ]);
  expect(usableBackups(parseInfo(info), 'other')).toEqual([]);
});

test('the table has five lines of head and one line for each backup, oldest first', () => {
  const backups = parseInfo(info).flatMap((stanza) => stanza.backups);

  expect(
    renderBackupTable(
      { bucket: 'bucket', path: '/pg/' },
      { backups, failed: [], timelines: [] },
    ).split('\n'),
  ).toEqual([
    'Storage bucket name: bucket',
    'Backups base path: /pg/backup/',
    '',
    'backup-id            | action              | status   | reference-backup-id  | LSN start/stop          | start-time           | finish-time          | timeline | backup-path',
    '-'.repeat(173),
    '2026-01-31T12:00:00Z | full backup         | finished | None                 | 0/2000028 / 0/2000120   | 2026-01-31T12:00:00Z | 2026-01-31T12:00:03Z | 2        | /model.patroni-app/20260131-120000F',
    '2026-01-31T13:00:00Z | differential backup | finished | 2026-01-31T12:00:00Z | 0/2000028 / 0/2000120   | 2026-01-31T12:00:00Z | 2026-01-31T12:00:03Z | 2        | /model.patroni-app/20260131-120000F_20260131-130000D',
    '2026-01-31T14:00:00Z | full backup         | failed: invalid pages or checksum errors | None                 | 0/2000028 / 0/2000120   | 2026-01-31T12:00:00Z | 2026-01-31T12:00:03Z | 2        | /model.patroni-app/20260131-140000F',
  ]);
});

test('the lock of a backup in this pod is read, in whatever detail there is', () => {
  const withLock = (lock: unknown) =>
    parseInfo(JSON.stringify([{ name: 's', status: { code: 0, message: 'ok', lock } }]))[0]?.lock;

  expect(withLock({ backup: { held: true, size: 100, 'size-cplt': 10 } })).toEqual({
    size: 100,
    sizeComplete: 10,
  });
  expect(withLock({ backup: { held: true } })).toEqual({});
  expect(withLock({ backup: { held: false } })).toBeUndefined();
  expect(withLock(undefined)).toBeUndefined();
});

const manyBackups = Array.from(
  { length: 2000 },
  (_, index): Backup => ({
    label: `20260131-120000F_20260131-13${String(index).padStart(4, '0')}I`,
    id: String(index).padStart(4, '0'),
    type: 'incremental',
    stanza: 'model.patroni-app',
    references: [],
    archiveId: '17-1',
    bytes: {},
    lsnStart: 'n/a',
    lsnStop: 'n/a',
    startSeconds: start,
    stopSeconds: start,
    timeline: '1',
  }),
);

const manyTimelines = Array.from({ length: 2000 }, (_, index) => ({
  id: String(index).padStart(4, '0'),
  seconds: start + index,
  stanza: 'model.patroni-app',
  archiveId: '17-1',
  timeline: index + 2,
  path: `model.patroni-app/17-1/${index}.history`,
}));

/** What Linux takes as one argument, with the name of the result. */
const longest = 128 * 1024 - 'backups-json='.length - 1;

const listSchema = v.array(v.looseObject({}));
const documentSchema = v.object({
  backups: v.array(v.object({ id: v.string() })),
  timelines: v.array(v.object({ timeline: v.number() })),
  windows: v.array(v.object({ latest: v.string(), timeline: v.number() })),
  omitted_backups: v.number(),
  omitted_timelines: v.number(),
  omitted_windows: v.number(),
});

function documentOf(backups: readonly Backup[], timelines: typeof manyTimelines) {
  const archive = { archives: [], histories: timelines };
  const windows = timelines.map(({ stanza, archiveId, timeline, seconds }): RecoveryWindow => {
    const [first] = manyBackups;
    if (first === undefined) throw new Error('no backups');
    const span = { earliestSeconds: seconds - 1, latestSeconds: seconds };
    return { stanza, archiveId, timeline, ...span, backups: [first] };
  });
  return renderBackupDocument(
    { bucket: 'b', path: '/p', encrypted: true },
    { backups, failed: [], archive, lineage: new Map() },
    { windows, last: { seen: 0 }, schedule: { runs: {} } },
  );
}

test('a document that would not fit leaves the oldest out, and says how many', () => {
  const text = documentOf(manyBackups, manyTimelines);
  const document = v.parse(documentSchema, JSON.parse(text));

  expect(Buffer.byteLength(text)).toBeLessThan(longest);
  expect(document.backups.at(-1)?.id).toBe('1999');
  expect(document.backups.length).toBeGreaterThan(100);
  expect(document.omitted_backups).toBe(2000 - document.backups.length);
  for (const [list, omitted] of [
    [document.timelines, document.omitted_timelines],
    [document.windows, document.omitted_windows],
  ] as const) {
    expect(list.at(-1)?.timeline).toBe(2001);
    expect(list.length).toBeGreaterThan(100);
    expect(omitted).toBe(2000 - list.length);
  }
});

test('a document that fits leaves nothing out', () => {
  const document: unknown = JSON.parse(
    documentOf(manyBackups.slice(0, 100), manyTimelines.slice(0, 10)),
  );

  expect(v.parse(v.object({ backups: listSchema }), document).backups).toHaveLength(100);
  expect(Object.keys(v.parse(v.looseObject({}), document)).join(' ')).not.toContain('omitted');
});

test('a table that would not fit leaves the oldest rows out, and says so in its third line', () => {
  const table = renderBackupTable(
    { bucket: 'bucket', path: '/pg/' },
    { backups: manyBackups, failed: [], timelines: manyTimelines.slice(0, 10) },
  );
  const lines = table.split('\n');

  expect(Buffer.byteLength(table)).toBeLessThan(longest);
  expect(lines.at(-1)).toMatch(/^1999 {17}\| incremental backup/);
  expect(lines.length).toBeGreaterThan(400);
  expect(lines[2]).toBe(`Left out for want of room, the oldest: ${2010 - (lines.length - 5)}`);
  expect(lines[3]).toMatch(/^backup-id/);
});
