// A restore of an only unit that is gone before it has told how that ended, after others have been added: the
// leader ends it. What the unit finds when it comes back with its volume.

import { expect, test } from '@jest/globals';

import { abandonedData, dataGone } from '../../src/core/status.ts';
import { fileEntry } from '../support/pebble-state.ts';
import { action, pebbleReady, updateStatus } from '../support/scenario/events.ts';
import {
  appData,
  asideFile,
  gone,
  leaving,
  markFile,
  objectsOf,
  peersOf,
  root,
  serviceOf,
  withBags,
  withFiles,
} from '../support/scenario/postgresql/cluster-restore.ts';
import {
  admitted,
  after as afterEvents,
  backedUp,
  backupLabel,
  dataFile,
  fileOf,
  inContainer,
  inNewContainer,
  inWorld,
  primary,
  remembering,
  replica,
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

const told = {
  stanza,
  'restoring-backup': backupLabel,
  'restoring-unit': 'postgresql-k8s/0',
  'restore-id': 'r7',
  'restore-stanza': stanza,
};

const archiving = (command: string) => ({
  postgresql: { parameters: { archive_command: command } },
});

/** The leader, a unit that was added while another one restored, with what it has copied from that. */
async function leading(): Promise<PostgresqlState> {
  const given = await running({ number: 1, others: [0], leader: true });
  const config = archiving('/bin/false');
  return inWorld(withBags(given, { app: told }), { patroni: { config, members: [primary(1)] } });
}

const archives = ({ world }: PostgresqlState) =>
  JSON.stringify(world.patroni.config).includes('archive-push');
const note =
  'postgresql-k8s/0 is gone, and with it the restore of 2026-01-30T12:00:00Z: ' +
  'in force is what others have copied from it';

function expectEnded(after: PostgresqlState): void {
  const left = Object.entries(appData(after)).filter(([key]) => key.startsWith('restor'));
  expect(Object.fromEntries(left)).toEqual({
    'restore-failure': note,
    'restores-abandoned': 'r7',
  });
}

scenario('the leader ends it, and says what is in force', {
  charm: underTest,
  given: async () => gone(await leading()),
  when: updateStatus,
  then: ({ state: after }) => {
    expectEnded(after);
    expect(archives(after)).toBe(true);
    expect(after.unitStatus).toEqual({ level: 'active', message: `Primary (${note})` });
  },
});

scenario('as long as its pod is there, its database may come up', {
  charm: underTest,
  given: async () => leaving(await leading()),
  when: updateStatus,
  then: ({ state: after, disturbances }) => {
    expect(appData(after)).toMatchObject({ 'restoring-backup': backupLabel });
    expect(archives(after)).toBe(false);
    expect(disturbances).toEqual([]);
    const message = 'the restore ends when postgresql-k8s/0 is gone';
    expect(after.unitStatus).toEqual({ level: 'maintenance', message });
  },
});

test('what it has told before counts', async () => {
  const result = JSON.stringify({ id: 'alone', state: 'failed', failure: 'no WAL' });
  const given = withBags(gone(await leading()), { others: { 'restore-result': result } });

  const after = await afterEvents(given, updateStatus);

  expect(appData(after)['restore-failure']).toMatch(/the data of before are in force: no WAL$/);
  expect(appData(after)).not.toHaveProperty('restores-abandoned');
});

/** The leader has not come so far as to copy anything, and nobody else has. */
async function empty(): Promise<PostgresqlState> {
  const { unit, secrets, leader, relations, world } = await backedUp({ number: 1, others: [0] });
  const fresh = admitted({ number: 1, others: [0], world: { patroni: { members: [] } } });
  const given = withBags({ ...fresh, unit, secrets, leader, relations }, { app: told });
  const backups = [{ label: backupLabel, stanza }];
  const { objectStore } = world;
  return gone(inWorld(given, { objectStore, pgbackrest: { stanzas: [stanza], backups } }));
}

test('when nobody has copied anything, that is what the leader says, and another restore helps', async () => {
  const ended = await afterEvents(await empty(), ready, updateStatus);

  expectEnded(ended);
  expect(ended.unitStatus).toEqual(dataGone);

  const { action: begun, state: after } = await run({
    charm: underTest,
    state: ended,
    event: restore,
  });
  expect(begun.failed).toBeUndefined();
  expect(appData(after)).toMatchObject({ 'restoring-unit': 'postgresql-k8s/1' });
  expect(appData(after)).not.toHaveProperty('restore-failure');
});

test('cancel-restore ends it on the leader, when the unit is gone', async () => {
  const given = gone(await leading());

  const { state: after, action: ended } = await run({
    charm: underTest,
    state: given,
    event: cancel,
  });

  expect(ended.results).toEqual({ status: 'restore cancelled' });
  expectEnded(after);
  const noted = await afterEvents(after, cancel);
  expect(appData(noted)).not.toHaveProperty('restore-failure');
});

const waits = 'It ends by itself when postgresql-k8s/0 is gone';
const refusals: readonly (readonly [string, () => Promise<PostgresqlState>, string | RegExp])[] = [
  ['while its pod is there', async () => leaving(await leading()), waits],
  ['by another than the leader', async () => ({ ...gone(await leading()), leader: false }), waits],
  [
    'when Kubernetes does not tell',
    async () =>
      inWorld(leaving(await leading()), { kube: { faults: { 'get pods': 'unreachable' } } }),
    /^Kubernetes does not tell whether postgresql-k8s\/0 is gone: /,
  ],
];

for (const [when, given, message] of refusals) {
  test(`nor is it cancelled ${when}`, async () => {
    const { state: after, action: ended } = await run({
      charm: underTest,
      state: await given(),
      event: cancel,
    });

    expect(ended.failed).toMatch(message);
    expect(appData(after)).toMatchObject({ 'restoring-backup': backupLabel });
  });
}

/** The unit comes back with its volume to a cluster that has gone on without it. */
async function returned(begun: PostgresqlState, leader: number | undefined) {
  const peers = peersOf(begun);
  const { 'restore-id': id = '' } = peers.localApp;
  const joined = { ...peers, remoteUnits: { 'postgresql-k8s/1': {} } };
  const relations = begun.relations.map((one) => (one === peers ? joined : one));
  const ended = Object.fromEntries(
    Object.keys(told)
      .filter((key) => key.startsWith('restor'))
      .map((key) => [key, '']),
  );
  const given = withBags(
    { ...begun, leader: false, plannedUnits: 2, relations },
    { app: { ...ended, 'restores-abandoned': id } },
  );
  const members = leader === undefined ? [] : [primary(leader), replica(0, 'stopped')];
  return inNewContainer(inWorld(remembering(given), { patroni: { members } }));
}

/** Without room for the data of before: they went. */
const smallVolume = { freeBytes: 100_000_000, usedBytes: 2 ** 30 };

const begun = async (volume = {}) =>
  inContainer(
    await afterEvents(remembering(inWorld(await withBackup(), { volume })), restore),
    ({ files }) => ({ files: { ...files, [dataFile]: fileEntry('restored\n') } }),
  );

test('when it comes back, its data of before do, and Patroni forgets nothing', async () => {
  const given = await returned(await begun(), 1);
  const { state, interruptions } = await run({ charm: underTest, state: given, event: ready });
  const reached = [state];
  for (const { state: killed } of interruptions) {
    reached.push(await afterEvents(killed, ready, updateStatus));
  }

  expect(fileOf(given, asideFile)).toBe('17\n');
  for (const one of reached) {
    expect(objectsOf(one)).toMatchObject(objectsOf(remembering(given)));
    expect(fileOf(one, dataFile)).toBe('17\n');
    expect(fileOf(one, asideFile)).toBeUndefined();
    expect(fileOf(one, markFile)).toBeUndefined();
    expect(serviceOf(one)).toBe('active');
  }
});

for (const phase of ['stopped', 'started', 'restored'] as const) {
  const back = async (leader: number | undefined) => {
    const given = await returned(await begun(smallVolume), leader);
    const mark = fileOf(given, markFile)?.replace('"phase":"started"', `"phase":"${phase}"`) ?? '';
    return withFiles(given, { [markFile]: mark });
  };

  test(`where it has none, nothing runs on what the restore has made, ${phase}`, async () => {
    const held = await afterEvents(await back(undefined), ready, updateStatus);

    expect(serviceOf(held)).not.toBe('active');
    expect(fileOf(held, dataFile)).toBe('restored\n');
    expect(held.unitStatus).toEqual(abandonedData);
  });

  test(`and that goes when another unit leads, ${phase}`, async () => {
    const copies = await afterEvents(await back(1), ready, updateStatus);

    expect(fileOf(copies, dataFile)).toBeUndefined();
    expect(fileOf(copies, markFile)).toBeUndefined();
    expect(serviceOf(copies)).toBe('active');
  });

  test(`or another restore comes, ${phase}`, async () => {
    const held = await afterEvents(await back(undefined), ready, updateStatus);
    const peers = peersOf(held);
    const relations = held.relations.map((one) =>
      one === peers ? { ...peers, remoteUnits: {} } : one,
    );
    const alone = { ...held, leader: true, plannedUnits: 1, relations };

    const { action: again, state: after } = await run({
      charm: underTest,
      state: alone,
      event: restore,
    });

    expect(again.failed).toBeUndefined();
    expect(appData(after)['restoring-backup']).toBe(backupLabel);
    expect(fileOf(after, `${root}/restore.json`)).not.toContain(
      `"id":"${appData(held)['restores-abandoned']}"`,
    );
  });
}
