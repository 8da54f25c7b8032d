// What follows the restore action: its end, its failure, and one that was interrupted, which is taken
// up again whatever it was interrupted by.

import { expect, test } from '@jest/globals';

import { action, pebbleNotice, pebbleReady, updateStatus } from '../support/scenario/events.ts';
import {
  after as afterEvents,
  backupLabel,
  dataFile,
  fileOf,
  inContainer,
  inNewContainer,
  inWorld,
  passwords,
  stanza,
  underTest,
  withBackup,
} from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import { run } from '../support/scenario/run.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { relationOf } from '../support/scenario/state.ts';

const restore = action('restore', { 'backup-id': '2026-01-30T12:00:00Z' });
const started = pebbleNotice('postgresql', 'postgresql.charm/on-start');
const ready = pebbleReady('postgresql');

const markFile = '/var/lib/postgresql/data/restore.json';
const configFile = '/var/lib/postgresql/data/patroni.yml';
const appData = (given: PostgresqlState) => relationOf(given, 'database-peers').localApp;

const restoring = async () => await afterEvents(await withBackup(), restore);

/** PostgreSQL is still busy with the backup. */
const busy = (given: PostgresqlState) => {
  const name = 'postgresql-k8s-0';
  const state = 'running custom bootstrap script';
  return inWorld(given, { patroni: { members: [{ name, role: 'replica', state, timeline: 1 }] } });
};

/** Patroni has given up. */
const failed = (given: PostgresqlState) =>
  inContainer(given, ({ services }) => ({
    services: { ...services, postgresql: { current: 'error' } },
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
      message: expect.stringContaining(`backup ${backupLabel} has been restored`),
    });
  },
});

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

scenario('a restore that failed is the operator to look at, and nothing starts by itself', {
  charm: underTest,
  given: async () => failed(await restoring()),
  when: updateStatus,
  then: ({ state: after, disturbances }) => {
    expect(after.unitStatus).toEqual({ level: 'blocked', message: 'Failed to restore backup' });
    expect(after.containers['postgresql']?.services['postgresql']?.current).toBe('error');
    expect(disturbances).toEqual([]);
  },
});

scenario('after a restore that failed another can be ordered', {
  charm: underTest,
  given: async () => await afterEvents(failed(await restoring()), updateStatus),
  when: restore,
  then: ({ state: after, action: { results } }) => {
    expect(results).toEqual({ 'restore-status': 'restore started' });
    expect(after.unitStatus).toEqual({ level: 'maintenance', message: 'restoring backup' });
  },
  loosen: { secondRun: 'ordering a restore again restores again' },
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
});

const wakers = {
  'update-status': [updateStatus, updateStatus],
  'a notice': [started, started],
  'a new container': [ready, updateStatus],
} as const;

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
