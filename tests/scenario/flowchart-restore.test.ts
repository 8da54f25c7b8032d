// restore, along every edge of its flowchart. What follows it is in restored.test.ts.

import { expect } from '@jest/globals';

import { PebbleError } from '../../lib/pebble/errors.ts';
import type { Pebble } from '../../lib/pebble/pebble.ts';
import { charm } from '../../src/hooks.ts';
import { expectCompleteChart } from '../support/flowchart-record.ts';
import { fileEntry } from '../support/pebble-state.ts';
import { action, updateStatus } from '../support/scenario/events.ts';
import {
  after as afterEvents,
  backupLabel,
  dataFile,
  fileOf,
  inContainer,
  inWorld,
  remembering,
  running,
  stanza,
  underTest,
  withBackup,
  withTimelines,
} from '../support/scenario/postgresql/journey.ts';
import { type PostgresqlState, postgresql } from '../support/scenario/postgresql/postgresql.ts';
import { type Scenario, scenario } from '../support/scenario/scenario.ts';
import { relationOf } from '../support/scenario/state.ts';

type Loosening = NonNullable<Scenario<unknown, PostgresqlState['world']>['loosen']>;

const label = backupLabel;
const id = '2026-01-30T12:00:00Z';
const restore = action('restore', { 'backup-id': id });
const mark = '/var/lib/postgresql/data/restore.json';
const aside = '/var/lib/postgresql/data/pgdata-before-restore';

const again: Loosening = { secondRun: 'ordering a restore again restores again' };

/** Pebble in which one call fails. */
function failing(change: (pebble: Pebble) => Partial<Pebble>) {
  const whole = postgresql(charm);
  return {
    ...whole,
    ports: (host: Parameters<typeof whole.ports>[0]) => {
      const ports = whole.ports(host);
      return { ...ports, pebble: { ...ports.pebble, ...change(ports.pebble) } };
    },
  };
}

const patroniFile = (given: PostgresqlState) =>
  fileOf(given, '/var/lib/postgresql/data/patroni.yml');
const appData = (given: PostgresqlState) => relationOf(given, 'database-peers').localApp;
const serviceOf = (given: PostgresqlState) =>
  given.containers['postgresql']?.services['postgresql']?.current;

/** PostgreSQL runs, whatever Patroni does. */
const withServer = (given: PostgresqlState) =>
  inContainer(given, ({ files }) => ({
    files: { ...files, '/var/lib/postgresql/data/pgdata/postmaster.pid': fileEntry('42\n') },
  }));

function restartsOf({ containers }: PostgresqlState): string | undefined {
  const layers = containers['postgresql']?.layers ?? [];
  return layers.find((one) => one.label === 'postgresql')?.layer.services?.['postgresql']?.[
    'on-failure'
  ];
}

scenario('data is replaced by that of the backup, without waiting for it', {
  charm: underTest,
  given: withBackup,
  when: restore,
  then: ({ state: after, action: { results, failed }, disturbances }) => {
    expect(failed).toBeUndefined();
    expect(results).toEqual({ 'restore-status': 'restore started' });
    expect(disturbances).toEqual(['postgresql: stop postgresql']);
    expect(appData(after)).toMatchObject({ 'restoring-backup': label, 'restore-stanza': stanza });
    expect(fileOf(after, dataFile)).toBeUndefined();
    expect(patroniFile(after)).toContain(`--set=${label}`);
    expect(restartsOf(after)).toBe('ignore');
    expect(serviceOf(after)).toBe('active');
    expect(after.unitStatus).toEqual({ level: 'maintenance', message: 'restoring backup' });
  },
  loosen: again,
});

scenario('without a backup-id there is nothing to restore', {
  charm: underTest,
  given: withBackup,
  when: action('restore'),
  then: ({ action: { failed } }) => {
    expect(failed).toBe(
      'Either backup-id or restore-to-time parameters need to be provided to be able to do restore',
    );
  },
});

