// A restore of a cluster of several units: who does what when, whatever is killed or lost on the way.

import { expect, test } from '@jest/globals';

import { fileEntry } from '../support/pebble-state.ts';
import {
  action,
  leaderElected,
  pebbleNotice,
  pebbleReady,
  relationChanged,
  updateStatus,
} from '../support/scenario/events.ts';
import {
  alone,
  appData,
  asideFile,
  asked,
  asking,
  failed,
  markFile,
  peersOf,
  request,
  root,
  serviceOf,
  stoppedFile,
  told,
  version,
  waiting,
  withBags,
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
  replica,
  underTest,
  withBackup,
} from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import { run } from '../support/scenario/run.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { relationOf } from '../support/scenario/state.ts';

const ready = pebbleReady('postgresql');
const notice = pebbleNotice('postgresql', 'postgresql.charm/on-start');

const changed = (given: PostgresqlState) => relationChanged(peersOf(given));
for (const [name, event] of Object.entries({
  'a change of the databag': changed,
  'update-status': () => updateStatus,
  'a notice': () => notice,
})) {
  test(`a unit that is asked to stop by ${name} stops, says so, and keeps its data`, async () => {
    const given = await asked();

    const { state: after } = await run({ charm: underTest, state: given, event: event(given) });

    expect(serviceOf(after)).toBe('inactive');
    expect(peersOf(after).localUnit).toMatchObject({ 'restore-stopped': 'r1' });
    expect(fileOf(after, stoppedFile)).toBe('r1\n');
    expect(fileOf(after, dataFile)).toBe('17\n');
    expect(after.unitStatus).toEqual({
      level: 'maintenance',
      message: 'stopped for a restore of the cluster',
    });
  });
}

scenario('whenever it is killed while it stops, it stops', {
  charm: underTest,
  given: asked,
  when: updateStatus,
  then: ({ disturbances }) => {
    expect(disturbances).toEqual(['postgresql: stop postgresql']);
  },
});

scenario('a unit that waits is not started by anything', {
  charm: underTest,
  given: async () => inNewContainer(await waiting()),
  when: ready,
  then: ({ state: after, walks }) => {
    expect(walks[0]?.end).toBe('defer');
    expect(serviceOf(after)).toBeUndefined();
    expect(fileOf(after, dataFile)).toBe('17\n');
  },
});

scenario('a unit whose leader has restored copies the new data, once', {
  charm: underTest,
  given: async () => await told('clone'),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(fileOf(after, dataFile)).toBeUndefined();
    expect(fileOf(after, stoppedFile)).toBeUndefined();
    expect(serviceOf(after)).toBe('active');
    expect(peersOf(after).localUnit).not.toHaveProperty('restore-stopped');
    expect(after.unitStatus).toEqual({ level: 'active', message: '' });
  },
});

test('what it has copied is not emptied again, whatever databags say', async () => {
  const copied = inContainer(await afterEvents(await told('clone'), updateStatus), ({ files }) => ({
    files: { ...files, [dataFile]: version },
  }));
  const stale = withBags(copied, {
    app: { 'restore-request': request('clone') },
    own: { 'restore-stopped': 'r1' },
  });

  const reached = await afterEvents(stale, updateStatus, notice);

  expect(fileOf(reached, dataFile)).toBe('17\n');
  expect(serviceOf(reached)).toBe('active');
});

scenario('as long as nobody leads, the data of before are not emptied', {
  charm: underTest,
  given: async () =>
    inWorld(await told('clone'), { patroni: { members: [replica(0), replica(1), replica(2)] } }),
  when: updateStatus,
  then: ({ state: after, disturbances }) => {
    expect(fileOf(after, dataFile)).toBe('17\n');
    expect(disturbances).toEqual([]);
    expect(serviceOf(after)).toBe('inactive');
  },
});

scenario('when nothing has come of it, a unit starts with its own data', {
  charm: underTest,
  given: async () => await told('keep'),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(fileOf(after, dataFile)).toBe('17\n');
    expect(fileOf(after, stoppedFile)).toBeUndefined();
    expect(serviceOf(after)).toBe('active');
  },
});

scenario('a request that is gone leaves nobody down', {
  charm: underTest,
  given: async () => {
    const given = await waiting();
    const { 'restore-request': _, ...localApp } = appData(given);
    const { 'restore-stopped': __, ...localUnit } = peersOf(given).localUnit;
    const peers = peersOf(given);
    return {
      ...given,
      relations: given.relations.map((one) =>
        one === peers ? { ...peers, localApp, localUnit } : one,
      ),
    };
  },
  when: updateStatus,
  then: ({ state: after }) => {
    expect(fileOf(after, dataFile)).toBe('17\n');
    expect(serviceOf(after)).toBe('active');
    expect(fileOf(after, stoppedFile)).toBeUndefined();
  },
});

