// A restore of an only unit that is not the leader any more when it ends, because others have been added
// meanwhile: it tells the leader, and the leader makes it known.

import { expect, test } from '@jest/globals';

import { fileEntry } from '../support/pebble-state.ts';
import { action, pebbleNotice, pebbleReady, updateStatus } from '../support/scenario/events.ts';
import {
  appData,
  failed,
  markFile,
  peersOf,
  root,
  serviceOf,
  withBags,
  withFiles,
  without,
} from '../support/scenario/postgresql/cluster-restore.ts';
import {
  after as afterEvents,
  backupLabel,
  dataFile,
  fileOf,
  inContainer,
  inNewContainer,
  inWorld,
  primary,
  remembering,
  running,
  stanza,
  underTest,
  withBackup,
} from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import { run } from '../support/scenario/run.ts';
import { scenario } from '../support/scenario/scenario.ts';

const restore = action('restore', { 'backup-id': '2026-01-30T12:00:00Z' });
const cancel = action('cancel-restore');
const ready = pebbleReady('postgresql');
const notice = pebbleNotice('postgresql', 'postgresql.charm/restore-ended');
const restoredFile = `${root}/pgdata/restored`;

/** Another unit has been added to the one that restores, and has become the leader. */
function outrun(given: PostgresqlState): PostgresqlState {
  const peers = peersOf(given);
  const joined = { ...peers, remoteUnits: { 'postgresql-k8s/1': {} } };
  return {
    ...given,
    leader: false,
    plannedUnits: 2,
    relations: given.relations.map((one) => (one === peers ? joined : one)),
  };
}

const restoring = async () =>
  outrun(
    inContainer(await afterEvents(remembering(await withBackup()), restore), ({ files }) => ({
      files: { ...files, [restoredFile]: fileEntry('restored\n') },
    })),
  );

const resultOf = (given: PostgresqlState): unknown =>
  JSON.parse(peersOf(given).localUnit['restore-result'] ?? '{}');

/** As the leader takes the restore out of the application's databag. */
const heard = (given: PostgresqlState, failure = '') =>
  withBags(given, {
    app: {
      'restoring-backup': '',
      'restoring-unit': '',
      'restore-stanza': '',
      'restore-timeline': '',
      'restore-to-time': '',
      'restore-failure': failure,
    },
  });

const reason = 'recovery ended before configured recovery target was reached';
const note = `the restore of 2026-01-30T12:00:00Z failed, the data of before are in force: ${reason}`;

test('the unit tells the leader that the restored database is in force, and forgets it then', async () => {
  const ended = await afterEvents(await restoring(), notice);

  expect(resultOf(ended)).toEqual({ id: 'alone', state: 'restored' });
  expect(fileOf(ended, restoredFile)).toBe('restored\n');
  expect(fileOf(ended, markFile)).toContain('"phase":"restored"');

  const told = await afterEvents(heard(ended), updateStatus, updateStatus);
  expect(resultOf(told)).toEqual({});
  expect(fileOf(told, markFile)).toBeUndefined();
  expect(fileOf(told, restoredFile)).toBe('restored\n');
  expect(told.unitStatus.message).toMatch(/^Primary/);
});

test('the unit tells the leader why it has gone back to the data of before', async () => {
  const ended = await afterEvents(failed(await restoring()), notice);

  expect(resultOf(ended)).toEqual({ id: 'alone', state: 'failed', failure: reason });
  expect(fileOf(ended, dataFile)).toBe('17\n');
  expect(serviceOf(ended)).toBe('active');

  for (const known of [note, '']) {
    const told = await afterEvents(heard(ended, known), updateStatus, updateStatus);
    expect(resultOf(told)).toEqual({});
    expect(fileOf(told, markFile)).toBeUndefined();
    expect(fileOf(told, dataFile)).toBe('17\n');
  }
});

for (const [what, given, state] of [
  ['succeeds', restoring, 'restored'],
  ['fails', async () => failed(await restoring()), 'failed'],
] as const) {
  test(`whenever the end of one that ${what} is killed, the leader learns of it`, async () => {
    const { interruptions } = await run({
      charm: underTest,
      state: await given(),
      event: updateStatus,
    });
    for (const { state: killed } of interruptions) {
      for (const woken of [killed, inNewContainer(killed)]) {
        const events = woken === killed ? [updateStatus] : [ready, updateStatus];
        const reached = await afterEvents(woken, ...events);
        expect(resultOf(reached)).toMatchObject({ id: 'alone', state });

        const told = await afterEvents(heard(reached), updateStatus, updateStatus);
        expect(resultOf(told)).toEqual({});
        expect(fileOf(told, markFile)).toBeUndefined();
      }
    }

    expect(interruptions.length).toBeGreaterThan(5);
  });
}

test('an end that was told by a hook that was killed is told again by whoever leads no more', async () => {
  const given = { ...(await restoring()), leader: true };
  const { interruptions } = await run({ charm: underTest, state: given, event: updateStatus });
  const unknown = interruptions
    .map(({ state }) => state)
    .filter((one) => fileOf(one, markFile) === undefined);
  for (const killed of unknown) {
    const reached = await afterEvents({ ...killed, leader: false }, updateStatus);
    expect(resultOf(reached)).toEqual({ id: 'alone', state: 'restored' });

    const again = await afterEvents(reached, updateStatus);
    expect(resultOf(again)).toEqual({ id: 'alone', state: 'restored' });
    expect(resultOf(await afterEvents(heard(again), updateStatus))).toEqual({});
    const leads = await afterEvents({ ...again, leader: true }, updateStatus, updateStatus);
    expect(appData(leads)).not.toHaveProperty('restoring-backup');
    expect(resultOf(leads)).toEqual({});
  }

  expect(unknown.length).toBeGreaterThan(2);
});