scenario('a container that cannot be reached restores nothing', {
  charm: underTest,
  given: async () => inContainer(await withBackup(), () => ({ canConnect: false })),
  when: restore,
  then: ({ action: { failed } }) => {
    expect(failed).toBe('Workload container not ready yet!');
  },
});

scenario('a Blocked unit restores nothing', {
  charm: underTest,
  given: async () =>
    await afterEvents({ ...(await withBackup()), config: { profile: 'huge' } }, updateStatus),
  when: restore,
  then: ({ action: { failed } }) => {
    expect(failed).toBe('Cluster or unit is in a blocking state');
  },
});

scenario('a unit that only its repository blocks can be restored from it', {
  charm: underTest,
  given: async () => {
    const given = await withBackup();
    const message = 'the S3 repository has backups from another cluster';
    return { ...given, unitStatus: { level: 'blocked', message } };
  },
  when: restore,
  then: ({ action: { results } }) => {
    expect(results).toEqual({ 'restore-status': 'restore started' });
  },
  loosen: again,
});

scenario('several units have to be one before a restore', {
  charm: underTest,
  given: async () => await running({ leader: true, others: [1] }),
  when: restore,
  then: ({ action: { failed } }) => {
    expect(failed).toBe(
      'Unit cannot restore backup as there are more than one unit in the cluster',
    );
  },
});

scenario('a unit that is about to get company restores nothing', {
  charm: underTest,
  given: async () => ({ ...(await withBackup()), plannedUnits: 2 }),
  when: restore,
  then: ({ action: { failed } }) => {
    expect(failed).toBe(
      'Unit cannot restore backup as there are more than one unit in the cluster',
    );
  },
});

scenario('a unit that does not lead yet restores nothing', {
  charm: underTest,
  given: async () => ({ ...(await withBackup()), leader: false }),
  when: restore,
  then: ({ action: { failed } }) => {
    expect(failed).toBe('Unit cannot restore backup as it was not elected the leader unit yet');
  },
});

scenario('a backup-id that is in no list is refused', {
  charm: underTest,
  given: withBackup,
  when: action('restore', { 'backup-id': '2020-02-02T20:20:02Z' }),
  then: ({ action: { failed } }) => {
    expect(failed).toBe('Invalid backup-id: 2020-02-02T20:20:02Z');
  },
});

scenario('a backup that failed is not restored', {
  charm: underTest,
  given: async () =>
    inWorld(await withBackup(), { pgbackrest: { backups: [{ label, stanza, failed: true }] } }),
  when: restore,
  then: ({ action: { failed } }) => {
    expect(failed).toBe(`Invalid backup-id: ${id}`);
  },
});

scenario('a repository that cannot be listed has no valid backup', {
  charm: underTest,
  given: async () =>
    inWorld(await withBackup(), { pgbackrest: { faults: { info: 'ERROR: [032]: no key' } } }),
  when: restore,
  then: ({ action: { failed } }) => {
    expect(failed).toBe(
      'Failed to list PostgreSQL backups with error: cannot run pgbackrest info: [032]: no key',
    );
  },
});

scenario('the backup of another cluster is restored from its own stanza', {
  charm: underTest,
  given: async () =>
    inWorld(await withBackup(), {
      pgbackrest: { stanzas: [stanza, 'old.db'], backups: [{ label, stanza: 'old.db' }] },
    }),
  when: restore,
  then: ({ state: after }) => {
    expect(appData(after)).toMatchObject({ 'restore-stanza': 'old.db' });
    expect(patroniFile(after)).toContain('--stanza=old.db');
  },
  loosen: again,
});

