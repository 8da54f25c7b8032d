// What a unit does about a member that does not follow its primary, and about services that are gone.

import { expect } from '@jest/globals';

import { fileEntry } from '../support/pebble-state.ts';
import { pebbleNotice, updateStatus } from '../support/scenario/events.ts';
import {
  fileOf,
  inContainer,
  inWorld,
  primary,
  replica,
  running,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';

const broken = pebbleNotice('postgresql', 'postgresql.charm/replication-broken');
const memoryFile = '/var/lib/postgresql/data/repair.json';
/** When scenarios begin. */
const startMs = Date.UTC(2026, 0, 31, 12, 0, 0);

/** A replica in this state, with what the watcher has seen for some minutes. */
async function replicaIn(
  stateOfMember: string,
  seen: object,
  files: Readonly<Record<string, string>> = {},
): Promise<PostgresqlState> {
  const member = replica(1, stateOfMember);
  const given = inWorld(await running({ number: 1, others: [0], primary: 0 }), {
    patroni: { members: [primary(0), member] },
  });
  return inContainer(given, (now) => ({
    files: {
      ...now.files,
      '/run/charm-watch.json': fileEntry(JSON.stringify(seen)),
      ...Object.fromEntries(
        Object.entries(files).map(([name, content]) => [name, fileEntry(content)]),
      ),
    },
  }));
}

const at = (minutesAgo: number) => new Date(startMs - minutesAgo * 60_000).toISOString();
const brokenFor = (minutes: number) => ({
  replication: { standby: true, streams: [], broken_at: at(minutes) },
  fences: [],
});
const memory = {
  path: `containers.postgresql.files.${memoryFile}`,
  because: 'a clone that was not remembered is only one attempt more',
};
const downFor = (minutes: number) => ({ fences: [], down: { at: at(minutes), starts: 5 } });
/** Where the replay of a replica stands unless a scenario tells otherwise. */
const replayed = 83_886_080;
/** What is remembered: attempts, and that the replay has stood still for two minutes. */
const attempts = (...made: readonly (readonly [string, number])[]) => ({
  [memoryFile]: JSON.stringify({
    attempts: made.map(([kind, minutesAgo]) => ({ kind, atMs: startMs - minutesAgo * 60_000 })),
    replay: { location: replayed, sinceMs: startMs - 2 * 60_000 },
  }),
});
const stands = attempts();

scenario('a replica that gets no WAL is restarted first', {
  charm: underTest,
  given: async () => await replicaIn('running', brokenFor(2), stands),
  when: broken,
  then: ({ state: after, disturbances }) => {
    expect(disturbances).toEqual(['Patroni restarted PostgreSQL of postgresql-k8s-1']);
    expect(fileOf(after, memoryFile)).toContain('"restart"');
  },
  loosen: {
    secondRun: 'the restart has not helped, and minutes later more is done',
    killChecks: 'a restart of which nobody knows any more is repeated',
  },
});

scenario('and cloned anew when that has not helped', {
  charm: underTest,
  given: async () => await replicaIn('running', brokenFor(9), attempts(['restart', 7])),
  when: updateStatus,
  then: ({ disturbances }) => {
    expect(disturbances).toEqual(['Patroni cloned postgresql-k8s-1 anew']);
  },
  loosen: { differences: [memory] },
});

scenario('one that was well for a while since is restarted again', {
  charm: underTest,
  given: async () => {
    const seen = { ...brokenFor(2).replication, steady_at: at(30) };
    const before = attempts(['restart', 480], ['clone', 476]);
    return await replicaIn('running', { replication: seen, fences: [] }, before);
  },
  when: broken,
  then: ({ state: after, disturbances }) => {
    expect(disturbances).toEqual(['Patroni restarted PostgreSQL of postgresql-k8s-1']);
    expect(fileOf(after, memoryFile)).not.toContain('clone');
  },
  loosen: {
    secondRun: 'the restart has not helped, and minutes later more is done',
    killChecks: 'a restart of which nobody knows any more is repeated',
  },
});

scenario('a replica that still replays what it has is left alone', {
  charm: underTest,
  given: async () => {
    const given = await replicaIn('running', brokenFor(60), attempts(['restart', 50]));
    const member = { ...replica(1, 'running'), replayed: replayed + 8192 };
    return inWorld(given, { patroni: { members: [primary(0), member] } });
  },
  when: broken,
  then: ({ state: after, disturbances }) => {
    expect(disturbances).toEqual([]);
    expect(fileOf(after, memoryFile)).toContain(`"location":${replayed + 8192}`);
    expect(after.unitStatus).toEqual({ level: 'active', message: 'not replicating' });
  },
  loosen: { secondRun: 'minutes later it has stood still for too long' },
});

scenario('its data stay when nobody can replicate from the primary, and it says why', {
  charm: underTest,
  given: async () =>
    inWorld(await replicaIn('running', brokenFor(9), attempts(['restart', 7])), {
      postgres: {
        replicationFault:
          'psql: error: connection to server at "postgresql-k8s-0.postgresql-k8s-endpoints" ' +
          '(10.1.0.1), port 5432 failed: FATAL:  password authentication failed for user "replication"',
      },
    }),
  when: updateStatus,
  then: ({ state: after, disturbances }) => {
    expect(disturbances).toEqual([]);
    expect(after.unitStatus).toEqual({
      level: 'blocked',
      message:
        'cannot repair the replica: it gets no WAL from its primary; no copy can be made: ' +
        'password authentication failed for user "replication"',
    });
  },
});

scenario('that is not said any more when it follows again', {
  charm: underTest,
  given: async () =>
    await replicaIn(
      'streaming',
      { fences: [] },
      {
        [memoryFile]: JSON.stringify({ attempts: [], refusal: 'it gets no WAL from its primary' }),
      },
    ),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({ level: 'active', message: '' });
  },
});

