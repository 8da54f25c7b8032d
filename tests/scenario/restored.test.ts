// What follows the restore action: its end, its failure, and one that was interrupted, which is taken
// up again whatever it was interrupted by.

import { expect, test } from '@jest/globals';

import { fileEntry } from '../support/pebble-state.ts';
import {
  action,
  configChanged,
  leaderElected,
  pebbleNotice,
  pebbleReady,
  relationChanged,
  updateStatus,
} from '../support/scenario/events.ts';
import {
  after as afterEvents,
  backupLabel,
  dataFile,
  fileOf,
  inContainer,
  inNewContainer,
  inWorld,
  passwords,
  remembering,
  stanza,
  underTest,
  withBackup,
  withTimelines,
} from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import { run } from '../support/scenario/run.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { relationOf } from '../support/scenario/state.ts';

const restore = action('restore', { 'backup-id': '2026-01-30T12:00:00Z' });
const started = pebbleNotice('postgresql', 'postgresql.charm/on-start');
const ready = pebbleReady('postgresql');

const wakers = {
  'update-status': [updateStatus, updateStatus],
  'a notice': [started, started],
  'a new container': [ready, updateStatus],
} as const;

const markFile = '/var/lib/postgresql/data/restore.json';
const configFile = '/var/lib/postgresql/data/patroni.yml';
const appData = (given: PostgresqlState) => relationOf(given, 'database-peers').localApp;

const asideFile = '/var/lib/postgresql/data/pgdata-before-restore/PG_VERSION';
const failedFile = '/var/lib/postgresql/data/pgdata.failed/PG_VERSION';
const restoredFile = '/var/lib/postgresql/data/pgdata/restored';

/** With a file of the restored database. */
const restoring = async () => withRestored(await afterEvents(await withBackup(), restore));

/** Of a cluster of which Patroni keeps something. */
const remembered = async () =>
  withRestored(await afterEvents(remembering(await withBackup()), restore));

/** Without room for the data of before. */
const restoringInstead = async (order = restore) => {
  const volume = { freeBytes: 100_000_000, usedBytes: 2 ** 30 };
  return await afterEvents(inWorld(await withTimelines(), { volume }), order);
};

const withRestored = (given: PostgresqlState) =>
  inContainer(given, ({ files }) => ({
    files: { ...files, [restoredFile]: fileEntry('restored\n') },
  }));

/** PostgreSQL is still busy with the backup. */
const busy = (given: PostgresqlState) => {
  const name = 'postgresql-k8s-0';
  const state = 'running custom bootstrap script';
  return inWorld(given, { patroni: { members: [{ name, role: 'replica', state, timeline: 1 }] } });
};

const log = `2026-01-30 09:00:00 UTC [7]: FATAL:  of another time
2027-01-31 10:00:30 UTC [8]: FATAL:  the database system is starting up
2027-01-31 10:00:31 UTC [9]: FATAL:  recovery ended before configured recovery target was reached
2027-01-31 10:00:32 UTC [8]: FATAL:  the database system is shutting down
`;

/** Patroni has given up, and moved away what it could not start. */
const failed = (given: PostgresqlState) =>
  inContainer(given, ({ services, files }) => ({
    services: { ...services, postgresql: { current: 'error' } },
    files: {
      ...files,
      [failedFile]: fileEntry('17\n'),
      '/var/log/postgresql/patroni-output.log': fileEntry(log),
    },
  }));

function expectRestored(given: PostgresqlState): void {
  expect(appData(given)).not.toHaveProperty('restoring-backup');
  expect(appData(given)).not.toHaveProperty('restore-stanza');
  expect(fileOf(given, dataFile)).toBeUndefined();
  expect(fileOf(given, markFile)).toBeUndefined();
  expect(fileOf(given, configFile)).not.toContain('--set=');
  expect(given.containers['postgresql']?.layers[0]?.layer.services?.['postgresql']).toMatchObject({
    'on-failure': 'restart',
  });
  expect(given.containers['postgresql']?.services['postgresql']?.current).toBe('active');
  expect(given.unitStatus).toEqual({ level: 'active', message: 'Primary' });
}

