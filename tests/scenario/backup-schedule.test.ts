// Backups by schedule: the leader says when it is to be woken, decides when it is, and tells what was
// missed.

import { expect, test } from '@jest/globals';

import { action, configChanged, leaderElected, updateStatus } from '../support/scenario/events.ts';
import {
  backedUp,
  fileOf,
  inContainer,
  inWorld,
  stanza,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import { runPgbackrest } from '../support/scenario/postgresql/pgbackrest.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import {
  due,
  duePath,
  eachTimeLater,
  labelsOf,
  logged,
  logLost,
  metricsPath,
  missed,
  overdue,
  programs,
  runsOf,
  scheduled,
  seconds,
  wakeOf,
  withOptions,
} from '../support/scenario/postgresql/schedules.ts';
import { run } from '../support/scenario/run.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { relationOf } from '../support/scenario/state.ts';

scenario('a schedule is taken over by the leader, who says when to wake it', {
  charm: underTest,
  given: async () =>
    withOptions(await backedUp(), {
      backup_schedule_full: '0 2 * * 0',
      backup_schedule_incremental: '30 * * * *',
    }),
  when: configChanged,
  then: (result) => {
    expect(wakeOf(result)).toBe('2026-01-31T12:30:00Z');
    expect(runsOf(result)).toEqual({
      full: { cron: '0 2 * * 0', next: seconds('2026-02-01T02:00:00Z') },
      incremental: { cron: '30 * * * *', next: seconds('2026-01-31T12:30:00Z') },
    });
    expect(labelsOf(result)).toEqual([]);
  },
});

scenario('a unit that does not lead has nothing to do with it', {
  charm: underTest,
  given: async () => ({
    ...withOptions(await backedUp(), { backup_schedule_full: '0 2 * * *' }),
    leader: false,
  }),
  when: configChanged,
  then: (result) => {
    expect([wakeOf(result), runsOf(result)]).toEqual([undefined, undefined]);
  },
});

scenario('a schedule that is none changes nothing, and says what is wrong', {
  charm: underTest,
  given: async () => withOptions(await overdue(), { backup_schedule_full: '0 25 * * *' }),
  when: configChanged,
  then: (result) => {
    expect(result.state.unitStatus.message).toBe(
      'Configuration Error: backup_schedule_full has to be empty or five fields of cron, as in ' +
        '"0 2 * * *", not "0 25 * * *": its hour is "25", which is not from 0 to 23',
    );
    expect(wakeOf(result)).toBe('2026-01-31T11:00:00Z');
  },
});

scenario('without schedules nothing is left of them', {
  charm: underTest,
  given: async () => withOptions(await overdue(), { backup_schedule_full: '' }),
  when: configChanged,
  then: (result) => {
    expect([wakeOf(result), runsOf(result)]).toEqual([undefined, undefined]);
  },
});

scenario('whoever is elected wakes itself from then on', {
  charm: underTest,
  given: async () => {
    const given = await overdue({ others: [1] });
    return inContainer(given, ({ files: { [duePath]: _file, ...files } }) => ({ files }));
  },
  when: leaderElected,
  then: (result) => {
    expect(wakeOf(result)).toBe('2026-01-31T11:00:00Z');
  },
});

scenario('a unit that no longer leads is woken no more', {
  charm: underTest,
  given: async () => ({ ...(await overdue()), leader: false }),
  when: due,
  then: (result) => {
    expect(wakeOf(result)).toBeUndefined();
    expect(programs(result)).toEqual([]);
  },
});