/** The same beside a third member; the primary sends its WAL only to those that stream. */
async function besides(
  state: string,
  files: Readonly<Record<string, string>> = {},
): Promise<PostgresqlState> {
  const memory = attempts(['restart', 7]);
  const given = await replicaIn('running', brokenFor(9), { ...memory, ...files });
  const members = [primary(0), replica(1, 'running'), replica(2, state)];
  return inWorld(given, { patroni: { members } });
}

const serverLog = '/var/log/postgresql/postgresql-Sat_11.log';
const walIsGone =
  '2026-01-31 11:55:00 UTC [77]: user=,db=,app=,client=,line=2 FATAL:  could not receive data from ' +
  'WAL stream: ERROR:  requested WAL segment 00000001000000000000000A has already been removed\n';

const admittedBesides = [
  { summary: 'another replica streams', given: async () => await besides('streaming') },
  {
    summary: 'the server says that the WAL is gone',
    given: async () => await besides('running', { [serverLog]: walIsGone }),
  },
];
for (const { summary, given } of admittedBesides) {
  scenario(`a replica of three is cloned when ${summary}`, {
    charm: underTest,
    given,
    when: updateStatus,
    then: ({ disturbances }) => {
      expect(disturbances).toEqual(['Patroni cloned postgresql-k8s-1 anew']);
    },
    loosen: { differences: [memory] },
  });
}

scenario('but not the last copy beside that of the primary', {
  charm: underTest,
  given: async () => await besides('running'),
  when: updateStatus,
  then: ({ state: after, disturbances }) => {
    expect(disturbances).toEqual([]);
    expect(after.unitStatus).toEqual({
      level: 'blocked',
      message:
        'cannot repair the replica: it gets no WAL from its primary; no other replica has a copy ' +
        'that is up to date',
    });
  },
});

scenario('nor while another one is being cloned', {
  charm: underTest,
  given: async () => await besides('creating replica', { [serverLog]: walIsGone }),
  when: updateStatus,
  then: ({ state: after, disturbances }) => {
    expect(disturbances).toEqual([]);
    expect(after.unitStatus).toEqual({ level: 'active', message: 'not replicating' });
  },
});

scenario('a replica without a database is cloned whatever else there is', {
  charm: underTest,
  given: async () => {
    const down = { at: at(1), starts: 0, control: false };
    const given = await replicaIn('stopped', { fences: [], down });
    const members = [primary(0), replica(1, 'stopped'), replica(2, 'creating replica')];
    return inWorld(given, { patroni: { members }, postgres: { replicationFault: 'refused' } });
  },
  when: updateStatus,
  then: ({ disturbances }) => {
    expect(disturbances).toEqual(['Patroni cloned postgresql-k8s-1 anew']);
  },
  loosen: {
    differences: [
      memory,
      { path: 'unitStatus', because: 'the fake clones at once, after the hook has seen the rest' },
    ],
  },
});

scenario('a replica that is broken for a moment is left alone, and says so', {
  charm: underTest,
  given: async () => await replicaIn('running', brokenFor(0.1)),
  when: broken,
  then: ({ state: after, disturbances }) => {
    expect(disturbances).toEqual([]);
    expect(after.unitStatus).toEqual({ level: 'active', message: 'not replicating' });
  },
  loosen: { secondRun: 'minutes later it has been broken for too long' },
});

for (const timeline of [1, 2]) {
  const cloned = timeline === 1;
  scenario(
    `one that says it streams is ${cloned ? 'cloned' : 'left alone'} on timeline ${timeline} of 2`,
    {
      charm: underTest,
      given: async () =>
        inWorld(await replicaIn('streaming', brokenFor(9), stands), {
          patroni: {
            members: [
              { ...primary(0), timeline: 2 },
              { ...replica(1), timeline },
            ],
          },
        }),
      when: updateStatus,
      then: ({ disturbances, state: after }) => {
        expect(disturbances).toEqual(cloned ? ['Patroni cloned postgresql-k8s-1 anew'] : []);
        expect(after.unitStatus).toEqual({ level: 'active', message: 'not replicating' });
      },
      loosen: cloned ? { differences: [memory] } : {},
    },
  );
}

