// Tablespaces are outside of the data directory, so they could not stand aside: with them nothing is restored.

import { expect, test } from '@jest/globals';

import { action, updateStatus } from '../support/scenario/events.ts';
import {
  alone,
  appData,
  asideFile,
  asked,
  asking,
  failed,
  markFile,
  peersOf,
  phaseOf,
  request,
  root,
  serviceOf,
  stoppedFile,
  withBags,
  withFiles,
} from '../support/scenario/postgresql/cluster-restore.ts';
import {
  after as afterEvents,
  dataFile,
  fileOf,
  inWorld,
  underTest,
  withBackup,
} from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';

const wish = { 'backup-id': '2026-01-30T12:00:00Z' };
const link = `${root}/pgdata/pg_tblspc/16999`;
const withTablespace = (given: PostgresqlState) => withFiles(given, { [link]: '/elsewhere' });

for (const [what, others] of [
  ['an only unit', []],
  ['a cluster', [1, 2]],
] as const) {
  scenario(`${what} with tablespaces is not restored`, {
    charm: underTest,
    given: async () => withTablespace(await withBackup({ others })),
    when: action('restore', { ...wish, 'all-units': others.length > 0 }),
    then: ({ state: after, action: { failed: refusal }, disturbances }) => {
      expect(refusal).toBe(
        'there are tablespaces on postgresql-k8s/0: use docs/how-to/restore-without-the-charm.md',
      );
      expect(disturbances).toEqual([]);
      expect(fileOf(after, markFile)).toBeUndefined();
      expect(appData(after)).not.toHaveProperty('restore-request');
    },
  });
}

test('what a restore has left that failed is nothing to keep, with tablespaces or without', async () => {
  const volume = { freeBytes: 100_000_000, usedBytes: 2 ** 30 };
  const restore = action('restore', wish);
  const begun = await afterEvents(inWorld(await withBackup(), { volume }), restore);
  const given = withTablespace(await afterEvents(failed(begun), updateStatus));

  const again = await afterEvents(given, restore);

  expect(fileOf(again, link)).toBeUndefined();
  expect(again.unitStatus.message).toBe('restoring backup');
});

scenario('a unit with tablespaces does not stop for a restore, and says so', {
  charm: underTest,
  given: async () => withTablespace(await asked()),
  when: updateStatus,
  then: ({ state: after, disturbances }) => {
    expect(disturbances).toEqual([]);
    expect(serviceOf(after)).toBe('active');
    expect(fileOf(after, stoppedFile)).toBeUndefined();
    expect(peersOf(after).localUnit).toMatchObject({ 'restore-refused': 'r1' });
    expect(peersOf(after).localUnit).not.toHaveProperty('restore-stopped');
  },
});

test('it says so no more when the restore has come to nothing', async () => {
  const refused = await afterEvents(withTablespace(await asked()), updateStatus);

  for (const next of ['', request('keep')]) {
    const ended = withBags(refused, { app: { 'restore-request': next } });
    const { localUnit } = peersOf(await afterEvents(ended, updateStatus));
    expect(localUnit).not.toHaveProperty('restore-refused');
  }
});

scenario('a restore that another unit cannot take part in ends before anything is touched', {
  charm: underTest,
  given: async () => withBags(await asking(), { others: { 'restore-refused': 'r1' } }),
  when: updateStatus,
  then: ({ state: after, disturbances }) => {
    expect(disturbances).toEqual([]);
    expect(fileOf(after, dataFile)).toBe('17\n');
    expect(fileOf(after, markFile)).toBeUndefined();
    expect(phaseOf(after)).toBe('keep');
    expect(appData(after)['restore-failure']).toBe(
      'the restore of 2026-01-30T12:00:00Z failed, the data of before are in force: there are ' +
        'tablespaces on postgresql-k8s/1, postgresql-k8s/2: use docs/how-to/restore-without-the-charm.md',
    );
  },
  loosen: { secondRun: 'nobody is down, so the next hook drops the request' },
});

test('that another unit has refused an earlier restore, or this one too late, ends none', async () => {
  const earlier = withBags(await alone(), { others: { 'restore-refused': 'r0' } });
  const begun = await afterEvents(earlier, updateStatus);
  expect(fileOf(begun, asideFile)).toBe('17\n');

  const late = inWorld(withBags(begun, { others: { 'restore-refused': 'r1' } }), {
    patroni: { members: [], starts: 'running custom bootstrap script' },
  });
  const after = await afterEvents(late, updateStatus);
  expect(phaseOf(after)).toBe('stop');
  expect(fileOf(after, asideFile)).toBe('17\n');
});