/** The others have copied the data. */
function startedAgain(given: PostgresqlState): PostgresqlState {
  const peers = peersOf(given);
  const remoteUnits = { 'postgresql-k8s/1': {}, 'postgresql-k8s/2': {} };
  return {
    ...given,
    relations: given.relations.map((one) => (one === peers ? { ...peers, remoteUnits } : one)),
  };
}

scenario('one unit that has not stopped yet holds the restore up, and is named', {
  charm: underTest,
  given: async () => {
    const given = await alone();
    const peers = peersOf(given);
    const remoteUnits = { ...peers.remoteUnits, 'postgresql-k8s/2': {} };
    return {
      ...given,
      relations: given.relations.map((one) => (one === peers ? { ...peers, remoteUnits } : one)),
    };
  },
  when: updateStatus,
  then: ({ state: after, disturbances }) => {
    expect(disturbances).toEqual([]);
    expect(fileOf(after, dataFile)).toBe('17\n');
    expect(after.unitStatus).toEqual({
      level: 'maintenance',
      message: 'the restore waits until postgresql-k8s/2 stop',
    });
  },
});

scenario('a restore that waits for a unit that verifies backups says so', {
  charm: underTest,
  given: async () => {
    const verifying = { level: 'maintenance', message: 'verifying backups' } as const;
    const working = { level: 'active', message: '' } as const;
    return {
      ...(await asking()),
      otherStatuses: { 'postgresql-k8s/1': verifying, 'postgresql-k8s/2': working },
    };
  },
  when: updateStatus,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({
      level: 'maintenance',
      message:
        'the restore waits until postgresql-k8s/1 (verifying backups), postgresql-k8s/2 stop',
    });
  },
});

scenario('word of another restore does not count', {
  charm: underTest,
  given: async () => withBags(await asking(), { others: { 'restore-stopped': 'r0' } }),
  when: updateStatus,
  then: ({ state: after, disturbances }) => {
    expect(disturbances).toEqual([]);
    expect(fileOf(after, dataFile)).toBe('17\n');
  },
});

test('when all others are down the restore begins', async () => {
  const begun = await afterEvents(await alone(), updateStatus);

  expect(fileOf(begun, asideFile)).toBe('17\n');
  expect(fileOf(begun, dataFile)).toBeUndefined();
  expect(JSON.parse(fileOf(begun, markFile) ?? '')).toMatchObject({
    phase: 'started',
    request: 'r1',
    old: 'aside',
  });
  expect(appData(begun)).toMatchObject({ 'restoring-backup': backupLabel });
  expect(serviceOf(begun)).toBe('active');
  expect(begun.unitStatus).toEqual({ level: 'maintenance', message: 'restoring backup' });
});

test('a Patroni that restores is not told to read its file', async () => {
  const begun = inWorld(await afterEvents(await alone(), updateStatus), {
    patroni: { members: [], starts: 'running custom bootstrap script' },
  });
  const given = { ...begun, config: { profile: 'testing' } };

  const result = await run({ charm: underTest, state: given, event: changed(given) });

  expect(fileOf(result.state, `${root}/patroni.yml`)).not.toBe(
    fileOf(given, `${root}/patroni.yml`),
  );
  expect(fileOf(result.state, `${root}/patroni.yml.unread`)).toBe('');
  expect(result.disturbances).toEqual([]);
});

const restored = async () => await afterEvents(await alone(), updateStatus, notice);

test('when the restored database answers the others are told to copy it', async () => {
  const given = await restored();

  expect(JSON.parse(appData(given)['restore-request'] ?? '')).toMatchObject({ phase: 'clone' });
  expect(appData(given)).not.toHaveProperty('restoring-backup');
  expect(fileOf(given, asideFile)).toBeUndefined();
  expect(given.unitStatus.message).toMatch(/^Primary/);

  const ended = await afterEvents(startedAgain(given), updateStatus, updateStatus);
  expect(appData(ended)).not.toHaveProperty('restore-request');
  expect(peersOf(ended).localUnit).not.toHaveProperty('restore-result');
  expect(fileOf(ended, markFile)).toBeUndefined();
});

