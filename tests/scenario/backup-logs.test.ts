// The logs that the charm keeps beside backups go with the backups.

import { expect } from '@jest/globals';

import { action } from '../support/scenario/events.ts';
import { backedUp, inWorld, stanza, underTest } from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import type { PgbackrestWorld } from '../support/scenario/postgresql/world.ts';
import { scenario } from '../support/scenario/scenario.ts';

const folder = `postgresql/backup/${stanza}/`;
const [older, newer] = ['20260120-120000F', '20260130-120000F'];

/** Of two full backups, of earlier ones that are gone, and of some that failed. */
const logs = [
  '2026-01-10T12:00:00Z',
  'failed-2026-01-11T12:00:00Z',
  '2026-01-20T12:00:00Z',
  'failed-2026-01-21T12:00:00Z',
  '2026-01-30T12:00:00Z',
  'failed-2026-01-31T11:00:00Z',
];
const others = 'postgresql/backup/other.patroni-app/failed-2025-01-11T12:00:00Z/backup.log';

function withLogs(
  labels: readonly string[],
  more: Partial<PgbackrestWorld> = {},
): () => Promise<PostgresqlState> {
  return async () => {
    const given = await backedUp();
    const { buckets } = given.world.objectStore;
    const texts = Object.fromEntries(logs.map((name) => [`${folder}${name}/backup.log`, '']));
    const backups = { ...buckets['backups'], ...texts, [others]: '' };
    return inWorld(given, {
      pgbackrest: { backups: labels.map((label) => ({ label, stanza })), ...more },
      objectStore: { buckets: { ...buckets, backups } },
    });
  };
}

function logsIn({ world }: PostgresqlState): readonly string[] {
  const keys = Object.keys(world.objectStore.buckets['backups'] ?? {});
  expect(keys).toContain(others);
  return keys.flatMap(
    (key) => /\/backup\/test-model.*\/([^/]+)\/backup\.log$/.exec(key)?.[1] ?? [],
  );
}

const anotherBackup = {
  secondRun: 'ordering a backup again makes another backup',
  killOutcome: {
    because: 'an interrupted backup may have been made, and is ordered again',
    check: (reached: PostgresqlState) => {
      expect(logsIn(reached)).toEqual(expect.arrayContaining(logs.slice(2)));
    },
  },
};

scenario('with a new backup those go that are older than the oldest full one', {
  charm: underTest,
  given: withLogs([older, newer]),
  when: action('create-backup', { type: 'full' }),
  then: ({ state }) => {
    expect(logsIn(state)).toEqual([...logs.slice(2), '2026-01-31T12:00:02Z']);
  },
  loosen: anotherBackup,
});

scenario('logs that cannot be removed are no reason to fail', {
  charm: underTest,
  given: withLogs([older, newer], { faults: { 'repo-rm': 'ERROR: [039]: HTTP 403' } }),
  when: action('create-backup', { type: 'full' }),
  then: ({ state, log, action: { failed } }) => {
    expect(failed).toBeUndefined();
    expect(logsIn(state)).toEqual([...logs, '2026-01-31T12:00:02Z']);
    expect(log.map(({ message }) => message)).toContain(
      'logs of backups that are gone stay: cannot run pgbackrest repo-rm: [039]: HTTP 403',
    );
  },
  loosen: anotherBackup,
});

scenario('with the oldest backup its log goes, and those of failures until the next one', {
  charm: underTest,
  given: withLogs([older, newer]),
  when: action('delete-backup', {
    'backup-id': '2026-01-20T12:00:00Z',
    dependents: false,
    force: false,
  }),
  then: ({ state, action: { failed } }) => {
    expect(failed).toBeUndefined();
    expect(logsIn(state)).toEqual(logs.slice(4));
  },
  loosen: {
    killOutcome: {
      because: 'the operator, who calls again, is told that it is gone',
      check: (reached) => {
        expect(logsIn(reached)).toEqual(expect.arrayContaining(logs.slice(4)));
      },
    },
  },
});

scenario('where no full backup is left, all logs stay', {
  charm: underTest,
  given: withLogs([newer]),
  when: action('delete-backup', {
    'backup-id': '2026-01-30T12:00:00Z',
    dependents: false,
    force: true,
  }),
  then: ({ state, action: { failed } }) => {
    expect(failed).toBeUndefined();
    expect(logsIn(state)).toEqual(logs);
  },
  loosen: {
    killOutcome: {
      because: 'the operator, who calls again, is told that it is gone',
      check: (reached) => {
        expect(logsIn(reached)).toEqual(logs);
      },
    },
  },
});