scenario('when the time has come the backup is made, and the next time written down', {
  charm: underTest,
  given: overdue,
  when: due,
  then: (result) => {
    expect(labelsOf(result)).toEqual(['20260131-120000F']);
    expect(wakeOf(result)).toBe('2026-02-01T11:00:00Z');
    expect(runsOf(result)).toEqual({
      full: { cron: '0 11 * * *', next: seconds('2026-02-01T11:00:00Z') },
    });
    expect(result.statusHistory).toEqual([
      { level: 'maintenance', message: 'creating backup' },
      { level: 'active', message: 'Primary' },
    ]);
    expect(logged(result)).toContain(
      'INFO 2026-01-31T12:00:00Z is the full backup of 2026-01-31T11:00:00Z',
    );
    expect(logged(result)).not.toContain('WARNING');
    expect(fileOf(result.state, metricsPath)).toContain(
      'postgresql_backup_last_success_timestamp_seconds 1769860810\n',
    );
    expect(result.state.containers['postgresql']?.files[metricsPath]).toMatchObject({
      mode: '0644',
    });
  },
  loosen: logLost,
});

scenario('woken too early the leader does nothing', {
  charm: underTest,
  given: async () => await scheduled({ backup_schedule_full: '0 13 * * *' }),
  when: due,
  then: (result) => {
    expect(programs(result)).toEqual([]);
    expect(wakeOf(result)).toBe('2026-01-31T13:00:00Z');
  },
});

scenario('of several that are due only the fullest is made', {
  charm: underTest,
  given: async () =>
    await scheduled({
      backup_schedule_incremental: '0 11 * * *',
      backup_schedule_differential: '30 11 * * *',
      backup_schedule_full: '0 11 * * 6',
    }),
  when: due,
  then: (result) => {
    expect(labelsOf(result)).toEqual(['20260131-120000F']);
    expect(wakeOf(result)).toBe('2026-02-01T11:00:00Z');
  },
  loosen: logLost,
});

scenario('without a full one before, pgBackRest makes that, which the log tells', {
  charm: underTest,
  given: async () => await scheduled({ backup_schedule_differential: '0 11 * * *' }),
  when: due,
  then: (result) => {
    expect(labelsOf(result)).toEqual(['20260131-120000F']);
    expect(logged(result)).toContain('full because there was no full one before');
    expect(wakeOf(result)).toBe('2026-02-01T11:00:00Z');
  },
  loosen: logLost,
});

scenario('a backup that somebody has made since is the one that was due', {
  charm: underTest,
  given: async () =>
    inWorld(await overdue(), {
      pgbackrest: { stanzas: [stanza], backups: [{ label: '20260131-113000F', stanza }] },
    }),
  when: due,
  then: (result) => {
    expect(labelsOf(result)).toEqual(['20260131-113000F']);
    expect(wakeOf(result)).toBe('2026-02-01T11:00:00Z');
  },
  loosen: logLost,
});

scenario('times that passed without a leader are told, and made up for once', {
  charm: underTest,
  given: async () => await scheduled({ backup_schedule_full: '*/30 * * * *' }),
  when: due,
  then: (result) => {
    expect(labelsOf(result)).toHaveLength(1);
    expect(logged(result)).toMatch(
      /WARNING backup missed: full due 2026-01-31T10:\d\d:00Z \(no leader was at work\)/,
    );
    expect(result.state.unitStatus.message).toBe('Primary');
  },
  loosen: logLost,
});

scenario('what came while a long backup was made is late for a reason, and not missed', {
  charm: underTest,
  given: async () =>
    inWorld(await scheduled({ backup_schedule_full: '*/30 * * * *' }), {
      // As long as it takes in this world, ten seconds.
      pgbackrest: { stanzas: [stanza], backups: [{ label: '20260131-102955F', stanza }] },
    }),
  when: due,
  then: (result) => {
    expect(labelsOf(result)).toHaveLength(2);
    expect(logged(result)).not.toContain('WARNING');
  },
  loosen: logLost,
});

