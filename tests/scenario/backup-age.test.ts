// Which backup is the last one, how old it is, and who tells whom.

import { expect } from '@jest/globals';

import {
  action,
  configChanged,
  leaderElected,
  pebbleReady,
  relationBroken,
  relationChanged,
  updateStatus,
} from '../support/scenario/events.ts';
import { withBags } from '../support/scenario/postgresql/cluster-restore.ts';
import {
  after as afterEvents,
  backedUp,
  fileOf,
  inWorld,
  running,
  stanza,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import { type PostgresqlState, peer } from '../support/scenario/postgresql/postgresql.ts';
import {
  type Config,
  logged,
  metricsPath,
  missed,
  programs,
  runsOf,
  scheduled,
  seconds,
  wakeOf,
  withOptions,
} from '../support/scenario/postgresql/schedules.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { relationOf } from '../support/scenario/state.ts';

const old = async (config: Config, label?: string) => {
  const given = await backedUp();
  const backups = label === undefined ? [] : [{ label, stanza }];
  const before = inWorld(given, { pgbackrest: { stanzas: [stanza], backups } });
  return await afterEvents(withOptions(before, config), configChanged);
};

for (const { what, given, expected } of [
  {
    what: 'is told when it is older than two periods',
    given: async () => await old({ backup_schedule_full: '0 13 * * *' }, '20260129-111500F'),
    expected: 'Primary (last backup 48 h ago)',
  },
  {
    what: 'is not told before',
    given: async () => await old({ backup_schedule_full: '0 13 * * *' }, '20260129-130000F'),
    expected: 'Primary',
  },
  {
    what: 'is told when an option says so',
    given: async () => await old({ backup_age_warning_hours: 1 }, '20260131-105900F'),
    expected: 'Primary (last backup 1 h ago)',
  },
  {
    what: 'is not told when an option says so later',
    given: async () => await old({ backup_age_warning_hours: 2 }, '20260131-105900F'),
    expected: 'Primary',
  },
  {
    what: 'is not told without schedule and option',
    given: async () => await old({}, '20200101-000000F'),
    expected: 'Primary',
  },
  {
    what: 'that is missing is told',
    given: async () => await old({ backup_age_warning_hours: 1 }),
    expected: 'Primary (no backup yet)',
  },
  {
    what: 'is missing without storage',
    given: async () =>
      withOptions(await running({ leader: true }), { backup_age_warning_hours: 1 }),
    expected: 'Primary (no backup yet)',
  },
]) {
  scenario(`the last backup ${what}`, {
    charm: underTest,
    given,
    when: updateStatus,
    then: (result) => {
      expect(result.state.unitStatus.message).toBe(expected);
      expect(programs(result)).toEqual([]);
    },
  });
}

/** Nobody knows which one is the last, and the storage is away: pgBackRest waits for long. */
const unknown = async () => {
  const given = await scheduled({ backup_schedule_full: '0 13 * * *' }, { others: [1] });
  return inWorld(withBags(given, { app: { 'last-backup': '' } }), {
    pgbackrest: { faults: { info: 'ERROR: [039]: HTTP 503' } },
  });
};

for (const [what, event] of [
  ['leader-elected', leaderElected],
  ['relation-changed', relationChanged(peer({ units: [1] }), 'postgresql-k8s/1')],
  ['pebble-ready', pebbleReady('postgresql')],
] as const) {
  scenario(`${what} does not wait for the storage to learn which backup is the last one`, {
    charm: underTest,
    given: unknown,
    when: event,
    then: (result) => {
      expect(programs(result)).not.toContain('info');
      expect(wakeOf(result)).toBe('2026-01-31T13:00:00Z');
    },
  });
}

scenario('update-status asks which backup is the last one when all else is done', {
  charm: underTest,
  given: unknown,
  when: updateStatus,
  then: (result) => {
    const pebble = result.calls.filter(({ method }) => ['exec', 'push'].includes(method));
    expect(pebble.at(-1)?.summary).toContain('"info"');
    expect(logged(result)).toContain('WARNING cannot tell which backup is the last one');
  },
});

scenario('which backup is the last one is forgotten with the storage', {
  charm: underTest,
  given: async () => {
    const given = await old({ backup_age_warning_hours: 1 }, '20260101-000000F');
    const departed = given.relations.map((one) =>
      one.endpoint === 's3-parameters' ? { ...one, remoteUnits: {} } : one,
    );
    return { ...given, relations: departed };
  },
  when: (given) => relationBroken(relationOf(given, 's3-parameters')),
  then: (result) => {
    expect(relationOf(result.state, 'database-peers').localApp['last-backup']).toBeUndefined();
    expect(result.state.unitStatus.message).toBe('Primary (no backup yet)');
  },
});

scenario('explain tells what is planned, and what is missed', {
  charm: underTest,
  given: missed,
  when: action('explain'),
  then: ({ action: { results } }) => {
    expect(results['explanation']).toContain('\n  full: 9 10 * * *, next 2026-02-01T10:09:00Z\n');
    expect(results['explanation']).toMatch(
      /Make the full backup that was due 2026-01-31T10:09:00Z at 2026-01-31T10:\d\d:\d\dZ; so far it failed: Failed to backup/,
    );
  },
});

scenario('list-backups tells programs how old the last one is, and what was missed', {
  charm: underTest,
  given: async () =>
    inWorld(await missed(), {
      pgbackrest: { stanzas: [stanza], backups: [{ label: '20260130-120000F', stanza }] },
    }),
  when: action('list-backups'),
  then: ({ state, action: { results } }) => {
    expect(JSON.parse(results['backups-json'] ?? '')).toMatchObject({
      last_backup: { id: '2026-01-30T12:00:00Z', stop: '2026-01-30T12:00:10Z', age_s: 86_390 },
      schedule: [
        {
          type: 'full',
          cron: '9 10 * * *',
          next: '2026-02-01T10:09:00Z',
          due: '2026-01-31T10:09:00Z',
          missed: expect.stringContaining('no WAL'),
          delayed: null,
        },
      ],
    });
    expect(fileOf(state, metricsPath)).toContain('postgresql_backup_last_type{type="full"} 1\n');
  },
});

const told = JSON.stringify({
  seen: seconds('2026-01-31T11:30:00Z'),
  backup: {
    id: '2026-01-31T11:20:00Z',
    type: 'full',
    start: seconds('2026-01-31T11:20:00Z'),
    stop: seconds('2026-01-31T11:29:00Z'),
    size: 1000,
  },
});

/** A leader in whose cluster unit 1 has said which backup is the last one. */
async function withWord(given: PostgresqlState): Promise<PostgresqlState> {
  const relations = given.relations.map((one) =>
    one.endpoint === 'database-peers'
      ? { ...one, remoteUnits: { 'postgresql-k8s/1': { 'last-backup': told } } }
      : one,
  );
  return await Promise.resolve({ ...given, relations });
}

scenario('a backup that another unit has made makes up for the one that was missed', {
  charm: underTest,
  given: async () => await withWord(await missed({ others: [1] })),
  when: (given) => relationChanged(relationOf(given, 'database-peers'), 'postgresql-k8s/1'),
  then: (result) => {
    expect(relationOf(result.state, 'database-peers').localApp['last-backup']).toBe(told);
    expect(runsOf(result)).toEqual({
      full: { cron: '9 10 * * *', next: seconds('2026-02-01T10:09:00Z') },
    });
    expect(wakeOf(result)).toBe('2026-02-01T10:09:00Z');
    expect(fileOf(result.state, metricsPath)).toContain('_last_duration_seconds 540\n');
  },
});

scenario('a unit that does not lead tells the leader which backup is the last one', {
  charm: underTest,
  given: async () => ({ ...(await backedUp({ others: [1] })), leader: false }),
  when: action('create-backup'),
  then: ({ state }) => {
    const { localApp, localUnit } = relationOf(state, 'database-peers');
    expect(JSON.parse(localUnit['last-backup'] ?? '')).toMatchObject({
      backup: { id: '2026-01-31T12:00:00Z', type: 'full' },
    });
    expect(localApp['last-backup']).toBeUndefined();
  },
  loosen: {
    secondRun: 'ordering a backup again makes another backup',
    killChecks: 'an interrupted backup may have been made, and is ordered again',
  },
});