scenario('a database that does not stop is left as it is', {
  charm: failing(() => ({
    stop: async () => {
      await Promise.resolve();
      throw new PebbleError('cannot stop "postgresql": timeout', { code: 'change-failed' });
    },
  })),
  given: withBackup,
  when: restore,
  then: ({ state: after, action: { failed } }) => {
    expect(failed).toBe(
      'Failed to stop database service with error: cannot stop "postgresql": timeout',
    );
    expect(fileOf(after, dataFile)).toBe('17\n');
    expect(fileOf(after, mark)).toBeUndefined();
    expect(restartsOf(after)).toBe('restart');
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

scenario('a cluster that cannot be forgotten starts again', {
  charm: underTest,
  given: async () =>
    inWorld(await withBackup(), { kube: { faults: { 'delete endpoints': 'api' } } }),
  when: restore,
  then: ({ state: after, action: { failed } }) => {
    expect(failed).toBe(
      'Failed to remove previous cluster information with error: cannot delete endpoints: api',
    );
    expect(fileOf(after, dataFile)).toBe('17\n');
    expect(serviceOf(after)).toBe('active');
    expect(restartsOf(after)).toBe('restart');
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
  loosen: { secondRun: 'each attempt stops and starts the database' },
});

scenario('a data directory that cannot be emptied starts again', {
  charm: failing((pebble) => ({
    exec: async (command, options) =>
      command[0] === 'mv'
        ? await Promise.resolve({ exitCode: 1, stdout: '', stderr: 'mv: busy\n' })
        : await pebble.exec(command, options),
  })),
  given: withBackup,
  when: restore,
  then: ({ state: after, action: { failed } }) => {
    expect(failed).toBe(
      'Failed to remove contents of the data directory with error: cannot move "/var/lib/postgresql/data/pgdata": mv: busy',
    );
    expect(fileOf(after, dataFile)).toBe('17\n');
    expect(fileOf(after, mark)).toBeUndefined();
    expect(serviceOf(after)).toBe('active');
    expect(restartsOf(after)).toBe('restart');
  },
  loosen: { secondRun: 'each attempt stops and starts the database' },
});

scenario('the data of before stand aside, and what Patroni remembered of them', {
  charm: underTest,
  given: async () => remembering(await withBackup()),
  when: restore,
  then: ({ state: after, action: { log } }) => {
    expect(fileOf(after, `${aside}/PG_VERSION`)).toBe('17\n');
    expect(after.world.kube.objects).not.toHaveProperty('endpoints/patroni-postgresql-k8s');
    expect(JSON.parse(fileOf(after, mark) ?? '')).toMatchObject({
      phase: 'started',
      label,
      old: 'aside',
      saved: [
        {
          name: 'patroni-postgresql-k8s',
          annotations: { leader: 'postgresql-k8s-0' },
          labels: { application: 'patroni' },
        },
        {
          name: 'patroni-postgresql-k8s-config',
          annotations: { initialize: '7588888888888888888' },
        },
      ],
    });
    expect(log).toEqual([]);
  },
  loosen: again,
});

const gigabyte = 2 ** 30;

scenario('without room for both the data of before go first, and the operator is told', {
  charm: underTest,
  given: async () =>
    inWorld(await withBackup(), { volume: { freeBytes: 100_000_000, usedBytes: gigabyte } }),
  when: restore,
  then: ({ state: after, action: { log } }) => {
    expect(fileOf(after, `${aside}/PG_VERSION`)).toBeUndefined();
    expect(fileOf(after, dataFile)).toBeUndefined();
    expect(log).toEqual([
      'there is no room for both: the data of now go before those of the backup come',
    ]);
  },
  loosen: {
    ...again,
    differences: [
      { path: 'world.volume', because: 'the volume of the kit does not get free when files go' },
    ],
  },
});

scenario('old data of which half may be gone are not started again', {
  charm: failing((pebble) => ({
    exec: async (command, options) =>
      command[0] === 'rm'
        ? await Promise.resolve({ exitCode: 1, stdout: '', stderr: 'rm: busy\n' })
        : await pebble.exec(command, options),
  })),
  given: async () =>
    inWorld(await withBackup(), { volume: { freeBytes: 100_000_000, usedBytes: gigabyte } }),
  when: restore,
  then: ({ state: after, action: { failed } }) => {
    expect(failed).toBe(
      'Failed to remove contents of the data directory with error: cannot remove ' +
        '"/var/lib/postgresql/data/pgdata-discarded": rm: busy; it is tried again',
    );
    expect(serviceOf(after)).toBe('inactive');
    expect(JSON.parse(fileOf(after, mark) ?? '')).toMatchObject({ phase: 'stopped' });
  },
  loosen: { secondRun: 'a restore that is under way is not ordered again' },
});

scenario('without room for the backup nothing is touched', {
  charm: underTest,
  given: async () => inWorld(await withBackup(), { volume: { freeBytes: 1000, usedBytes: 2000 } }),
  when: restore,
  then: ({ state: after, action: { failed }, disturbances }) => {
    expect(failed).toBe(
      'There is no room on the volume: the backup has 29 MiB, 0 MiB are free, and 0 MiB would be ' +
        'once the data of now are gone: enlarge the volume',
    );
    expect(disturbances).toEqual([]);
    expect(fileOf(after, dataFile)).toBe('17\n');
  },
});

scenario('data of before that stand aside already are not written over', {
  charm: underTest,
  given: async () =>
    inContainer(await withBackup(), ({ files }) => ({
      files: { ...files, [`${aside}/PG_VERSION`]: fileEntry('17\n') },
    })),
  when: restore,
  then: ({ state: after, action: { failed } }) => {
    expect(failed).toBe(`"${aside}" is in the way: look at what it is, and remove it`);
    expect(fileOf(after, dataFile)).toBe('17\n');
  },
});

scenario('keys that may not write are found before anything is touched', {
  charm: underTest,
  given: async () => inWorld(await withBackup(), { objectStore: { fault: 'forbidden' } }),
  when: restore,
  then: ({ state: after, action: { failed }, disturbances }) => {
    expect(failed).toMatch(/^Nothing can be written to the repository: /);
    expect(disturbances).toEqual([]);
    expect(fileOf(after, dataFile)).toBe('17\n');
  },
});

scenario('in a pause nothing is restored: what came back would stay down', {
  charm: underTest,
  given: async () => {
    const given = await withBackup();
    const config = { ...given.world.patroni.config, pause: true };
    return inWorld(given, { patroni: { config } });
  },
  when: restore,
  then: ({ state: after, action: { failed }, disturbances }) => {
    expect(failed).toBe('failover is paused: resume-failover first');
    expect(disturbances).toEqual([]);
    expect(fileOf(after, mark)).toBeUndefined();
  },
});

scenario('a PostgreSQL that outlives Patroni is stopped before its data are moved', {
  charm: underTest,
  given: async () => withServer(await withBackup()),
  when: restore,
  then: ({ state: after, execs }) => {
    expect(execs['postgresql']?.map(({ command }) => command.slice(3, 4)[0])).toContain('stop');
    expect(fileOf(after, `${aside}/PG_VERSION`)).toBe('17\n');
    expect(fileOf(after, `${aside}/postmaster.pid`)).toBeUndefined();
  },
  loosen: again,
});

scenario('a PostgreSQL that does not end keeps its data', {
  charm: underTest,
  given: async () => inWorld(withServer(await withBackup()), { volume: { hangs: true } }),
  when: restore,
  then: ({ state: after, action: { failed } }) => {
    expect(failed).toBe('Failed to stop database service with error: PostgreSQL does not end');
    expect(fileOf(after, dataFile)).toBe('17\n');
    expect(serviceOf(after)).toBe('active');
  },
  loosen: { secondRun: 'each attempt stops and starts the database' },
});

const toTime = (time: string, more: Readonly<Record<string, unknown>> = {}) =>
  action('restore', { 'restore-to-time': time, ...more });

scenario('a time is reached along the timeline of the backup before it', {
  charm: underTest,
  given: withTimelines,
  when: toTime('2026-01-30 14:30:00.5+02'),
  then: ({ state: after }) => {
    expect(patroniFile(after)).toContain(
      `--set=${label} --type=time "--target=2026-01-30 12:30:00.500000+00" --target-timeline=1`,
    );
    expect(appData(after)).toMatchObject({
      'restoring-backup': label,
      'restore-stanza': stanza,
      'restore-timeline': '1',
      'restore-to-time': '2026-01-30 12:30:00.500000+00',
    });
  },
  loosen: again,
});

scenario('the end of a timeline is reached from a backup of the one before', {
  charm: underTest,
  given: withTimelines,
  when: toTime('latest', { 'backup-id': '2026-01-30T13:00:00Z' }),
  then: ({ state: after }) => {
    expect(patroniFile(after)).toContain(
      `--set=${label} --type=default --target-timeline=2 restore`,
    );
    expect(appData(after)).toMatchObject({ 'restore-to-time': 'latest', 'restore-timeline': '2' });
  },
  loosen: again,
});

const refusals: readonly (readonly [Readonly<Record<string, unknown>>, string])[] = [
  [{ 'restore-to-time': 'yesterday' }, 'Bad restore-to-time format'],
  [{ 'restore-to-time': '2026-02-30 12:00:00' }, 'Bad restore-to-time format'],
  [
    { 'backup-id': '2026-01-30T13:00:00Z' },
    'Cannot restore to the timeline without restore-to-time parameter',
  ],
  [{ 'restore-to-time': 'latest' }, 'There is no base backup created from the latest timeline'],
  [
    { 'restore-to-time': '2026-01-30 11:00:00' },
    "Can't find the nearest timeline before timestamp 2026-01-30 11:00:00 to restore",
  ],
  [
    { 'backup-id': id, 'restore-to-time': '2026-01-30 12:00:05' },
    `The backup ${id} ends at 2026-01-30 12:00:10 UTC, after 2026-01-30 12:00:05`,
  ],
  [
    { 'restore-to-time': '2026-01-30 18:00:00' },
    'WAL of timeline 2 was archived until 2026-01-30 14:00:00 UTC, which is before 2026-01-30 18:00:00',
  ],
];

for (const [params, message] of refusals) {
  scenario(`nothing is touched: ${message}`, {
    charm: underTest,
    given: withTimelines,
    when: action('restore', params),
    then: ({ state: after, action: { failed }, disturbances }) => {
      expect(failed).toBe(message);
      expect(disturbances).toEqual([]);
      expect(fileOf(after, dataFile)).toBe('17\n');
    },
  });
}

scenario(
  'a cluster of several units is restored when all take part: the others are asked to stop',
  {
    charm: underTest,
    given: async () => await withBackup({ others: [1, 2] }),
    when: action('restore', { 'backup-id': id, 'all-units': true }),
    then: ({ state: after, action: { results }, disturbances }) => {
      expect(results).toEqual({ 'restore-status': 'restore started' });
      expect(disturbances).toEqual([]);
      expect(JSON.parse(appData(after)['restore-request'] ?? '')).toEqual({
        id: expect.stringMatching(/^[0-9a-z]+$/),
        unit: 'postgresql-k8s/0',
        phase: 'stop',
        target: { label, stanza, timeline: 1, systemId: '7588888888888888888' },
      });
      expect(after.unitStatus).toEqual({
        level: 'maintenance',
        message: 'the restore waits until postgresql-k8s/1, postgresql-k8s/2 stop',
      });
    },
    loosen: { secondRun: 'ordering a restore that is under way fails' },
  },
);

scenario('a restore that is under way is not ordered again', {
  charm: underTest,
  given: async () => await afterEvents(await withBackup(), restore),
  when: restore,
  then: ({ action: { failed } }) => {
    expect(failed).toBe('A restore is under way; cancel-restore ends it');
  },
  loosen: { killChecks: 'nothing happens that could be interrupted, and the restore goes on' },
});

expectCompleteChart('restore');
