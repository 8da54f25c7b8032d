// What the options of speed may be is what pgBackRest itself takes: its limits, and changes between
// one backup and the next.

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { systemClock } from '../../lib/base/clock.ts';
import { backup, createStanza, info } from '../../src/adapters/pgbackrest.ts';
import {
  type BackupSpeed,
  compressLevels,
  renderSpeed,
  usualSpeed,
} from '../../src/core/backups/speed.ts';
import { backupSpeedOptions } from '../../src/core/config/options/backup.ts';
import { type PgbackrestProgram, startPgbackrest } from '../support/pgbackrest-program.ts';

const stanza = 'model.patroni-app';
let program: PgbackrestProgram;

beforeAll(async () => {
  program = await startPgbackrest(stanza);
}, 600_000);

afterAll(async () => {
  await program?.stop();
});

const [invalidOption, missingFile, noRepository] = [32, 55, 103];

/** Says whether pgBackRest gets so far as to look for the segment that is not there. */
async function takes(options: readonly string[]): Promise<boolean> {
  const command = ['pgbackrest', `--stanza=${stanza}`, ...options, 'archive-push', '/no/segment'];
  const { exitCode } = await program.pebble.exec(command, { timeoutMs: 20_000 });
  expect([invalidOption, missingFile, noRepository]).toContain(exitCode);
  return exitCode !== invalidOption;
}

const rowOf = (name: string) => backupSpeedOptions.find((row) => row.name === name);

test('as many processes as the option allows, and no more', async () => {
  const most = rowOf('backup_process_max')?.max ?? 0;

  expect(await takes(['--process-max=1'])).toBe(true);
  expect(await takes([`--process-max=${most}`])).toBe(true);
  expect(await takes([`--process-max=${most + 1}`])).toBe(false);
});

test('the types of the option, and no others', async () => {
  for (const type of rowOf('backup_compress_type')?.allowed ?? []) {
    expect([type, await takes([`--compress-type=${type}`])]).toEqual([type, true]);
  }
  expect(await takes(['--compress-type=xz'])).toBe(false);
});

test.each(Object.entries(compressLevels))('the levels of %s', async (type, [least, most]) => {
  const takesLevel = async (level: number) =>
    await takes([`--compress-type=${type}`, `--compress-level=${level}`]);

  expect([await takesLevel(least), await takesLevel(most)]).toEqual([true, true]);
  expect([await takesLevel(least - 1), await takesLevel(most + 1)]).toEqual([false, false]);
});

/** Before 2.46 they were an experiment. */
async function hasBlocks(): Promise<boolean> {
  const { stdout } = await program.pebble.exec(['pgbackrest', 'version'], { timeoutMs: 20_000 });
  return Number(/ 2\.(\d+)/.exec(stdout)?.[1]) >= 46;
}

test('whatever changes between two backups, both are made', async () => {
  const blocks = await hasBlocks();
  const configure = async (change: Partial<BackupSpeed>): Promise<void> => {
    const section = Object.entries(renderSpeed({ ...usualSpeed, ...change }, 2));
    const lines = section.map(([key, value]) => `${key}=${String(value)}`);
    await program.configure(lines.filter((line) => blocks || !line.startsWith('repo1-block=')));
  };
  await program.empty();
  await configure({});
  await createStanza(program.pebble, stanza);
  const run = { stanza, replica: false, clock: systemClock, onLine: () => undefined };
  await backup(program.pebble, { ...run, type: 'full' });
  for (const change of [
    { bundle: false, compressType: 'lz4', compressLevel: -5 },
    { blockIncremental: false, processMax: 2 },
    { compressType: 'none', compressLevel: 3 },
  ]) {
    await configure(change);
    await backup(program.pebble, { ...run, type: 'incr' });
    await backup(program.pebble, { ...run, type: 'full' });
  }

  const [made] = await info(program.pebble);

  expect(made?.backups.map(({ error }) => error)).toEqual(
    Array.from({ length: 7 }, () => undefined),
  );
}, 120_000);
