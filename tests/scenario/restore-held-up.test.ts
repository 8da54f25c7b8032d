// A restore in which something takes longer than a hook waits: that fails no hook, and the next one goes on.

import { expect, test } from '@jest/globals';

import { action, pebbleReady, updateStatus } from '../support/scenario/events.ts';
import {
  alone,
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
  stoppedFile,
  told,
  withBags,
  withFiles,
  without,
} from '../support/scenario/postgresql/cluster-restore.ts';
import {
  after as afterEvents,
  dataFile,
  fileOf,
  inWorld,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import { run } from '../support/scenario/run.ts';

const ready = pebbleReady('postgresql');
const pidFile = `${root}/pgdata/postmaster.pid`;
const heldUp = {
  level: 'maintenance',
  message: 'the restore goes on later: PostgreSQL does not end',
};

/** PostgreSQL outlives Patroni, and writes its last checkpoint. */
const slow = (given: PostgresqlState) =>
  withFiles(inWorld(given, { volume: { hangs: true } }), { [pidFile]: '42\n' });

/** It has ended. */
const done = (given: PostgresqlState): PostgresqlState => {
  const { hangs: _, ...volume } = given.world.volume;
  return without({ ...given, world: { ...given.world, volume } }, pidFile);
};

for (const [how, event] of [
  ['update-status', updateStatus],
  ['a start of the container', ready],
] as const) {
  test(`a unit whose PostgreSQL has not ended yet does not say that it is down, with ${how}`, async () => {
    const given = slow(await asked());
    const waits = await run({ charm: underTest, state: given, event });

    expect(waits.exitCode).toBe(0);
    expect(waits.state.unitStatus).toEqual(heldUp);
    expect(waits.log).toContainEqual({ level: 'WARNING', message: heldUp.message });
    expect(peersOf(waits.state).localUnit).not.toHaveProperty('restore-stopped');

    const stopped = await afterEvents(done(waits.state), updateStatus);
    expect(peersOf(stopped).localUnit).toMatchObject({ 'restore-stopped': 'r1' });
    expect(stopped.unitStatus.message).toBe('stopped for a restore of the cluster');
  });
}

test('data that cannot be taken away yet are neither started nor lost sight of', async () => {
  const move = ['mv', '--no-target-directory', `${root}/pgdata`];
  const waits = await run({
    charm: underTest,
    state: await told('clone'),
    event: updateStatus,
    execs: () => ({
      postgresql: [{ command: move, respond: () => ({ exitCode: 1, stderr: 'mv: busy' }) }],
    }),
  });

  expect(waits.exitCode).toBe(0);
  expect(waits.state.unitStatus.message).toBe(
    `the restore goes on later: cannot move "${root}/pgdata": mv: busy`,
  );
  expect(serviceOf(waits.state)).toBe('inactive');
  expect(fileOf(waits.state, stoppedFile)).toBe('r1\n');

  const copies = await afterEvents(waits.state, updateStatus);
  expect(fileOf(copies, dataFile)).toBeUndefined();
  expect(serviceOf(copies)).toBe('active');
});

test('the data of before come back when what was restored has ended', async () => {
  const given = slow(failed(await afterEvents(await alone(), updateStatus)));
  const waits = await run({ charm: underTest, state: given, event: updateStatus });

  expect(waits.exitCode).toBe(0);
  expect(waits.state.unitStatus).toEqual(heldUp);
  expect(phaseOf(waits.state)).toBe('stop');
  expect(fileOf(waits.state, asideFile)).toBe('17\n');

  const back = await afterEvents(done(waits.state), updateStatus);
  expect(phaseOf(back)).toBe('keep');
  expect(fileOf(back, dataFile)).toBe('17\n');
  expectOldState(back);
});

test('a restore is cancelled although PostgreSQL takes its time', async () => {
  const given = slow(failed(await afterEvents(await alone(), updateStatus)));
  const { state: waits, action: ended } = await run({
    charm: underTest,
    state: given,
    event: action('cancel-restore'),
  });

  expect(ended.results).toEqual({ status: 'restore cancelled' });
  expect(fileOf(waits, asideFile)).toBe('17\n');

  const back = await afterEvents(done(waits), updateStatus);
  expect(phaseOf(back)).toBe('keep');
  expect(peersOf(back).localApp).not.toHaveProperty('restore-failure');
  expect(fileOf(back, dataFile)).toBe('17\n');
});

test('unless nothing tells so, for want of room', async () => {
  const filled = withFiles(slow(failed(await afterEvents(await alone(), updateStatus))), {
    [`${root}/pgdata/filling`]: '',
  });
  const given = inWorld(filled, { volume: { filledBy: 'filling' } });
  const { action: ended } = await run({
    charm: underTest,
    state: given,
    event: action('cancel-restore'),
  });

  expect(ended.failed).toBe('PostgreSQL does not end');
});

test('one that nobody waits for any more gives way when it can', async () => {
  const begun = withBags(await afterEvents(await alone(), updateStatus), {
    app: { 'restore-request': '', 'restoring-backup': '', 'restoring-unit': '' },
  });
  const waits = await run({ charm: underTest, state: slow(led(begun)), event: updateStatus });

  expect(waits.exitCode).toBe(0);
  expect(waits.state.unitStatus).toEqual(heldUp);

  const back = await afterEvents(done(waits.state), updateStatus);
  expect(fileOf(back, markFile)).toBeUndefined();
  expect(fileOf(back, dataFile)).toBe('17\n');
});
