// A restore that fills the volume, and fails for it: nothing can be written there before something has
// gone, and the way back leads to the data of before all the same.

import { expect, test } from '@jest/globals';

import { restoreNeedsRoom, stoppedForRestore } from '../../src/core/status.ts';
import { action, pebbleReady, updateStatus } from '../support/scenario/events.ts';
import {
  alone,
  appData,
  asideFile,
  asked,
  expectOldState,
  failed,
  led,
  markFile,
  peersOf,
  phaseOf,
  root,
  serviceOf,
  told,
  withBags,
  withFiles,
  without,
} from '../support/scenario/postgresql/cluster-restore.ts';
import {
  after as afterEvents,
  dataFile,
  fileOf,
  inNewContainer,
  inWorld,
  remembering,
  underTest,
  withBackup,
} from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import { run } from '../support/scenario/run.ts';

const restore = action('restore', { 'backup-id': '2026-01-30T12:00:00Z' });
const cancel = action('cancel-restore');
const ready = pebbleReady('postgresql');
const filledBy = 'filling';

/** What has been restored takes all there is; Patroni has moved some of it away. */
const full = (given: PostgresqlState) =>
  withFiles(inWorld(given, { volume: { filledBy } }), {
    [`${root}/pgdata/${filledBy}`]: 'half of a database',
    [`${root}/pgdata.failed/${filledBy}`]: 'half of a database',
  });

const single = async () => await afterEvents(remembering(await withBackup()), restore);
const cluster = async () => await afterEvents(await alone(), updateStatus);
const bare = async () => {
  const given = inWorld(without(await alone(), dataFile), { patroni: { members: [] } });
  return await afterEvents(given, updateStatus);
};

const expectPutBack = (given: PostgresqlState) => {
  expect(fileOf(given, dataFile)).toBe('17\n');
  expect(serviceOf(given)).toBe('active');
};

const expectNone = (given: PostgresqlState) => {
  expect(fileOf(given, dataFile)).toBeUndefined();
  expect(fileOf(given, `${root}/pgdata/${filledBy}`)).toBeUndefined();
};

const restores: readonly (readonly [
  string,
  () => Promise<PostgresqlState>,
  (given: PostgresqlState) => void,
])[] = [
  ['of an only unit', single, expectPutBack],
  ['of a cluster', cluster, expectPutBack],
  ['of a cluster, on a unit without data,', bare, expectNone],
];

const reason = 'recovery ended before configured recovery target was reached';

for (const [what, begun, expectData] of restores) {
  test(`a restore ${what} that fills the volume ends with the data of before`, async () => {
    const given = full(failed(await begun()));

    const ended = await afterEvents(given, updateStatus);

    expectData(ended);
    expectOldState(ended);
    expect(appData(ended)['restore-failure']).toContain(reason);
    expect(fileOf(ended, asideFile)).toBeUndefined();
    expect(fileOf(ended, `${root}/pgdata.failed/${filledBy}`)).toBeUndefined();
  });

  test(`whenever the way back of a restore ${what} on a full volume is killed, it goes on`, async () => {
    const given = full(failed(await begun()));
    const { interruptions } = await run({ charm: underTest, state: given, event: updateStatus });
    for (const { state: killed } of interruptions) {
      const reached = await afterEvents(killed, updateStatus, updateStatus);

      expectData(reached);
      expectOldState(reached);
      expect(appData(reached)['restore-failure']).toContain(reason);
    }

    expect(interruptions.length).toBeGreaterThan(8);
  });

  test(`in a new pod a restore ${what} that fills the volume goes on, or back`, async () => {
    const given = full(failed(await begun()));
    const { interruptions } = await run({ charm: underTest, state: given, event: updateStatus });
    for (const { state: killed } of [{ state: given }, ...interruptions]) {
      const woken = await afterEvents(inNewContainer(killed), ready);
      const isBack = fileOf(woken, markFile)?.includes('"phase":"started"') !== true;
      const reached = isBack ? woken : failed(woken);

      const ended = await afterEvents(reached, updateStatus, updateStatus);
      expectData(ended);
      expectOldState(ended);
      expect(appData(ended)['restore-failure']).toContain('the data of before are in force');
    }

    expect(interruptions.length).toBeGreaterThan(8);
  });

  test(`a restore ${what} that fills the volume can be cancelled`, async () => {
    const given = full(failed(await begun()));

    const { state: after, action: ended } = await run({
      charm: underTest,
      state: given,
      event: cancel,
    });

    expect(ended.results).toEqual({ status: 'restore cancelled' });
    expectData(after);
    expectOldState(after);
  });
}