test('with an invalid configuration nothing is restored', async () => {
  const given = { ...(await withBackup()), config: { synchronous_node_count: 'many' } };

  const { state, action: ended } = await run({ charm: underTest, state: given, event: restore });

  expect(ended.failed).toBe('Cluster or unit is in a blocking state');
  expect(fileOf(state, dataFile)).toBe('17\n');
  expect(fileOf(state, markFile)).toBeUndefined();
});

test('the data of before begin to go only when the mark says that they are not needed', async () => {
  const given = await restoring();
  const { interruptions } = await run({ charm: underTest, state: given, event: updateStatus });
  const gone = interruptions
    .map(({ state }) => state)
    .filter((state) => fileOf(state, asideFile) === undefined)
    .map((state) => fileOf(state, markFile)?.includes('"phase":"started"') === true);

  expect(gone.length).toBeGreaterThan(2);
  expect(gone).not.toContain(true);
});

scenario('a restore goes on while PostgreSQL is busy with it', {
  charm: underTest,
  given: async () => busy(await restoring()),
  when: updateStatus,
  then: ({ state: after, disturbances }) => {
    expect(after.unitStatus).toEqual({ level: 'maintenance', message: 'restoring backup' });
    expect(disturbances).toEqual([]);
  },
});

scenario('a restore ends with the first update-status that finds a primary', {
  charm: underTest,
  given: restoring,
  when: updateStatus,
  then: ({ state: after, log }) => {
    expectRestored(after);
    expect(log).toContainEqual({
      level: 'INFO',
      message: 'backup 2026-01-30T12:00:00Z has been restored',
    });
  },
});

const restoreConfig = { postgresql: { parameters: { archive_command: '/bin/false' } } };

for (const event of [leaderElected, configChanged]) {
  test(`${event.event.name} leaves the shared configuration of a database that is just restored`, async () => {
    const given = inWorld(busy(await restoring()), { patroni: { config: restoreConfig } });

    const { state: after } = await run({ charm: underTest, state: given, event });

    expect(after.world.patroni.config).toEqual(restoreConfig);
  });
}

scenario('passwords of the time of the backup give way to those of today', {
  charm: underTest,
  given: async () =>
    inWorld(await restoring(), {
      postgres: {
        roles: { backup: { password: 'of the past', superuser: true, memberOf: [] } },
      },
    }),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(after.world.postgres.roles['backup']?.password).toBe('password-of-backup');
    expect(after.secrets).toHaveLength([passwords].length);
  },
});

const markLeaves = {
  differences: [
    {
      path: `containers.postgresql.files.${markFile}`,
      because: 'the mark goes when the databag is known to tell how the restore ended',
    },
  ],
};

const note = (reason: string) =>
  `the restore of 2026-01-30T12:00:00Z failed, the data of before are in force: ${reason}`;

function expectDataOfBefore(given: PostgresqlState): void {
  expect(fileOf(given, dataFile)).toBe('17\n');
  expect(fileOf(given, asideFile)).toBeUndefined();
  expect(fileOf(given, failedFile)).toBeUndefined();
  expect(fileOf(given, configFile)).not.toContain('--set=');
  expect(given.containers['postgresql']?.layers[0]?.layer.services?.['postgresql']).toMatchObject({
    'on-failure': 'restart',
  });
  expect(given.containers['postgresql']?.services['postgresql']?.current).toBe('active');
  expect(appData(given)).not.toHaveProperty('restoring-backup');
  const { objects } = given.world.kube;
  expect(objects['endpoints/patroni-postgresql-k8s']?.metadata.annotations).toEqual({
    leader: 'postgresql-k8s-0',
    optime: '50331648',
  });
  expect(objects['endpoints/patroni-postgresql-k8s-config']?.metadata.annotations).toMatchObject({
    initialize: '7588888888888888888',
  });
}

scenario('a restore that failed ends with the data of before, and the reason', {
  charm: underTest,
  given: async () => failed(await remembered()),
  when: updateStatus,
  then: ({ state: after, log }) => {
    expectDataOfBefore(after);
    const reason = 'recovery ended before configured recovery target was reached';
    expect(after.unitStatus).toEqual({ level: 'active', message: `Primary (${note(reason)})` });
    expect(log.map(({ message }) => message)).toContain(
      `the restore of 2026-01-30T12:00:00Z failed: ${reason}`,
    );
  },
  loosen: markLeaves,
});

