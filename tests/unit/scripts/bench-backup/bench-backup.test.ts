// The benchmark of backups, as far as it needs no cluster: settings, what pgBackRest says, and ratios.

import { expect, test } from '@jest/globals';

import {
  parseNewestBackup,
  parseOwnSeconds,
} from '../../../../scripts/bench-backup/backup-info.ts';
import { changeSql, fillSql, loadOf } from '../../../../scripts/bench-backup/load.ts';
import { parseOptions } from '../../../../scripts/bench-backup/options.ts';
import {
  bestOf,
  type Measured,
  ratio,
  renderTable,
  rowsOf,
} from '../../../../scripts/bench-backup/rows.ts';
import {
  backupArguments,
  describeSettings,
  type PgbackrestSettings,
  parseSettings,
  restoreArguments,
  sweepOf,
  upstreamSettings,
} from '../../../../scripts/bench-backup/settings.ts';

test('the sweep tries everything once, also where a node has one core', () => {
  for (const { cores, count } of [
    { cores: 4, count: 27 },
    { cores: 1, count: 18 },
  ]) {
    const all = sweepOf(cores).map(describeSettings);
    expect(all).toHaveLength(count);
    expect(new Set(all).size).toBe(count);
  }
});

test("upstream's settings are one process, and several for a restore", () => {
  const settings = upstreamSettings(8);

  expect(backupArguments(settings)).toEqual([
    '--process-max=1',
    '--compress-type=zst',
    '--repo1-bundle',
    '--repo1-block',
  ]);
  expect(restoreArguments(settings)).toEqual(['--process-max=6']);
  expect(restoreArguments(upstreamSettings(2))).toEqual(['--process-max=1']);
});

test.each([
  { text: '4:zst/3:block', shown: '4 processes, zst 3, bundles, blocks' },
  { text: '1:lz4/-5:bundle', shown: '1 process, lz4 -5, bundles' },
  { text: '2:none:files', shown: '2 processes, none, whole files' },
])('settings are given as $text', ({ text, shown }) => {
  expect(describeSettings(parseSettings(text))).toBe(shown);
});

test.each(['', '0:zst:block', '4:xz:block', '4:zst', '4:zst/x:block', '4:zst:blocks'])(
  '"%s" are no settings',
  (text) => {
    expect(() => parseSettings(text)).toThrow(`cannot read "${text}"`);
  },
);

test('without bundles nothing is said of blocks', () => {
  const args = backupArguments(parseSettings('2:none:files'));

  expect(args).toContain('--no-repo1-bundle');
  expect(args).not.toContain('--repo1-block');
});

function backup(label: string, more: Readonly<Record<string, unknown>> = {}) {
  const info = { size: 2000, delta: 300, repository: { delta: 40, size: 400 } };
  return { label, type: 'incr', error: false, info, ...more };
}

const document = (...backups: readonly unknown[]) =>
  JSON.stringify([
    { name: 'other', backup: [backup('20270101-000000F', { type: 'full' })] },
    { name: 'model.patroni-app', backup: backups },
  ]);

test('the newest good backup of the own stanza counts', () => {
  const json = document(
    backup('20260131-120000F', { type: 'full' }),
    backup('20260131-120000F_20260131-130000I'),
    backup('20260131-120000F_20260131-140000I', { error: true }),
  );

  expect(parseNewestBackup(json, 'model.patroni-app')).toEqual({
    label: '20260131-120000F_20260131-130000I',
    type: 'incr',
    bytes: 300,
    databaseBytes: 2000,
    repoBytes: 40,
  });
});

test('where there is no backup, nothing is measured', () => {
  expect(() => parseNewestBackup(document(), 'model.patroni-app')).toThrow('no backup of stanza');
  expect(() => parseNewestBackup('[]', 'model.patroni-app')).toThrow('no backup of stanza');
});

test('how long pgBackRest took itself is in its log', () => {
  const log = `P00   INFO: backup command end: completed successfully (1574ms)
P00   INFO: expire command end: completed successfully (190ms)`;

  expect(parseOwnSeconds(log)).toBe(1.764);
  expect(() => parseOwnSeconds('P00  ERROR: [055]: unable to load info')).toThrow('says nowhere');
});