/** The command by which WAL goes to the repository. */
const archives = ({ world }: PostgresqlState) =>
  JSON.stringify(world.patroni.config).includes('archive-push');

test('as long as others may go back, nothing of the restored timeline is archived', async () => {
  const begun = await afterEvents(await alone(), updateStatus);
  const config = { postgresql: { parameters: { archive_command: '/bin/false' } } };
  const members = [primary(0)];
  const given = await afterEvents(inWorld(begun, { patroni: { config, members } }), notice);
  expect(archives(given)).toBe(false);

  for (const event of [updateStatus, notice, relationChanged(relationOf(given, 's3-parameters'))]) {
    const waits = await afterEvents(given, event);
    expect(JSON.parse(appData(waits)['restore-request'] ?? '')).toMatchObject({ phase: 'clone' });
    expect(archives(waits)).toBe(false);
  }

  const ended = await afterEvents(startedAgain(given), updateStatus);
  expect(appData(ended)).not.toHaveProperty('restore-request');
  expect(archives(ended)).toBe(true);
});

test('when it fails, the data of before come back, and the others are told to start with theirs', async () => {
  const given = failed(await afterEvents(await alone(), updateStatus));

  const undone = await afterEvents(given, updateStatus);

  expect(fileOf(undone, dataFile)).toBe('17\n');
  expect(undone.world.kube.objects['endpoints/patroni-postgresql-k8s']?.metadata).toMatchObject({
    annotations: { leader: 'postgresql-k8s-0' },
  });
  expect(JSON.parse(appData(undone)['restore-request'] ?? '')).toMatchObject({ phase: 'keep' });
  expect(appData(undone)['restore-failure']).toBe(
    'the restore of 2026-01-30T12:00:00Z failed, the data of before are in force: recovery ended ' +
      'before configured recovery target was reached',
  );
});

test('whenever the restore of a cluster is killed, it goes on, and the others wait until it has ended', async () => {
  const given = await alone();
  const { interruptions } = await run({ charm: underTest, state: given, event: updateStatus });
  for (const { state: killed } of interruptions) {
    for (const woken of [killed, inNewContainer(killed)]) {
      const events = woken === killed ? [updateStatus, notice] : [ready, notice, notice];
      const reached = await afterEvents(woken, ...events);

      expect(JSON.parse(appData(reached)['restore-request'] ?? '')).toMatchObject({
        phase: 'clone',
      });
      expect(fileOf(reached, dataFile)).toBeUndefined();
      expect(fileOf(reached, asideFile)).toBeUndefined();
    }
  }

  expect(interruptions.length).toBeGreaterThan(8);
});

const invalid = { synchronous_node_count: 'many' } as const;

test('a configuration that becomes invalid while units stop ends the restore with nothing touched', async () => {
  const given = { ...(await alone()), config: invalid };

  const ended = await afterEvents(given, updateStatus, updateStatus);

  expect(fileOf(ended, dataFile)).toBe('17\n');
  expect(fileOf(ended, markFile)).toBeUndefined();
  expect(serviceOf(ended)).toBe('active');
  expect(appData(ended)).not.toHaveProperty('restore-request');
  expect(appData(ended)['restore-failure']).toContain('the configuration has become invalid');
});

test('without a valid configuration no emptied directory is started on, and then it goes on', async () => {
  const given = await alone();
  const { interruptions } = await run({ charm: underTest, state: given, event: updateStatus });
  const emptied = interruptions
    .map(({ state }) => state)
    .filter((state) => serviceOf(state) === 'inactive' && fileOf(state, dataFile) === undefined);
  for (const killed of emptied) {
    const waits = await afterEvents({ ...killed, config: invalid }, updateStatus, notice);

    expect(serviceOf(waits)).toBe('inactive');
    expect(fileOf(waits, asideFile)).toBe('17\n');

    const reached = await afterEvents({ ...waits, config: given.config }, updateStatus, notice);
    expect(JSON.parse(appData(reached)['restore-request'] ?? '')).toMatchObject({ phase: 'clone' });
  }

  expect(emptied.length).toBeGreaterThan(2);
});

test('whenever the end of it is killed, nothing is restored twice', async () => {
  const given = inContainer(await afterEvents(await alone(), updateStatus), ({ files }) => ({
    files: { ...files, [`${root}/pgdata/restored`]: fileEntry('restored\n') },
  }));
  const { interruptions } = await run({ charm: underTest, state: given, event: notice });
  for (const { state: killed } of interruptions) {
    const reached = await afterEvents(killed, updateStatus, updateStatus);

    expect(fileOf(reached, `${root}/pgdata/restored`)).toBe('restored\n');
    expect(JSON.parse(appData(reached)['restore-request'] ?? '')).toMatchObject({ phase: 'clone' });
  }

  expect(interruptions.length).toBeGreaterThan(5);
});

