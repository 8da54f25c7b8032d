// A restore of a cluster on a unit that has no data itself, and what an earlier one has left in its way.

import { expect, test } from '@jest/globals';

import { action, pebbleReady, updateStatus } from '../support/scenario/events.ts';
import {
  alone,
  appData,
  asideFile,
  configName,
  expectOldState,
  failed,
  led,
  markFile,
  objectsOf,
  othersStarted,
  phaseOf,
  root,
  serviceOf,
  withBags,
  withFiles,
  withObjects,
  without,
  withTraces,
} from '../support/scenario/postgresql/cluster-restore.ts';
import {
  after as afterEvents,
  backupLabel,
  dataFile,
  fileOf,
  inContainer,
  inNewContainer,
  inWorld,
  stanza,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import { run } from '../support/scenario/run.ts';

const ready = pebbleReady('postgresql');
const cancel = action('cancel-restore');

/** The unit that is to restore has no data, and nobody leads. */
const bare = async () => inWorld(without(await alone(), dataFile), { patroni: { members: [] } });

/** It has begun, and left something of its own before it failed. */
const bareFailed = async () =>
  withFiles(withTraces(failed(await afterEvents(await bare(), updateStatus))), {
    [`${root}/pgdata/global/pg_control`]: '1',
    [dataFile]: 'half\n',
  });

test('a restore that fails on a unit without data gives the others theirs back', async () => {
  const ended = await afterEvents(await bareFailed(), updateStatus);

  expect(phaseOf(ended)).toBe('keep');
  expect(appData(ended)['restore-failure']).toContain('recovery ended before');
  expectOldState(ended);
  expect(fileOf(ended, dataFile)).toBeUndefined();
  expect(serviceOf(ended)).not.toBe('active');
});

test('whenever it is killed on its way back, the others get theirs', async () => {
  const given = await bareFailed();
  const { interruptions } = await run({ charm: underTest, state: given, event: updateStatus });
  for (const { state: killed } of interruptions) {
    for (const woken of [killed, inNewContainer(killed)]) {
      const first = woken === killed ? updateStatus : ready;
      const reached = await afterEvents(woken, first, updateStatus, updateStatus);

      // That, or the request is gone already.
      expect(phaseOf(reached) ?? 'keep').toBe('keep');
      expect(appData(reached)['restore-failure']).toContain('recovery ended before');
      expectOldState(reached);
      expect(fileOf(reached, dataFile)).toBeUndefined();
    }
  }

  expect(interruptions.length).toBeGreaterThan(6);
});

test('the unit without data copies those of the others, once they are up', async () => {
  const ended = await afterEvents(await bareFailed(), updateStatus);
  const up = led(ended);

  const reached = await afterEvents(up, updateStatus, updateStatus);

  expect(fileOf(reached, markFile)).toBeUndefined();
  expect(serviceOf(reached)).toBe('active');
  expect(fileOf(reached, `${root}/patroni.yml`)).not.toContain('--set=');
});

test('it is not started as long as Patroni remembers no cluster', async () => {
  const ended = await afterEvents(await bareFailed(), updateStatus);
  const { [configName]: _, ...objects } = objectsOf(ended);
  const forgotten = withObjects(othersStarted(ended), objects);

  for (const woken of [forgotten, inNewContainer(forgotten)]) {
    const events = woken === forgotten ? [updateStatus, updateStatus] : [ready, updateStatus];
    expect(serviceOf(await afterEvents(woken, ...events))).not.toBe('active');
  }
});

test('a restore on a unit without data can be cancelled', async () => {
  const begun = await afterEvents(await bare(), updateStatus);
  const given = inWorld(begun, {
    patroni: {
      members: [
        {
          name: 'postgresql-k8s-0',
          role: 'replica',
          state: 'running custom bootstrap script',
          timeline: 1,
        },
      ],
    },
  });

  const { state: after, action: ended } = await run({
    charm: underTest,
    state: given,
    event: cancel,
  });

  expect(ended.results).toEqual({ status: 'restore cancelled' });
  expect(phaseOf(after)).toBe('keep');
  expect(appData(after)).not.toHaveProperty('restore-failure');
  expectOldState(after);
  expect(serviceOf(after)).toBe('inactive');
});

const earlier = {
  label: backupLabel,
  stanza,
  phase: 'started',
  old: 'removed',
  failure: 'of another time',
};

/** An earlier restore has failed here, and left nothing to go back to. */
const left = (given: PostgresqlState) =>
  withFiles(given, { [markFile]: JSON.stringify(earlier), [dataFile]: 'half\n' });

test('what an earlier restore has left does not keep the next one from beginning', async () => {
  const begun = await afterEvents(left(await bare()), updateStatus);

  expect(JSON.parse(fileOf(begun, markFile) ?? '')).toMatchObject({
    phase: 'started',
    request: 'r1',
    old: 'none',
  });
  expect(fileOf(begun, asideFile)).toBeUndefined();
  expect(fileOf(begun, dataFile)).toBeUndefined();
  expect(begun.unitStatus).toEqual({ level: 'maintenance', message: 'restoring backup' });
});

test('what an earlier restore has left is not restored again in a new container', async () => {
  const given = inNewContainer(left(await bare()));

  const started = await run({ charm: underTest, state: given, event: ready });
  expect(serviceOf(started.state)).toBeUndefined();

  const begun = await afterEvents(started.state, updateStatus);
  expect(fileOf(begun, markFile)).toContain('"request":"r1"');
});

test('what an earlier restore has left does not keep anybody from cancelling the next one', async () => {
  const given = left(withBags(await bare(), { others: { 'restore-stopped': 'r0' } }));

  const { state: after, action: ended } = await run({
    charm: underTest,
    state: given,
    event: cancel,
  });

  expect(ended.results).toEqual({ status: 'restore cancelled' });
  expect(phaseOf(after)).toBe('keep');
});

test('what an earlier restore has left gives way when the cluster works without it', async () => {
  const given = left(withBags(await bare(), { app: { 'restore-request': '' } }));
  const up = led(inContainer(given, () => ({ services: { postgresql: { current: 'error' } } })));

  const reached = await afterEvents(up, updateStatus);

  expect(fileOf(reached, markFile)).toBeUndefined();
  expect(fileOf(reached, dataFile)).toBeUndefined();
  expect(serviceOf(reached)).toBe('active');
});

test('an earlier failure is told again when the configuration lets nothing begin', async () => {
  const single = withBags(left(await bare()), { app: { 'restore-request': '' } });
  const mark = JSON.stringify({ ...earlier, phase: 'preparing', before: earlier.failure });
  const down = inContainer(single, () => ({ services: { postgresql: { current: 'error' } } }));
  const given = { ...withFiles(down, { [markFile]: mark }), config: { profile: 'huge' } };

  const after = await afterEvents(given, updateStatus);

  expect(JSON.parse(fileOf(after, markFile) ?? '')).toMatchObject(earlier);
  expect(serviceOf(after)).not.toBe('active');
});

test('what stood aside and was taken away by hand is not taken for what stands in its place', async () => {
  const begun = await afterEvents(await alone(), updateStatus);
  const emptied = inContainer(begun, ({ files }) => ({
    files: Object.fromEntries(
      Object.entries(files).filter(([path]) => !path.startsWith(`${root}/pgdata-before-restore`)),
    ),
  }));
  const given = withFiles(failed(emptied), { [dataFile]: 'half\n' });

  const ended = await afterEvents(given, updateStatus);

  expect(phaseOf(ended)).toBe('keep');
  expect(fileOf(ended, dataFile)).toBeUndefined();
  expect(serviceOf(ended)).not.toBe('active');
});