const measured = (seconds: number, ownSeconds?: number): Measured => {
  const own = ownSeconds === undefined ? {} : { ownSeconds };
  const one = { seconds, bytes: 2e9, repoBytes: 5e8, ...own };
  const restore = { seconds, bytes: 2e9, repoBytes: 0 };
  return { full: one, differential: one, incremental: one, restore };
};

test('ratios of medians say how fast the charm is', () => {
  const rows = rowsOf({
    charm: [measured(90, 80), measured(11, 10), measured(10, 9)],
    bare: [measured(10), measured(9), measured(12)],
    upstream: [measured(44), measured(44)],
  });

  expect(rows.map(({ kind }) => kind)).toEqual(['full', 'differential', 'incremental', 'restore']);
  expect(rows[0]).toEqual({
    kind: 'full',
    rounds: 3,
    seconds: 11,
    bytes: 2e9,
    repo_bytes: 5e8,
    ratio_to_bare: 0.91,
    ratio_to_upstream_settings: 4,
    bare_seconds: 10,
    upstream_seconds: 44,
    pgbackrest_seconds: 10,
    pgbackrest_ratio_to_bare: 1,
  });
  expect(rows[3]).toMatchObject({ pgbackrest_seconds: null, pgbackrest_ratio_to_bare: null });
  expect(renderTable(rows).split('\n').slice(0, 2)).toEqual([
    'kind             s      MB  MB stored  bare s  ratio  upstream s  ratio  pgBackRest s  ratio',
    'full          11.0  2000.0      500.0    10.0   0.91        44.0   4.00          10.0   1.00',
  ]);
});

test.each([
  { other: 3, seconds: 2, result: 1.5 },
  { other: 1, seconds: 3, result: 0.33 },
  { other: 3, seconds: 0, result: null },
  { other: Number.NaN, seconds: 2, result: null },
])('$seconds s instead of $other s is $result', ({ other, seconds, result }) => {
  expect(ratio(other, seconds)).toBe(result);
});

test('of settings that take about as long, those win that store least', () => {
  const trial = (settings: string, seconds: number, repoBytes: number) => ({
    settings: parseSettings(settings),
    measurement: { seconds, bytes: 1, repoBytes },
  });
  const best: PgbackrestSettings = bestOf([
    trial('4:none:files', 10, 900),
    trial('4:lz4:block', 10.4, 500),
    trial('4:zst:block', 10.6, 300),
  ]);

  expect(describeSettings(best)).toBe('4 processes, lz4, bundles, blocks');
  expect(() => bestOf([])).toThrow('nothing has been tried');
});

test('the load has the size that was asked for, and changes by tenths', () => {
  const load = loadOf(2000);

  expect(Math.round((load.accounts * 128 + load.notes * 296) / 1e6)).toBe(2000);
  expect(fillSql(loadOf(300), load)).toContain(`generate_series(${loadOf(300).notes + 1},`);
  const some = { accounts: 1000, notes: 100 };
  expect(changeSql(some, 0)).toContain('id > 0 and id <= 100');
  expect(changeSql(some, 9)).toContain('id > 90 and id <= 100');
  expect(changeSql(some, 13)).toContain('id > 300 and id <= 400');
});

test('the sample is never larger than the whole', () => {
  expect(parseOptions(['--mb', '100'])).toMatchObject({ megabytes: 100, sampleMegabytes: 100 });
  expect(parseOptions([])).toMatchObject({
    megabytes: 2000,
    sampleMegabytes: 300,
    rounds: 3,
    best: undefined,
    keep: false,
  });
  expect(parseOptions(['--best', '4:zst:block']).best).toMatchObject({ processMax: 4 });
  expect(() => parseOptions(['--mb', 'much'])).toThrow('"much" MB');
  expect(() => parseOptions(['--rounds', '0'])).toThrow('"0" times');
});