test('what an earlier restore has told is not taken for the end of the next', async () => {
  const told = { 'restore-result': JSON.stringify({ id: 'alone', state: 'restored' }) };
  const given = withBags(await withBackup(), { own: told });

  const begun = await afterEvents(given, restore);

  expect(appData(begun)).toMatchObject({ 'restoring-unit': 'postgresql-k8s/0' });
  expect(resultOf(begun)).toEqual({});
});

/** The leader, a unit that was added while another one restored. */
async function leading(result: object | undefined): Promise<PostgresqlState> {
  const given = await running({ number: 1, others: [0], primary: 0, leader: true });
  const config = { postgresql: { parameters: { archive_command: '/bin/false' } } };
  const bags = withBags(given, {
    app: {
      stanza,
      'restoring-backup': backupLabel,
      'restoring-unit': 'postgresql-k8s/0',
      'restore-stanza': stanza,
      'restore-to-time': '2026-01-30 14:00:00+00',
    },
    others: result === undefined ? {} : { 'restore-result': JSON.stringify(result) },
  });
  return inWorld(bags, { patroni: { config } });
}

const archives = ({ world }: PostgresqlState) =>
  JSON.stringify(world.patroni.config).includes('archive-push');

scenario('the leader hears that the restored database of another unit is in force', {
  charm: underTest,
  given: async () => await leading({ id: 'alone', state: 'restored' }),
  when: updateStatus,
  then: ({ state: after, disturbances }) => {
    expect(Object.keys(appData(after)).filter((key) => key.startsWith('restor'))).toEqual([]);
    expect(after.unitStatus).toEqual({ level: 'active', message: '' });
    expect(archives(after)).toBe(true);
    expect(disturbances).toEqual([]);
  },
});

scenario('the leader hears why the restore of another unit has failed', {
  charm: underTest,
  given: async () => await leading({ id: 'alone', state: 'failed', failure: 'no WAL' }),
  when: updateStatus,
  then: ({ state: after }) => {
    const message =
      'the restore of 2026-01-30T12:00:00Z to 2026-01-30 14:00:00 failed, the data of before are in force: no WAL';
    expect(appData(after)['restore-failure']).toBe(message);
    expect(appData(after)).not.toHaveProperty('restoring-backup');
    expect(after.unitStatus.message).toBe(message);
  },
});

for (const [what, result] of [
  ['nothing', undefined],
  ['the end of another restore', { id: 'r1', state: 'restored' }],
] as const) {
  scenario(`the leader that has heard ${what} goes by no primary that answers`, {
    charm: underTest,
    given: async () => await leading(result),
    when: updateStatus,
    then: ({ state: after, disturbances }) => {
      expect(appData(after)).toMatchObject({ 'restoring-backup': backupLabel });
      expect(archives(after)).toBe(false);
      expect(disturbances).toEqual([]);
    },
  });
}

scenario('the leader says where a restore is to be cancelled', {
  charm: underTest,
  given: async () => await leading(undefined),
  when: cancel,
  then: ({ action: { failed: refusal } }) => {
    expect(refusal).toBe('Run it on postgresql-k8s/0');
  },
});

test('what has been left of one that failed gives way to another database, and the leader knows', async () => {
  const mark = { label: backupLabel, stanza, phase: 'started', old: 'removed', failure: 'no WAL' };
  const left = withFiles(failed(await restoring()), { [markFile]: JSON.stringify(mark) });
  const given = inWorld(left, { patroni: { members: [primary(1)] } });

  const reached = await afterEvents(given, updateStatus);

  expect(fileOf(reached, markFile)).toBeUndefined();
  expect(resultOf(reached)).toEqual({ id: 'alone', state: 'failed', failure: 'cancelled' });
});

/** A new pod, without anything that was on the volume. */
const lost = async () =>
  inContainer(
    inNewContainer(inWorld(await restoring(), { patroni: { members: [] } })),
    ({ files }) => ({
      files: Object.fromEntries(
        Object.entries(files).filter(([path]) => !path.startsWith(`${root}/`)),
      ),
    }),
  );

for (const leader of [true, false]) {
  test(`a restore whose volume is lost is cancelled, ${leader ? '' : 'not '}by the leader`, async () => {
    const given = { ...(await lost()), leader };

    const { state: after, action: ended } = await run({
      charm: underTest,
      state: given,
      event: cancel,
    });

    expect(ended.results).toEqual({ status: 'restore cancelled' });
    if (leader) expect(appData(after)).not.toHaveProperty('restoring-backup');
    else expect(resultOf(after)).toEqual({ id: 'alone', state: 'failed', failure: 'cancelled' });
  });
}

test('a restore whose end has only not been told yet is not cancelled', async () => {
  const given = without(await restoring(), markFile);

  const { action: ended } = await run({ charm: underTest, state: given, event: cancel });

  expect(ended.failed).toBe('The restored database is in force');
});
