// One suite for the pgBackRest of the scenarios and the real program: what is found of damage, and which
// backups it costs.

import { expect, test } from '@jest/globals';

import { readArchive } from '../../src/adapters/archive.ts';
import { info } from '../../src/adapters/pgbackrest.ts';
import { verifyStanza } from '../../src/adapters/repository-check.ts';
import { judgeRepository } from '../../src/core/backups/findings.ts';
import { describeLabs, stanza } from './pgbackrest-lab.ts';

describeLabs(({ lab, make, backups }) => {
  async function judge() {
    const verification = await verifyStanza(lab().pebble, stanza);
    const stanzas = await info(lab().pebble);
    const { archive, lineage } = await readArchive(lab().pebble, stanzas);
    const repository = { stanza, backups: await backups(), archive, lineage };
    return { verification, ...judgeRepository(verification, repository) };
  }

  test('a sound repository is verified', async () => {
    await make('full', 'incr');

    const { verification, good, problems } = await judge();

    expect(problems).toEqual([]);
    expect(good).toEqual(await backups());
    expect(verification).toMatchObject({
      content: true,
      archives: [{ name: expect.stringMatching(/^\d+-1$/), faults: '' }],
      backups: good.map(({ label }) => ({ name: label, status: 'valid', faults: '' })),
      files: [],
      notes: [],
    });
  });

  test('one bit that has turned in a backup is found, and costs those that build on it', async () => {
    await make('full', 'incr', 'full');
    const [first, second, third] = await backups();
    await lab().damageBackup(first?.label ?? '');

    const { verification, good, bad, problems } = await judge();

    expect(verification.content).toBe(false);
    expect(good).toEqual([third]);
    expect([...bad.keys()]).toEqual([first?.label, second?.label]);
    expect(problems[0]).toMatch(
      /^backup \S+Z: 1 of \d+ files cannot be relied on \((?:checksum invalid|other): 1\): pg_data\/base\/\d+\/\w+/,
    );
  });

  test('one bit that has turned in the WAL of a backup is found', async () => {
    await make('full');
    const [only] = await backups();
    await lab().spoilWal(only?.walStop ?? '', 'damage');

    const { good, problems } = await judge();

    expect(good).toEqual([]);
    expect(problems).toEqual([
      `backup ${only?.id}: WAL that it cannot do without is damaged: ${only?.walStop}`,
      expect.stringMatching(
        /^WAL archive \d+-1: 1 of \d+ files .*\((?:checksum invalid|other): 1\): [0-9A-F]{24}$/,
      ),
    ]);
  });

  test('WAL that is gone is found, which pgBackRest is content with', async () => {
    await make('full');
    const [only] = await backups();
    await lab().spoilWal(only?.walStop ?? '', 'remove');

    const { verification, good, problems } = await judge();

    expect(verification.content).toBe(true);
    expect(good).toEqual([]);
    expect(problems[0]).toBe(
      `backup ${only?.id}: WAL that it cannot do without is missing, of ${only?.walStart} to ${only?.walStop}`,
    );
  });
});