test('the mark of a restore that failed goes when Juju knows, and the remark when somebody has noted it', async () => {
  const undone = await afterEvents(failed(await remembered()), started);
  expect(fileOf(undone, markFile)).toContain('"phase":"undone"');

  const told = await afterEvents(undone, updateStatus);
  expect(fileOf(told, markFile)).toBeUndefined();
  expect(told.unitStatus.message).toContain('failed, the data of before are in force');

  const noted = await afterEvents(told, action('cancel-restore'));
  expect(noted.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  expectDataOfBefore(noted);
});

scenario('without the data of before a restore that failed is for the operator to look at', {
  charm: underTest,
  given: async () => failed(await restoringInstead()),
  when: updateStatus,
  then: ({ state: after, disturbances }) => {
    const reason = 'recovery ended before configured recovery target was reached';
    expect(after.unitStatus).toEqual({
      level: 'blocked',
      message: `Failed to restore backup: ${reason}; no data are left here, restore another backup`,
    });
    expect(after.containers['postgresql']?.services['postgresql']?.current).toBe('error');
    expect(disturbances).toEqual([]);
  },
});

scenario('a restore to a time that failed without the data of before says so', {
  charm: underTest,
  given: async () =>
    failed(await restoringInstead(action('restore', { 'restore-to-time': '2026-01-30 12:30:00' }))),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(after.unitStatus.message).toMatch(/^cannot restore PITR, juju debug-log for details: /);
  },
});

scenario('after a restore that failed and left nothing another can be ordered', {
  charm: underTest,
  given: async () => await afterEvents(failed(await restoringInstead()), updateStatus),
  when: restore,
  then: ({ state: after, action: { results } }) => {
    expect(results).toEqual({ 'restore-status': 'restore started' });
    expect(after.unitStatus).toEqual({ level: 'maintenance', message: 'restoring backup' });
    expect(fileOf(after, markFile)).toContain('"old":"none"');
  },
  loosen: { secondRun: 'ordering a restore again restores again' },
});

scenario('a restore that nobody wants any more ends with the data of before', {
  charm: underTest,
  given: async () => busy(await remembered()),
  when: action('cancel-restore'),
  then: ({ state: after, action: { results } }) => {
    expect(results).toEqual({ status: 'restore cancelled' });
    expectDataOfBefore(after);
    expect(appData(after)).not.toHaveProperty('restore-failure');
  },
  loosen: {
    ...markLeaves,
    secondRun: 'there is nothing to cancel any more',
  },
});

scenario('a restore that has no data to go back to is not cancelled', {
  charm: underTest,
  given: async () => busy(await restoringInstead()),
  when: action('cancel-restore'),
  then: ({ state: after, action: { failed: refusal }, disturbances }) => {
    expect(refusal).toBe('The data of before are gone, so there is nothing to go back to');
    expect(disturbances).toEqual([]);
    expect(after.unitStatus.message).toBe('restoring backup');
  },
});

scenario('a restored database that answers is not thrown away', {
  charm: underTest,
  given: restoring,
  when: action('cancel-restore'),
  then: ({ state: after, action: { failed: refusal }, disturbances }) => {
    expect(refusal).toBe('The restored database is in force');
    expect(disturbances).toEqual([]);
    expect(fileOf(after, restoredFile)).toBe('restored\n');
    expect(fileOf(after, asideFile)).toBe('17\n');
  },
});

scenario('where nothing is restored nothing is cancelled', {
  charm: underTest,
  given: async () => await withBackup(),
  when: action('cancel-restore'),
  then: ({ action: { failed: refusal }, disturbances }) => {
    expect(refusal).toBe('No restore is under way on this unit');
    expect(disturbances).toEqual([]);
  },
});

const gone = (given: PostgresqlState) =>
  inContainer(inWorld(inNewContainer(given), { patroni: { members: [] } }), ({ files }) => ({
    files: Object.fromEntries(Object.entries(files).filter(([path]) => !path.includes('/pgdata'))),
  }));