test('a restore that is in force on a full volume lets the data of before go', async () => {
  const filled = { [`${root}/pgdata-before-restore/${filledBy}`]: 'all of the data' };
  const begun = inWorld(await single(), { volume: { filledBy } });
  const given = withFiles(begun, { ...filled, [`${root}/pgdata/restored`]: 'restored\n' });

  const { state: after, interruptions } = await run({
    charm: underTest,
    state: given,
    event: updateStatus,
  });

  for (const one of [after, ...interruptions.map(({ state }) => state)]) {
    const reached = await afterEvents(one, updateStatus);
    expect(fileOf(reached, `${root}/pgdata/restored`)).toBe('restored\n');
    expect(fileOf(reached, markFile)).toBeUndefined();
    expect(appData(reached)).not.toHaveProperty('restoring-backup');
    expect(serviceOf(reached)).toBe('active');
  }

  expect(fileOf(after, asideFile)).toBeUndefined();
  expect(interruptions.length).toBeGreaterThan(5);
});

test('one that nobody waits for any more gives way on a full volume, too', async () => {
  const begun = withBags(await cluster(), {
    app: { 'restore-request': '', 'restoring-backup': '', 'restoring-unit': '' },
  });
  const given = full(led(failed(begun)));

  const { state: after, interruptions } = await run({
    charm: underTest,
    state: given,
    event: updateStatus,
  });

  for (const one of [after, ...interruptions.map(({ state }) => state)]) {
    const reached = await afterEvents(one, updateStatus, updateStatus);
    expect(fileOf(reached, markFile)).toBeUndefined();
    expectPutBack(reached);
  }
});

test('one that has left nothing to go back to is followed by another', async () => {
  const room = { freeBytes: 100_000_000, usedBytes: 2 ** 30 };
  const begun = await afterEvents(inWorld(await withBackup(), { volume: room }), restore);
  const given = full(failed(begun));

  const ended = await afterEvents(given, updateStatus);
  expect(ended.unitStatus.message).toBe(
    `Failed to restore backup: ${reason}; no data are left here, restore another backup`,
  );
  expect(fileOf(ended, `${root}/pgdata.failed/${filledBy}`)).toBeUndefined();

  const { interruptions } = await run({ charm: underTest, state: given, event: updateStatus });
  for (const { state: killed } of interruptions) {
    const reached = await afterEvents(killed, updateStatus);
    expect(reached.unitStatus).toEqual(ended.unitStatus);
    expect(serviceOf(reached)).not.toBe('active');
  }

  expect((await afterEvents(ended, restore)).unitStatus.message).toBe('restoring backup');
});

for (const [how, event] of [
  ['update-status', updateStatus],
  ['a start of the container', ready],
] as const) {
  test(`a unit that cannot note why it stops says so, and stops when it can, with ${how}`, async () => {
    const given = full(await asked());

    const waits = await run({ charm: underTest, state: given, event });

    expect(waits.exitCode).toBe(0);
    expect(waits.state.unitStatus).toEqual(restoreNeedsRoom);
    expect(serviceOf(waits.state)).toBe('active');
    expect(peersOf(waits.state).localUnit).not.toHaveProperty('restore-stopped');

    const room = without(waits.state, `${root}/pgdata/${filledBy}`);
    const stopped = await afterEvents(
      without(room, `${root}/pgdata.failed/${filledBy}`),
      updateStatus,
    );
    expect(peersOf(stopped).localUnit).toMatchObject({ 'restore-stopped': 'r1' });
    expect(stopped.unitStatus).toEqual(stoppedForRestore);
  });
}

test('on a full volume the data of before go before it is noted whose the next ones are', async () => {
  const given = withFiles(inWorld(await told('clone'), { volume: { filledBy } }), {
    [`${root}/pgdata/${filledBy}`]: 'rows',
  });
  const { state, interruptions } = await run({
    charm: underTest,
    state: given,
    event: updateStatus,
  });
  const reached = [state];
  for (const { state: killed } of interruptions) {
    reached.push(await afterEvents(killed, updateStatus));
  }

  expect(reached.length).toBeGreaterThan(3);
  for (const one of reached) {
    expect(fileOf(one, dataFile)).toBeUndefined();
    expect(fileOf(one, `${root}/restore-copied`)).toBe('r1\n');
    expect(serviceOf(one)).toBe('active');
  }
});

test('the leader ends a restore all the same while its own volume is full', async () => {
  const result = JSON.stringify({ id: 'r1', state: 'failed', failure: 'no WAL' });
  const given = withBags(full(await asked()), { others: { 'restore-result': result } });

  const after = await afterEvents({ ...given, leader: true }, updateStatus);

  expect(phaseOf(after)).toBe('keep');
});
