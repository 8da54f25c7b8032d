// One suite for the pgBackRest of the scenarios and the real program: stanzas, what is listed of backups
// and archives.

import { expect, test } from '@jest/globals';

import { systemClock } from '../../lib/base/clock.ts';
import { readArchive } from '../../src/adapters/archive.ts';
import { completeStanza } from '../../src/adapters/half-stanza.ts';
import {
  backup,
  createStanza,
  info,
  PgbackrestError,
  repositoryBytes,
} from '../../src/adapters/pgbackrest.ts';
import { parseFileLine } from '../../src/core/backups/backup-progress.ts';
import { windowsOf } from '../../src/core/backups/windows.ts';
import { describeLabs, shape, stanza } from './pgbackrest-lab.ts';

describeLabs(({ lab, make, backups }) => {
  test('a setting without a value is refused, whatever it is asked', async () => {
    await lab().configure(['repo1-s3-region=']);

    for (const ask of [
      async () => await info(lab().pebble),
      async () => {
        await createStanza(lab().pebble, stanza);
      },
    ]) {
      await expect(ask()).rejects.toThrow(/key 'repo1-s3-region' must have a value$/);
    }
  });

  test('a stanza without backups is listed', async () => {
    expect(await info(lab().pebble)).toMatchObject([
      { name: stanza, statusCode: 2, encrypted: false, backups: [] },
    ]);
    expect((await readArchive(lab().pebble, await info(lab().pebble))).archive.histories).toEqual(
      [],
    );
  });

  test('a stanza whose creation was cut short is made anew', async () => {
    await lab().halve();

    await expect(createStanza(lab().pebble, stanza)).rejects.toMatchObject({
      message: expect.stringContaining('archive.info exists but backup.info is missing'),
      fields: { exitCode: 55 },
    });
    await completeStanza(lab().pebble, stanza);

    expect(await info(lab().pebble)).toMatchObject([{ name: stanza, statusCode: 2, backups: [] }]);
  });

  test('a stanza that has lost a file is left alone when there are backups', async () => {
    await make('full');
    await lab().loseInfo();
    const before = await repositoryBytes(lab().pebble, stanza);

    await expect(completeStanza(lab().pebble, stanza)).rejects.toThrow(PgbackrestError);

    expect(await repositoryBytes(lab().pebble, stanza)).toBeGreaterThanOrEqual(before);
  });

  test('each backup says which one it continues, its WAL and its size', async () => {
    await make('full', 'diff', 'incr', 'incr', 'diff', 'incr');

    const all = await backups();

    expect(shape(all)).toEqual([
      'full after -1',
      'differential after 0',
      'incremental after 1',
      'incremental after 2',
      'differential after 0',
      'incremental after 4',
    ]);
    for (const one of all) {
      expect(one).toMatchObject({
        walStart: expect.stringMatching(/^00000001[0-9A-F]{16}$/),
        walStop: expect.stringMatching(/^00000001[0-9A-F]{16}$/),
        archiveId: expect.stringMatching(/^\d+-1$/),
        lsnStart: expect.stringMatching(/^[0-9A-F]+\/[0-9A-F]+$/),
        bytes: { size: expect.any(Number), repoSizeDelta: expect.any(Number) },
      });
      expect(one.error).toBeUndefined();
    }
  });

  test('tells the listener of each file, and how much is done; the result is short', async () => {
    const lines: string[] = [];
    const result = await backup(lab().pebble, {
      stanza,
      type: 'full',
      replica: false,
      clock: systemClock,
      onLine: (line) => {
        lines.push(line);
      },
    });

    const files = lines.flatMap((line) => parseFileLine(line) ?? []);
    expect(files.length).toBeGreaterThan(1);
    expect(files.at(-1)?.percent).toBe(100);
    const [full] = await backups();
    const copied = files.reduce((sum, { bytes }) => sum + bytes, 0);
    // What pgBackRest rounds for each line.
    expect(copied / (full?.bytes.size ?? 0)).toBeCloseTo(1, 1);
    expect(result.stdout).toContain(`new backup label = ${full?.label}`);
    expect(result.stdout).not.toContain('DETAIL');
  });

  test('the archive is read, with the window that the backup opens', async () => {
    await make('full');

    const stanzas = await info(lab().pebble);
    const { archive, lineage } = await readArchive(lab().pebble, stanzas);
    const all = await backups();

    expect(archive.archives).toMatchObject([{ stanza, segmentBytes: 16 * 2 ** 20 }]);
    expect(windowsOf(all, archive.archives, lineage)).toMatchObject([
      { timeline: 1, earliestSeconds: all[0]?.stopSeconds, backups: [{ type: 'full' }] },
    ]);
  });

  test('a history file tells where its timeline came from', async () => {
    await make('full');
    const [first] = await backups();
    await lab().addHistory(first?.archiveId ?? '', '1\t0/70000A0\tno recovery target specified\n');

    const { archive, lineage } = await readArchive(lab().pebble, await info(lab().pebble));

    expect(archive.histories).toMatchObject([{ stanza, timeline: 2 }]);
    expect([...lineage.values()]).toEqual([[{ timeline: 1, endLsn: 0x70000a0 }], []]);
  });
});