test('a cluster whose data are gone is restored in a container in which nothing was ever started', async () => {
  const lost = await afterEvents(gone(await withBackup()), ready);
  expect(lost.unitStatus.message).toMatch(/no unit has the data of the cluster/);
  expect(lost.containers['postgresql']?.services).toEqual({});

  const begun = await afterEvents(lost, restore);
  expect(begun.containers['postgresql']?.services).toMatchObject({
    postgresql: { current: 'active' },
    watcher: { current: 'active' },
  });
  expect(fileOf(begun, '/opt/charm/start-patroni')).toContain('patroni');
  expect(fileOf(begun, markFile)).toContain('"old":"none"');

  expect((await afterEvents(begun, started)).unitStatus.message).toBe('Primary');
});

test('the mark stays until another dispatch, however many events one handles', async () => {
  const given = busy(await remembered());
  const s3 = relationOf(given, 's3-parameters');
  const deferring = failed(await afterEvents(given, relationChanged(s3)));

  const { state: after, log } = await run({
    charm: underTest,
    state: deferring,
    event: updateStatus,
  });

  expect(log.map(({ message }) => message).join('\n')).toContain('handling deferred');
  expect(fileOf(after, markFile)).toContain('"phase":"undone"');
});

test('whenever the way back is killed, the next hook takes it up', async () => {
  const given = failed(await remembered());
  const { interruptions } = await run({ charm: underTest, state: given, event: updateStatus });
  for (const { state: killed } of interruptions) {
    for (const events of Object.values(wakers)) {
      const woken = events[0] === ready ? inNewContainer(killed) : killed;
      expectDataOfBefore(await afterEvents(woken, ...events, updateStatus));
    }
  }

  expect(interruptions.length).toBeGreaterThan(8);
});

scenario('what has been restored is not restored again in a new pod', {
  charm: underTest,
  given: async () => inNewContainer(remembering(await restoring())),
  when: ready,
  then: ({ state: after }) => {
    expect(fileOf(after, restoredFile)).toBe('restored\n');
  },
});

scenario('a pod that is replaced in the middle restores on', {
  charm: underTest,
  given: async () => inNewContainer(busy(await restoring())),
  when: ready,
  then: ({ state: after, walks }) => {
    expect(walks[0]?.end).toBe('defer');
    expect(fileOf(after, configFile)).toContain(`--set=${backupLabel}`);
    expect(after.containers['postgresql']?.services['postgresql']?.current).toBe('active');
    expect(after.unitStatus.level).toBe('maintenance');
  },
});

scenario('whose the repository is, is asked anew after a restore', {
  charm: underTest,
  given: async () => {
    const given = await afterEvents(
      inWorld(await withBackup(), {
        pgbackrest: {
          stanzas: ['old-model.patroni-old'],
          backups: [{ label: backupLabel, stanza: 'old-model.patroni-old' }],
        },
      }),
      restore,
    );
    const peers = relationOf(given, 'database-peers');
    const { stanza: _, ...localApp } = peers.localApp;
    return {
      ...given,
      relations: given.relations.map((one) => (one === peers ? { ...one, localApp } : one)),
    };
  },
  when: started,
  then: ({ state: after }) => {
    expect(appData(after)).not.toHaveProperty('restoring-backup');
    expect(after.unitStatus).toEqual({
      level: 'blocked',
      message: 'the S3 repository has backups from another cluster',
    });
  },
  loosen: {
    differences: [
      {
        path: 'relations.0.localUnit.led-timeline',
        because: 'the notice that ends the restore does nothing else; the next one tells who leads',
      },
    ],
  },
});

for (const [name, events] of Object.entries(wakers)) {
  test(`whenever a restore is killed, ${name} takes it up or finds nothing touched`, async () => {
    const given = await withBackup();
    const { interruptions } = await run({ charm: underTest, state: given, event: restore });
    let resumed = 0;
    let untouched = 0;
    for (const { state: killed } of interruptions) {
      const woken = name === 'a new container' ? inNewContainer(killed) : killed;

      const reached = await afterEvents(woken, ...events);

      if (fileOf(killed, markFile) === undefined) {
        untouched += 1;
        expect(fileOf(reached, dataFile)).toBe('17\n');
        expect(appData(reached)).toMatchObject({ stanza });
      } else {
        resumed += 1;
        expectRestored(reached);
      }
    }

    expect(untouched).toBeGreaterThan(0);
    expect(resumed).toBeGreaterThan(5);
  });
}
