// restore, along every edge of its flowchart. What follows it is in restored.test.ts.

import { expect } from '@jest/globals';

import { PebbleError } from '../../lib/pebble/errors.ts';
import type { Pebble } from '../../lib/pebble/pebble.ts';
import { charm } from '../../src/hooks.ts';
import { expectCompleteChart } from '../support/flowchart-record.ts';
import { action, updateStatus } from '../support/scenario/events.ts';
import {
  after as afterEvents,
  backupLabel,
  dataFile,
  fileOf,
  inContainer,
  inWorld,
  running,
  stanza,
  underTest,
  withBackup,
} from '../support/scenario/postgresql/journey.ts';
import { type PostgresqlState, postgresql } from '../support/scenario/postgresql/postgresql.ts';
import { type Scenario, scenario } from '../support/scenario/scenario.ts';
import { relationOf } from '../support/scenario/state.ts';

type Loosening = NonNullable<Scenario<unknown, PostgresqlState['world']>['loosen']>;

const label = backupLabel;
const id = '2026-01-30T12:00:00Z';
const restore = action('restore', { 'backup-id': id });
const mark = '/var/lib/postgresql/data/restore.json';

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
    expect(failed).toBe('A backup-id needs to be provided to be able to do restore');
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
    remove: async (path, options) => {
      if (!path.endsWith('/pgdata')) {
        await pebble.remove(path, options);
        return;
      }
      throw new PebbleError(`cannot remove ${path}: busy`, { code: 'api' });
    },
  })),
  given: withBackup,
  when: restore,
  then: ({ state: after, action: { failed } }) => {
    expect(failed).toBe(
      'Failed to remove contents of the data directory with error: cannot remove /var/lib/postgresql/data/pgdata: busy',
    );
    expect(serviceOf(after)).toBe('active');
    expect(restartsOf(after)).toBe('restart');
  },
  loosen: { secondRun: 'each attempt stops and starts the database' },
});

expectCompleteChart('restore');
