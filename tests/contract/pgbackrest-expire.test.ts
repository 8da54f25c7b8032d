// One suite for the pgBackRest of the scenarios and the real program: what deleting and retention take
// along, and what stays.

import { expect, test } from '@jest/globals';
import * as v from 'valibot';

import {
  expire,
  listArchive,
  PgbackrestError,
  removeManifest,
  repositoryBytes,
} from '../../src/adapters/pgbackrest.ts';
import { planDeletion } from '../../src/core/backups/deletion.ts';
import { keepAll, type Retention } from '../../src/core/backups/retention.ts';
import { describeLabs, shape, stanza } from './pgbackrest-lab.ts';

describeLabs(({ lab, make, backups }) => {
  const ask = { dependents: true, force: true };

  /** What the charm says goes along, and what stays, by their places. */
  async function remove(place: number): Promise<readonly string[]> {
    const before = await backups();
    const chosen = before[place];
    const plan = planDeletion(before, { id: chosen?.id ?? '', ...ask }, '');
    if ('refusal' in plan || chosen === undefined) throw new Error('no such backup');
    if (plan.isLastFull) await removeManifest(lab().pebble, { stanza, label: chosen.label });
    const { fullsLeft } = plan;
    await expire(lab().pebble, {
      stanza,
      ...(plan.isLastFull ? {} : { label: chosen.label, fullsLeft }),
    });
    const after = (await backups()).map((one) => one.label);
    expect(after).toEqual(
      before.filter((one) => !plan.doomed.includes(one)).map((one) => one.label),
    );
    return after;
  }

  async function segments(): Promise<readonly string[]> {
    const paths = Object.keys(
      v.parse(v.looseObject({}), JSON.parse(await listArchive(lab().pebble))),
    );
    return paths.flatMap((path) => /\/([0-9A-F]{24})-/.exec(path)?.[1] ?? []).toSorted();
  }

  test('the only full backup is not deleted just so', async () => {
    await make('full', 'incr');
    const [full] = await backups();

    const refused = expire(lab().pebble, { stanza, label: full?.label ?? '' });

    await expect(refused).rejects.toBeInstanceOf(PgbackrestError);
    await expect(refused).rejects.toThrow(/cannot be expired until another full backup/);
    expect(await backups()).toHaveLength(2);
  });

  test('a backup goes with all that continue it, and with no others', async () => {
    await make('full', 'diff', 'incr', 'incr', 'diff', 'full');

    expect(await remove(1)).toHaveLength(3);
    expect(await remove(0)).toHaveLength(1);
  });

  test.each<Retention>([keepAll, { kind: 'time', days: 7 }, { kind: 'count', fullBackups: 3 }])(
    'WAL goes as far as no full backup that stays needs it (%j)',
    async (retention) => {
      await lab().keep(retention);
      await make('full', 'incr', 'full', 'full');
      const before = await segments();

      await remove(0);

      const [oldest] = await backups();
      const after = await segments();
      expect(after).toEqual(before.filter((segment) => segment >= (oldest?.walStart ?? '')));
      expect(after.length).toBeLessThan(before.length);
      await remove(1);
      expect(await segments()).toEqual(after);
    },
  );

  test('without the number of full backups that stay, all WAL stays with a single one that goes', async () => {
    await make('full', 'full', 'full');
    const before = await segments();
    const [first, second] = await backups();

    for (const [retention, backup] of [
      [keepAll, first],
      [{ kind: 'count', fullBackups: 2 }, second],
    ] as const) {
      await lab().keep(retention);
      await expire(lab().pebble, { stanza, label: backup?.label ?? '' });
    }

    expect(await backups()).toHaveLength(1);
    expect(await segments()).toEqual(before);
  });

  test('the last full backup goes when its manifest is taken away', async () => {
    await make('full', 'incr');
    const before = await repositoryBytes(lab().pebble, stanza);
    const archived = await segments();

    expect(await remove(0)).toEqual([]);

    expect(await segments()).toEqual(archived);
    expect(await repositoryBytes(lab().pebble, stanza)).toBeLessThan(before);
    await make('full');
    expect(shape(await backups())).toEqual(['full after -1']);
  });

  test('a manifest that is gone already is fine', async () => {
    await make('full');
    const label = (await backups())[0]?.label ?? '';

    await removeManifest(lab().pebble, { stanza, label });
    await removeManifest(lab().pebble, { stanza, label });
    await expire(lab().pebble, { stanza });

    expect(await backups()).toEqual([]);
  });

  test('retention by number keeps the newest, and says what went', async () => {
    await make('full', 'incr', 'full', 'full');
    const labels = (await backups()).map(({ label }) => label);
    await lab().keep({ kind: 'count', fullBackups: 2 });

    const removed = await expire(lab().pebble, { stanza });

    expect((await backups()).map(({ label }) => label)).toEqual(labels.slice(2));
    for (const label of labels.slice(0, 2)) {
      expect(removed.join('\n')).toContain(`remove expired backup ${label}`);
    }
  });

  test('a label that is none, and one that is not there', async () => {
    await make('full');

    await expect(expire(lab().pebble, { stanza, label: 'none' })).rejects.toThrow(/not a valid/);
    expect(await expire(lab().pebble, { stanza, label: '20200101-000000F' })).toEqual([]);
  });
});