scenario(
  'what pgBackRest says against it is shown until a backup succeeds, and it is tried again',
  {
    charm: underTest,
    given: async () =>
      inWorld(await overdue(), { pgbackrest: { faults: { backup: 'ERROR: [082]: no WAL' } } }),
    when: due,
    then: (result) => {
      const reason =
        'Failed to backup PostgreSQL with error: cannot run pgbackrest backup: [082]: no WAL';
      const missed = `backup missed: full due 2026-01-31T11:00:00Z (${reason})`;
      expect(logged(result)).toContain(`WARNING ${missed}`);
      expect(result.state.unitStatus).toEqual({ level: 'active', message: `Primary (${missed})` });
      expect(wakeOf(result)).toBe('2026-01-31T12:15:00Z');
      expect(fileOf(result.state, metricsPath)).toContain('postgresql_backup_failures_total 1\n');
    },
    loosen: eachTimeLater,
  },
);

scenario('what is refused is missed, too', {
  charm: underTest,
  given: async () => inWorld(await overdue(), { objectStore: { fault: 'forbidden' } }),
  when: due,
  then: (result) => {
    expect(result.state.unitStatus.message).toMatch(
      /^Primary \(backup missed: full due 2026-01-31T11:00:00Z \(Failed to upload metadata/,
    );
    expect(fileOf(result.state, metricsPath)).toContain('postgresql_backup_failures_total 1\n');
    expect(wakeOf(result)).toBe('2026-01-31T12:15:00Z');
  },
  loosen: eachTimeLater,
});

scenario('what was missed is forgotten when it has been made up for', {
  charm: underTest,
  given: missed,
  when: due,
  then: (result) => {
    expect(labelsOf(result)).toHaveLength(1);
    expect(result.state.unitStatus.message).toBe('Primary');
    expect(wakeOf(result)).toBe('2026-02-01T10:09:00Z');
  },
  loosen: logLost,
});

scenario('a backup that is ordered makes up for it as well', {
  charm: underTest,
  given: missed,
  when: action('create-backup', { type: 'full' }),
  then: (result) => {
    expect(result.state.unitStatus.message).toBe('Primary');
    expect(wakeOf(result)).toBe('2026-02-01T10:09:00Z');
  },
  loosen: {
    secondRun: 'ordering a backup again makes another backup',
    killOutcome: {
      because: 'an interrupted backup may have been made, and is ordered again',
      check: ({ world, unitStatus }) => {
        expect(world.pgbackrest.backups.length).toBeGreaterThan(0);
        expect(unitStatus.message).toBe('Primary');
      },
    },
  },
});

scenario('an incremental backup does not make up for a full one', {
  charm: underTest,
  given: async () =>
    inWorld(await missed(), {
      pgbackrest: { stanzas: [stanza], backups: [{ label: '20260130-120000F', stanza }] },
    }),
  when: action('create-backup', { type: 'incremental' }),
  then: (result) => {
    expect(labelsOf(result)).toHaveLength(2);
    expect(result.state.unitStatus.message).toContain('backup missed: full due');
  },
  loosen: {
    secondRun: 'ordering a backup again makes another backup',
    killChecks: 'an interrupted backup may have been made, and is ordered again',
  },
});

const withApp = (given: PostgresqlState, bag: Readonly<Record<string, string>>) => ({
  ...given,
  relations: given.relations.map((one) =>
    one.endpoint === 'database-peers' ? { ...one, localApp: { ...one.localApp, ...bag } } : one,
  ),
});

const waits: readonly {
  readonly what: string;
  readonly given: () => Promise<PostgresqlState>;
}[] = [
  {
    what: 'a backup is being made',
    given: async () => inWorld(await overdue(), { pgbackrest: { backupRuns: true } }),
  },
  {
    what: 'failover is paused',
    given: async () => {
      const given = await overdue();
      const config = { ...given.world.patroni.config, pause: true };
      return inWorld(given, { patroni: { config } });
    },
  },
  {
    what: 'a restore is under way',
    given: async () => withApp(await overdue(), { 'restoring-backup': '20260130-120000F' }),
  },
  {
    what: 'members are being restarted',
    given: async () => withApp(await overdue(), { 'restart-round': '{}' }),
  },
];

for (const { what, given } of waits) {
  scenario(`a scheduled backup waits while ${what}, and is not missed`, {
    charm: underTest,
    given,
    when: due,
    then: (result) => {
      expect(programs(result).filter((one) => one === 'backup')).toEqual([]);
      expect(runsOf(result)).toMatchObject({ full: { delayed: what } });
      expect(result.state.unitStatus.message).not.toContain('missed');
      // In the past: the watcher goes on waking.
      expect(wakeOf(result)).toBe('2026-01-31T11:00:00Z');
    },
  });
}

scenario('a leader whose database is down has missed it', {
  charm: underTest,
  given: async () =>
    inContainer(await overdue(), ({ services }) => ({
      services: { ...services, postgresql: { current: 'inactive' } },
    })),
  when: due,
  then: (result) => {
    expect(logged(result)).toContain('WARNING backup missed: full due 2026-01-31T11:00:00Z');
    expect(labelsOf(result)).toEqual([]);
  },
  loosen: eachTimeLater,
});

scenario('update-status wakes nobody, and restores what wakes', {
  charm: underTest,
  given: async () =>
    inContainer(await overdue(), ({ files: { [duePath]: _file, ...files } }) => ({ files })),
  when: updateStatus,
  then: (result) => {
    expect(labelsOf(result)).toEqual([]);
    expect(wakeOf(result)).toBe('2026-01-31T11:00:00Z');
  },
});

scenario('an update-status with a schedule that is not due runs no program', {
  charm: underTest,
  given: async () => await scheduled({ backup_schedule_full: '0 13 * * *' }),
  when: updateStatus,
  then: (result) => {
    expect(programs(result)).toEqual([]);
    expect(result.interruptions).toEqual([]);
  },
});

scenario('who does not lead any more when the backup is there leaves the rest to the leader', {
  charm: underTest,
  given: async () => ({ ...(await overdue({ others: [1] })), losesLead: true }),
  when: due,
  then: async (result) => {
    expect(labelsOf(result)).toEqual(['20260131-120000F']);
    expect(wakeOf(result)).toBeUndefined();
    const [before, after] = [await overdue({ others: [1] }), result.state].map((one) =>
      relationOf(one, 'database-peers'),
    );
    expect(after?.localApp).toEqual(before?.localApp);
    expect(after?.localUnit['last-backup']).toContain('2026-01-31T12:00:00Z');
  },
  loosen: {
    killOutcome: {
      because: 'whoever leads then makes it',
      check: (reached) => {
        expect(fileOf(reached, duePath)).toBeUndefined();
      },
    },
  },
});

test('what comes while an action runs for hours is not missed, and made afterwards', async () => {
  const given = await scheduled({ backup_schedule_full: '*/30 * * * *' });
  const verified = await run({
    charm: underTest,
    state: inWorld(given, { pgbackrest: { backups: [{ label: '20260131-095900F', stanza }] } }),
    startMs: Date.UTC(2026, 0, 31, 10, 20),
    event: action('verify-backups', { 'trial-restore': false }),
    execs: (host) => ({
      postgresql: [
        {
          command: ['nice', '-n', '19', 'pgbackrest'],
          respond: async (call, fake) => {
            await host.clock.sleep(7_200_000);
            return runPgbackrest(host, { ...call, command: call.command.slice(3) }, fake);
          },
        },
      ],
    }),
  });
  expect(verified.action.results).toHaveProperty('verified');
  expect(runsOf(verified)).toMatchObject({
    full: { delayed: 'the action verify-backups was running' },
  });

  const made = await run({
    charm: underTest,
    state: verified.state,
    event: due,
    startMs: verified.endMs,
  });

  expect(labelsOf(made)).toHaveLength(2);
  expect(logged(made)).not.toContain('WARNING');
  expect(made.state.unitStatus.message).toBe('Primary');
});
