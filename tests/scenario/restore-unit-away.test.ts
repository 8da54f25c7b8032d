// Units that do not come back when a restore of the cluster has come to nothing, and that keep nobody from
// anything.

import { expect, test } from '@jest/globals';

import { action, pebbleReady, updateStatus } from '../support/scenario/events.ts';
import {
  alone,
  annotationsOf,
  appData,
  expectOldState,
  failed,
  keptOn,
  markFile,
  peersOf,
  phaseOf,
  serviceOf,
  stoppedFile,
  waiting,
  withBags,
} from '../support/scenario/postgresql/cluster-restore.ts';
import {
  after as afterEvents,
  dataFile,
  fileOf,
  inNewContainer,
  inWorld,
  primary,
  replica,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import { run } from '../support/scenario/run.ts';

const cancel = action('cancel-restore');
const restore = action('restore', { 'backup-id': '2026-01-30T12:00:00Z', 'all-units': true });
const reason = 'recovery ended before configured recovery target was reached';

/** The leader, which has restored in vain; one of the others has started again. */
async function given(): Promise<PostgresqlState> {
  const undone = await afterEvents(
    failed(await afterEvents(await alone(), updateStatus)),
    updateStatus,
  );
  const peers = peersOf(undone);
  const remoteUnits = { ...peers.remoteUnits, 'postgresql-k8s/1': {} };
  const relations = undone.relations.map((one) =>
    one === peers ? { ...peers, remoteUnits } : one,
  );
  return inWorld({ ...undone, relations }, { patroni: { members: [primary(0), replica(1)] } });
}

test('a restore that has come to nothing is over, also for a unit that stays away', async () => {
  expect(phaseOf(await given())).toBe('keep');

  const ended = await afterEvents(await given(), updateStatus, updateStatus);

  expect(appData(ended)).not.toHaveProperty('restore-request');
  expect(peersOf(ended).remoteUnits['postgresql-k8s/2']).toEqual({ 'restore-stopped': 'r1' });
  expect(annotationsOf(ended, keptOn) ?? {}).toEqual({});
  expect(fileOf(ended, markFile)).toBeUndefined();
  expect(peersOf(ended).localUnit).not.toHaveProperty('restore-result');
  expect(ended.unitStatus.message).toContain(reason);
});

test('whenever that is killed, it is over with the next hooks', async () => {
  const { interruptions } = await run({
    charm: underTest,
    state: await given(),
    event: updateStatus,
  });
  for (const { state: killed } of interruptions) {
    const reached = await afterEvents(killed, updateStatus, updateStatus);
    expect(appData(reached)).not.toHaveProperty('restore-request');
    expect(appData(reached)['restore-failure']).toContain(reason);
    expectOldState(reached);
    expect(fileOf(reached, markFile)).toBeUndefined();
    expect(fileOf(reached, dataFile)).toBe('17\n');
  }

  expect(interruptions.length).toBeGreaterThan(1);
});

test('the remark can be taken away, and stays away', async () => {
  const ended = await afterEvents(await given(), updateStatus, updateStatus);

  const { state: noted, action: taken } = await run({
    charm: underTest,
    state: ended,
    event: cancel,
  });

  expect(taken.results).toEqual({ status: 'noted' });
  expect(appData(await afterEvents(noted, updateStatus))).not.toHaveProperty('restore-failure');
});

test('another restore may begin, and waits for that unit', async () => {
  const ended = await afterEvents(await given(), updateStatus, updateStatus);

  const { state: after, action: begun } = await run({
    charm: underTest,
    state: ended,
    event: restore,
  });

  expect(begun.results).toEqual({ 'restore-status': 'restore started' });
  const waits = await afterEvents(after, updateStatus);
  expect(waits.unitStatus.message).toBe(
    'the restore waits until postgresql-k8s/1, postgresql-k8s/2 stop',
  );
});

test('a unit that comes back later starts with its own data', async () => {
  const away = withBags(await waiting(), { app: { 'restore-request': '' } });
  for (const back of [away, inNewContainer(away)]) {
    const events = back === away ? [updateStatus] : [pebbleReady('postgresql'), updateStatus];
    const reached = await afterEvents(back, ...events);

    expect(fileOf(reached, dataFile)).toBe('17\n');
    expect(serviceOf(reached)).toBe('active');
    expect(fileOf(reached, stoppedFile)).toBeUndefined();
    expect(peersOf(reached).localUnit).not.toHaveProperty('restore-stopped');
  }
});
