// Options that only the database or the image can judge: what nobody has found to be good is not
// used, and what is good is not asked about again.

import { expect } from '@jest/globals';

import { directoryEntry, fileEntry } from '../support/pebble-state.ts';
import {
  configChanged,
  leaderElected,
  pebbleReady,
  relationChanged,
  updateStatus,
} from '../support/scenario/events.ts';
import {
  admitted,
  after as afterEvents,
  fileOf,
  inContainer,
  inNewContainer,
  inWorld,
  primary,
  replica,
  running,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import {
  state as newUnit,
  type PostgresqlState,
} from '../support/scenario/postgresql/postgresql.ts';
import type { PostgresWorld } from '../support/scenario/postgresql/world.ts';
import type { RunResult } from '../support/scenario/run.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { relationOf } from '../support/scenario/state.ts';

type Result = RunResult<PostgresqlState['world']>;

const accepted = { 'time-zone': ['Europe/Prague'], roles: ['readers'] };
const zone = { request_time_zone: 'Europe/Prague' };
const wrongZone = { request_time_zone: 'Mars/Crater' };
const active = { level: 'active', message: 'Primary' };
const invalid = (option: string) => ({
  level: 'blocked',
  message: `Configuration Error: ${option} config option has an invalid value`,
});
const noLocale = {
  level: 'blocked',
  message:
    'Configuration Error: Value for response_lc_time not one of the locales available in the system',
};

async function given(
  config: PostgresqlState['config'],
  postgres: Partial<PostgresWorld> = {},
): Promise<PostgresqlState> {
  return inWorld(
    { ...(await running({ leader: true })), config },
    { postgres: { accepted, ...postgres } },
  );
}

const zoneOf = (state: PostgresqlState) =>
  /TimeZone: (.*)/.exec(fileOf(state, '/var/lib/postgresql/data/patroni.yml') ?? '')?.[1];
const judgedOf = ({ calls }: Result) =>
  calls.filter(({ method }) => method === 'accepts').map(({ summary }) => summary);
const execsOf = ({ execs }: Result) =>
  (execs['postgresql'] ?? []).map(({ command }) => command.join(' '));

scenario('a time zone that the database has is used', {
  charm: underTest,
  given: async () => await given(zone),
  when: configChanged,
  then: (result) => {
    expect(zoneOf(result.state)).toBe('Europe/Prague');
    expect(judgedOf(result)).toHaveLength(1);
    expect(result.state.unitStatus).toEqual(active);
  },
});

scenario('one that it does not have changes nothing', {
  charm: underTest,
  given: async () => await given({ ...wrongZone, profile: 'testing' }),
  when: configChanged,
  then: ({ state, disturbances }) => {
    expect(zoneOf(state)).toBe('UTC');
    expect(fileOf(state, '/var/lib/postgresql/data/patroni.yml')).toContain('shared_buffers');
    expect(disturbances).toEqual([]);
    expect(state.unitStatus).toEqual(invalid('request_time_zone'));
  },
});

scenario('what is wrong by itself and what the database refuses are told at once', {
  charm: underTest,
  given: async () => await given({ ...wrongZone, profile: 'huge' }),
  when: configChanged,
  then: ({ state, log }) => {
    const errors = log.filter(({ level }) => level === 'ERROR').map(({ message }) => message);

    expect(errors.join('\n')).toContain('request_time_zone');
    expect(errors.join('\n')).toContain('profile');
    expect(state.unitStatus.message).toMatch(/^Configuration Error: profile .*1 more/);
  },
});

scenario('what was good is not asked about again', {
  charm: underTest,
  given: async () =>
    await afterEvents(await given({ ...zone, response_lc_time: 'en_US.UTF-8' }), configChanged),
  when: configChanged,
  then: (result) => {
    expect(judgedOf(result)).toEqual([]);
    expect(execsOf(result)).toEqual([]);
    expect(zoneOf(result.state)).toBe('Europe/Prague');
  },
});

scenario('a quiet update-status asks nobody', {
  charm: underTest,
  given: async () => await afterEvents(await given(zone), configChanged),
  when: updateStatus,
  then: (result) => {
    expect(result.calls.filter(({ port }) => port === 'postgres')).toEqual([]);
    expect(execsOf(result)).toEqual([]);
    expect(result.interruptions).toEqual([]);
    expect(result.state.unitStatus).toEqual(active);
  },
});

scenario('the last good value stays in force when the next one is wrong', {
  charm: underTest,
  given: async () => ({
    ...(await afterEvents(await given(zone), configChanged)),
    config: wrongZone,
  }),
  when: configChanged,
  then: ({ state }) => {
    expect(zoneOf(state)).toBe('Europe/Prague');
    expect(state.unitStatus).toEqual(invalid('request_time_zone'));
  },
});

scenario('going back to what was good is enough', {
  charm: underTest,
  given: async () => {
    const wrong = { ...(await afterEvents(await given(zone), configChanged)), config: wrongZone };
    return { ...(await afterEvents(wrong, configChanged)), config: zone };
  },
  when: configChanged,
  then: ({ state }) => {
    expect(zoneOf(state)).toBe('Europe/Prague');
    expect(state.unitStatus).toEqual(active);
  },
});

scenario('back at its default a value is forgotten', {
  charm: underTest,
  given: async () => ({ ...(await afterEvents(await given(zone), configChanged)), config: {} }),
  when: configChanged,
  then: ({ state }) => {
    expect(zoneOf(state)).toBe('UTC');
    expect(Object.keys(state.controllerState)).not.toContain('option-verdicts');
  },
});

scenario('groups that are created later are noticed', {
  charm: underTest,
  given: async () =>
    inWorld(
      await afterEvents(
        await given({ ldap_map: 'staff=readers,ops=writers', ...zone }),
        configChanged,
      ),
      { postgres: { accepted: { ...accepted, roles: ['readers', 'writers'] } } },
    ),
  when: updateStatus,
  then: (result) => {
    expect(zoneOf(result.state)).toBe('Europe/Prague');
    expect(result.state.unitStatus).toEqual(active);
  },
});

scenario('groups that do not exist are refused', {
  charm: underTest,
  given: async () => await given({ ldap_map: 'staff=readers,ops=writers' }),
  when: configChanged,
  then: ({ state }) => {
    expect(state.unitStatus).toEqual(invalid('ldap_map'));
  },
});

const errorsOf = ({ log }: Result) =>
  log.filter(({ level }) => level === 'ERROR').flatMap(({ message }) => message.split('\n'));

scenario('an option that is wrong in form is named once, and the database is not asked', {
  charm: underTest,
  given: async () => await given({ ldap_map: 'readers' }),
  when: configChanged,
  then: (result) => {
    const problem =
      'ldap_map has to be pairs of an LDAP group and a PostgreSQL group, ' +
      'as in ldap=pg,ldap=pg, not "readers"';
    expect(errorsOf(result)).toEqual([`invalid configuration: ${problem}`]);
    expect(result.state.unitStatus.message).toBe(`Configuration Error: ${problem}`);
    expect(judgedOf(result)).toEqual([]);
  },
});

scenario('options of both kinds are named, each once', {
  charm: underTest,
  given: async () => await given({ ldap_map: 'readers', ...wrongZone, response_lc_time: 'xx_XX' }),
  when: configChanged,
  then: (result) => {
    expect(errorsOf(result).map((line) => line.replace(/, not .*/, ''))).toEqual([
      'invalid configuration: ldap_map has to be pairs of an LDAP group and a PostgreSQL group, ' +
        'as in ldap=pg,ldap=pg',
      'invalid configuration: request_time_zone config option has an invalid value',
      'invalid configuration: Value for response_lc_time not one of the locales available in the system',
    ]);
  },
});

scenario('a locale that the image lacks is refused before there is a database', {
  charm: underTest,
  given: async () => ({
    ...(await afterEvents(newUnit({ leader: true }), leaderElected)),
    config: { response_lc_time: 'xx_XX' },
  }),
  when: pebbleReady('postgresql'),
  then: ({ state }) => {
    expect(fileOf(state, '/var/lib/postgresql/data/patroni.yml')).toBeUndefined();
    expect(state.unitStatus).toEqual(noLocale);
  },
});

const noLocaleProgram = () => ({
  postgresql: [
    { command: ['locale', '-a'], respond: () => ({ exitCode: 127, stderr: 'locale: not found' }) },
  ],
});

scenario('where the image cannot tell its locales, the usual one stays in force', {
  charm: underTest,
  given: async () => await given({ response_lc_time: 'en_US.utf8' }),
  when: configChanged,
  execs: noLocaleProgram,
  then: ({ state, log }) => {
    expect(fileOf(state, '/var/lib/postgresql/data/patroni.yml')).toContain('lc_time: C\n');
    expect(log.filter(({ level }) => level === 'WARNING')).not.toEqual([]);
    expect(state.unitStatus).toEqual(active);
  },
});

scenario('while the container cannot be reached nothing is asked', {
  charm: underTest,
  given: inContainer(
    { ...admitted({ leader: true }), config: { response_lc_time: 'xx_XX' } },
    () => ({ canConnect: false }),
  ),
  when: configChanged,
  then: ({ state }) => {
    expect(Object.keys(state.controllerState)).not.toContain('option-verdicts');
    expect(state.unitStatus.message).toBe('waiting for the workload container');
  },
});

const gone: Partial<PostgresWorld> = { fault: 'unreachable' };

scenario('while the database cannot be asked the other settings are taken over', {
  charm: underTest,
  given: async () => await given({ ...zone, profile: 'testing' }, gone),
  when: configChanged,
  then: ({ state }) => {
    expect(zoneOf(state)).toBe('UTC');
    expect(fileOf(state, '/var/lib/postgresql/data/patroni.yml')).not.toContain('shared_buffers');
  },
});

scenario('what could not be asked is asked by the next update-status', {
  charm: underTest,
  given: async () => {
    const asked = await afterEvents(await given(zone, gone), configChanged);
    const { fault: _fault, ...postgres } = asked.world.postgres;
    return { ...asked, world: { ...asked.world, postgres } };
  },
  when: updateStatus,
  then: (result) => {
    expect(zoneOf(result.state)).toBe('Europe/Prague');
    expect(result.state.unitStatus).toEqual(active);
  },
});

scenario('a connection that breaks while it is asked counts as no answer', {
  charm: underTest,
  given: async () => await given(zone, { faults: { accepts: 'unreachable' } }),
  when: configChanged,
  then: ({ state }) => {
    expect(zoneOf(state)).toBe('UTC');
    expect(state.unitStatus).toEqual(active);
  },
});

scenario('a new cluster uses a time zone as soon as its own database knows it', {
  charm: underTest,
  given: async () => ({
    ...(await afterEvents(
      admitted({ leader: true, world: { postgres: { accepted } } }),
      leaderElected,
    )),
    config: zone,
  }),
  when: pebbleReady('postgresql'),
  then: (result) => {
    expect(zoneOf(result.state)).toBe('Europe/Prague');
    expect(result.state.unitStatus).toEqual(active);
  },
});

scenario('a new member asks the primary before its own start', {
  charm: underTest,
  given: {
    ...admitted({
      number: 1,
      others: [0],
      primary: 0,
      world: {
        patroni: { members: [primary(0), replica(1)], starts: 'starting' },
        postgres: { accepted },
      },
    }),
    config: zone,
  },
  when: pebbleReady('postgresql'),
  then: (result) => {
    expect(judgedOf(result)).toHaveLength(1);
    expect(zoneOf(result.state)).toBe('Europe/Prague');
  },
});

scenario('a replica asks its own database', {
  charm: underTest,
  given: async () =>
    inWorld(
      { ...(await running({ number: 1, others: [0], primary: 0 })), config: zone },
      { patroni: { primaryService: 'timeout' }, postgres: { accepted } },
    ),
  when: (state) => relationChanged(relationOf(state, 'database-peers')),
  then: ({ state }) => {
    expect(zoneOf(state)).toBe('Europe/Prague');
  },
});

const list = '/opt/charm/known-parameters';
const leftOut = {
  level: 'INFO',
  message: expect.stringContaining('PostgreSQL 17.4 does not have old_snapshot_threshold'),
};

scenario('parameters that the server does not have are left out, and told with its version', {
  charm: underTest,
  given: admitted({ leader: true }),
  when: pebbleReady('postgresql'),
  then: (result) => {
    const file = fileOf(result.state, '/var/lib/postgresql/data/patroni.yml') ?? '';

    expect(file).toContain('track_activity_query_size');
    expect(file).toContain('pg_stat_statements.track:');
    expect(file).toContain('pgaudit.log: ROLE,DDL,MISC,MISC_SET');
    expect(file).not.toContain('old_snapshot_threshold');
    expect(result.log).toContainEqual(leftOut);
    expect(execsOf(result).filter((one) => one.includes('--describe-config'))).toHaveLength(1);
  },
});

scenario('the same image is not asked twice', {
  charm: underTest,
  given: async () => await given({ profile: 'testing' }),
  when: configChanged,
  then: (result) => {
    expect(execsOf(result)).toEqual([]);
    expect(result.log).not.toContainEqual(leftOut);
  },
});

const threshold = (value: number) => ({
  level: 'WARNING',
  message: `PostgreSQL 17.4 has nothing that is set by storage_old_snapshot_threshold=${value}`,
});

scenario('an option that has no effect is named when it is set', {
  charm: underTest,
  given: async () => await given({ storage_old_snapshot_threshold: 60 }),
  when: configChanged,
  then: ({ log }) => {
    expect(log).toContainEqual(threshold(60));
  },
});

scenario('and not again', {
  charm: underTest,
  given: async () =>
    await afterEvents(await given({ storage_old_snapshot_threshold: 60 }), configChanged),
  when: configChanged,
  then: ({ log }) => {
    expect(log).not.toContainEqual(threshold(60));
  },
});

scenario('but when it gets another value', {
  charm: underTest,
  given: async () => ({
    ...(await afterEvents(await given({ storage_old_snapshot_threshold: 60 }), configChanged)),
    config: { storage_old_snapshot_threshold: 90 },
  }),
  when: configChanged,
  then: ({ log }) => {
    expect(log).toContainEqual(threshold(90));
  },
});

scenario('or when it had none in between', {
  charm: underTest,
  given: async () => {
    const set = await afterEvents(
      await given({ storage_old_snapshot_threshold: 60 }),
      configChanged,
    );
    const unset = await afterEvents({ ...set, config: {} }, configChanged);
    return { ...unset, config: { storage_old_snapshot_threshold: 60 } };
  },
  when: configChanged,
  then: ({ log }) => {
    expect(log).toContainEqual(threshold(60));
  },
});

scenario('another image is', {
  charm: underTest,
  given: async () => inNewContainer(await running({ leader: true })),
  when: pebbleReady('postgresql'),
  then: (result) => {
    expect(execsOf(result).filter((one) => one.includes('--describe-config'))).toHaveLength(1);
    expect(fileOf(result.state, list)).toContain('17.4\n');
  },
});

const config = '/var/lib/postgresql/data/patroni.yml';
const english = { response_lc_time: 'en_US.UTF-8', ...zone };

/** A unit with values that its image had, in the pod of another one. */
const inNewImage = async (options: PostgresqlState['config'], zones: readonly string[] = []) => {
  const before = await afterEvents(await given(options), configChanged);
  return inContainer(inNewContainer(before), ({ files }) => ({
    files: {
      ...files,
      ...Object.fromEntries(
        zones.map((name) => [`/usr/share/zoneinfo/${name}`, fileEntry('TZif')] as const),
      ),
      ...(zones.length === 0 ? {} : { '/usr/share/zoneinfo': directoryEntry() }),
    },
  }));
};

scenario('parameters that the server of a new image does not have are left out then', {
  charm: underTest,
  given: async () => await inNewImage({}),
  when: pebbleReady('postgresql'),
  execs: () => ({
    postgresql: [
      {
        command: ['/usr/lib/postgresql/17/bin/postgres', '--version'],
        respond: () => ({ stdout: 'postgres (PostgreSQL) 17.9\n' }),
      },
      {
        command: ['/usr/lib/postgresql/17/bin/postgres', '--describe-config'],
        respond: () => ({ stdout: 'jit_above_cost\tuser\nTimeZone\tuser\n' }),
      },
    ],
  }),
  then: ({ state, log }) => {
    expect(fileOf(state, config)).toContain('jit_above_cost');
    expect(fileOf(state, config)).not.toMatch(/ jit: /);
    expect(log).toContainEqual({
      level: 'INFO',
      message: expect.stringMatching(/^PostgreSQL 17\.9 does not have .*\bjit, .*: left out$/),
    });
    expect(state.unitStatus).toEqual(active);
  },
});

scenario('a value that the new image has as well is asked about once, and stays', {
  charm: underTest,
  given: async () => await inNewImage(english, ['Europe/Prague']),
  when: pebbleReady('postgresql'),
  then: (result) => {
    expect(execsOf(result).filter((one) => one === 'locale -a')).toHaveLength(1);
    expect(judgedOf(result)).toHaveLength(1);
    expect(fileOf(result.state, config)).toContain('lc_time: en_US.UTF-8');
    expect(zoneOf(result.state)).toBe('Europe/Prague');
    expect(result.log.filter(({ level }) => level === 'WARNING')).toEqual([]);
    expect(result.state.unitStatus).toEqual(active);
  },
});

scenario('values that it does not have are left out, or PostgreSQL would not start', {
  charm: underTest,
  given: async () => await inNewImage(english, ['UTC']),
  when: pebbleReady('postgresql'),
  execs: () => ({
    postgresql: [{ command: ['locale', '-a'], respond: () => ({ stdout: 'C\nPOSIX\n' }) }],
  }),
  then: ({ state, log }) => {
    expect(fileOf(state, config)).toContain('lc_time: C\n');
    expect(zoneOf(state)).toBe('UTC');
    expect(log.filter(({ level }) => level === 'WARNING')).toEqual([
      {
        level: 'WARNING',
        message:
          'option response_lc_time: this image does not have "en_US.UTF-8": left out\n' +
          'option request_time_zone: this image does not have "Europe/Prague": left out',
      },
    ]);
    expect(state.unitStatus).toEqual(active);
  },
});

scenario('what was left out is used again in an image that has it', {
  charm: underTest,
  given: async () => {
    const without = await inNewImage(zone, ['UTC']);
    const running = await afterEvents(without, pebbleReady('postgresql'));
    expect(zoneOf(running)).toBe('UTC');
    return inContainer(inNewContainer(running), ({ files }) => ({
      files: { ...files, '/usr/share/zoneinfo/Europe/Prague': fileEntry('TZif') },
    }));
  },
  when: pebbleReady('postgresql'),
  then: ({ state, log }) => {
    expect(zoneOf(state)).toBe('Europe/Prague');
    expect(log.filter(({ level }) => level === 'WARNING')).toEqual([]);
  },
});

scenario('a server that does not list its parameters gets all of them', {
  charm: underTest,
  given: admitted({ leader: true }),
  when: pebbleReady('postgresql'),
  execs: () => ({
    postgresql: [
      {
        command: ['/usr/lib/postgresql/17/bin/postgres', '--describe-config'],
        respond: () => ({ exitCode: 1, stderr: 'no' }),
      },
    ],
  }),
  then: ({ state, log }) => {
    expect(fileOf(state, '/var/lib/postgresql/data/patroni.yml')).toContain(
      'old_snapshot_threshold',
    );
    expect(fileOf(state, list)).toBeUndefined();
    expect(log.filter(({ level }) => level === 'WARNING')).not.toEqual([]);
  },
});