test('a unit that is no longer the leader restores all the same, and the leader tells the others', async () => {
  const given = { ...(await alone()), leader: false };

  const ended = await afterEvents(given, updateStatus, notice);

  expect(JSON.parse(peersOf(ended).localUnit['restore-result'] ?? '')).toEqual({
    id: 'r1',
    state: 'restored',
  });
  expect(JSON.parse(appData(ended)['restore-request'] ?? '')).toMatchObject({ phase: 'stop' });

  const heard = await afterEvents({ ...ended, leader: true }, leaderElected, updateStatus);
  expect(JSON.parse(appData(heard)['restore-request'] ?? '')).toMatchObject({ phase: 'clone' });
});

for (const [when, given] of [
  ['that answers', async () => await afterEvents(await alone(), updateStatus)],
  [
    'of which the leader has not heard yet',
    async () => await afterEvents({ ...(await alone()), leader: false }, updateStatus, notice),
  ],
] as const) {
  scenario(`a restored database of a cluster ${when} is not thrown away`, {
    charm: underTest,
    given,
    when: action('cancel-restore'),
    then: ({ state: after, action: { failed: refusal }, disturbances }) => {
      expect(refusal).toBe('The restored database is in force');
      expect(disturbances).toEqual([]);
      expect(peersOf(after).localUnit['restore-result'] ?? '').not.toContain('failed');
    },
  });
}

scenario('the restore of a unit that is gone is over', {
  charm: underTest,
  given: async () => {
    const given = { ...(await waiting()), leader: true };
    return withBags(given, {
      app: { 'restore-request': request('stop', 'postgresql-k8s/9') },
      own: { 'restore-stopped': 'r1' },
    });
  },
  when: updateStatus,
  then: ({ state: after }) => {
    expect(appData(after)['restore-failure']).toMatch(/postgresql-k8s\/9 is gone$/);
    expect(fileOf(after, dataFile)).toBe('17\n');
  },
  loosen: { secondRun: 'the next hook starts this unit again' },
});

scenario('a restore that waits for somebody is cancelled', {
  charm: underTest,
  given: asking,
  when: action('cancel-restore'),
  then: ({ state: after, action: { results }, disturbances }) => {
    expect(results).toEqual({ status: 'restore cancelled' });
    expect(JSON.parse(appData(after)['restore-request'] ?? '')).toMatchObject({ phase: 'keep' });
    expect(appData(after)).not.toHaveProperty('restore-failure');
    expect(fileOf(after, dataFile)).toBe('17\n');
    expect(disturbances).toEqual([]);
  },
  loosen: { secondRun: 'there is nothing to cancel any more', killChecks: 'only databags change' },
});

scenario('whoever does not restore cannot cancel', {
  charm: underTest,
  given: waiting,
  when: action('cancel-restore'),
  then: ({ action: { failed: refusal } }) => {
    expect(refusal).toBe('Run it on postgresql-k8s/0');
  },
});

const refusals: readonly (readonly [string, () => Promise<PostgresqlState>, string])[] = [
  [
    'a unit on its way',
    async () => ({ ...(await withBackup({ others: [1] })), plannedUnits: 3 }),
    'Units are being added or removed: wait until that is over',
  ],
  [
    'no room for both',
    async () =>
      inWorld(await withBackup({ others: [1] }), {
        volume: { freeBytes: 100_000_000, usedBytes: 2 ** 30 },
      }),
    'There is no room on the volume: the backup has 29 MiB, 95 MiB are free, with several units ' +
      'the data of now have to stay until the end: enlarge the volume, or scale to one unit',
  ],
  [
    'a backup',
    async () => inWorld(await withBackup({ others: [1] }), { pgbackrest: { backupRuns: true } }),
    'A backup is being made: wait until it has ended',
  ],
];

for (const [name, given, message] of refusals) {
  scenario(`a cluster with ${name} is not restored`, {
    charm: underTest,
    given,
    when: action('restore', { 'backup-id': '2026-01-30T12:00:00Z', 'all-units': true }),
    then: ({ state: after, action: { failed: refusal }, disturbances }) => {
      expect(refusal).toBe(message);
      expect(disturbances).toEqual([]);
      expect(appData(after)).not.toHaveProperty('restore-request');
    },
  });
}