scenario('a replica that cannot be started is cloned anew', {
  charm: underTest,
  given: async () => await replicaIn('start failed', downFor(4)),
  when: updateStatus,
  then: ({ state: after, disturbances }) => {
    expect(disturbances).toEqual(['Patroni cloned postgresql-k8s-1 anew']);
    expect(fileOf(after, memoryFile)).toContain('"clone"');
  },
  loosen: {
    differences: [
      memory,
      { path: 'unitStatus', because: 'the fake clones at once, after the hook has seen the rest' },
    ],
  },
});

const refused = (refusal: string) => ({
  fences: [],
  down: { at: at(60), starts: 5, control: true, refusal },
});

scenario('a replica that refuses a setting is not cloned anew, and says why', {
  charm: underTest,
  given: async () =>
    await replicaIn('start failed', refused('invalid value for parameter "TimeZone": "Mars"')),
  when: updateStatus,
  then: ({ state: after, disturbances }) => {
    expect(disturbances).toEqual([]);
    expect(fileOf(after, memoryFile)).toBeUndefined();
    expect(after.unitStatus).toEqual({
      level: 'blocked',
      message: 'PostgreSQL does not start: invalid value for parameter "TimeZone": "Mars"',
    });
  },
});

scenario('so does a primary', {
  charm: underTest,
  given: async () =>
    inContainer(
      inWorld(await running({ leader: true }), {
        patroni: { members: [{ ...primary(0), state: 'start failed' }] },
      }),
      ({ files }) => ({
        files: {
          ...files,
          '/run/charm-watch.json': fileEntry(JSON.stringify(refused(`no ${'x'.repeat(200)}`))),
        },
      }),
    ),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({
      level: 'blocked',
      message: `PostgreSQL does not start: no ${'x'.repeat(117)}…`,
    });
  },
});

scenario('one that refuses its data is cloned anew', {
  charm: underTest,
  given: async () => await replicaIn('start failed', refused('incorrect checksum in control file')),
  when: updateStatus,
  then: ({ disturbances }) => {
    expect(disturbances).toEqual(['Patroni cloned postgresql-k8s-1 anew']);
  },
  loosen: {
    differences: [
      memory,
      { path: 'unitStatus', because: 'the fake clones at once, after the hook has seen the rest' },
    ],
  },
});

scenario('after three clones in vain a person has to look', {
  charm: underTest,
  given: async () =>
    await replicaIn(
      'start failed',
      downFor(60),
      attempts(['clone', 50], ['clone', 40], ['clone', 30]),
    ),
  when: updateStatus,
  then: ({ state: after, disturbances }) => {
    expect(disturbances).toEqual([]);
    expect(after.unitStatus).toEqual({
      level: 'blocked',
      message: 'cannot repair the replica: PostgreSQL cannot be started',
    });
  },
});

scenario('nothing is deleted when the leader itself does not say that it leads', {
  charm: underTest,
  given: async () =>
    inWorld(await replicaIn('start failed', downFor(60)), {
      patroni: { faults: { 'GET /leader postgresql-k8s-0': { status: 503, body: '' } } },
    }),
  when: updateStatus,
  then: ({ state: after, disturbances }) => {
    expect(disturbances).toEqual([]);
    expect(fileOf(after, memoryFile)).toBeUndefined();
  },
});

scenario('a Patroni that refuses to clone is asked again later', {
  charm: underTest,
  given: async () =>
    inWorld(await replicaIn('start failed', downFor(60)), {
      patroni: { faults: { 'POST /reinitialize': { status: 503, body: 'no' } } },
    }),
  when: updateStatus,
  then: ({ state: after, exitCode }) => {
    expect(exitCode).toBe(0);
    expect(fileOf(after, memoryFile)).toContain('"clone"');
    expect(after.unitStatus).toEqual({ level: 'waiting', message: 'awaiting for member to start' });
  },
  loosen: { differences: [{ path: 'containers', because: 'time passes between the attempts' }] },
});

scenario('a replica that was in service and is being cloned says so', {
  charm: underTest,
  given: async () => await replicaIn('creating replica', downFor(1)),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({ level: 'maintenance', message: 'cloning the replica anew' });
  },
});

scenario('a watcher that was stopped is started again', {
  charm: underTest,
  given: async () =>
    inContainer(await running({ leader: true }), ({ services }) => ({
      services: { ...services, watcher: { current: 'inactive' } },
    })),
  when: updateStatus,
  then: ({ state: after, disturbances }) => {
    expect(after.containers['postgresql']?.services['watcher']).toEqual({ current: 'active' });
    expect(disturbances).toEqual([]);
  },
});
