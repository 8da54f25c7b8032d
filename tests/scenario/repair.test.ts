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
const attemptsFile = '/var/lib/postgresql/data/repair.json';
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
  path: `containers.postgresql.files.${attemptsFile}`,
  because: 'a clone that was not remembered is only one attempt more',
};
const downFor = (minutes: number) => ({ fences: [], down: { at: at(minutes), starts: 5 } });
const attempts = (...made: readonly (readonly [string, number])[]) => ({
  [attemptsFile]: JSON.stringify(
    made.map(([kind, minutesAgo]) => ({ kind, atMs: startMs - minutesAgo * 60_000 })),
  ),
});

scenario('a replica that gets no WAL is restarted first', {
  charm: underTest,
  given: async () => await replicaIn('running', brokenFor(2)),
  when: broken,
  then: ({ state: after, disturbances }) => {
    expect(disturbances).toEqual(['Patroni restarted PostgreSQL of postgresql-k8s-1']);
    expect(fileOf(after, attemptsFile)).toContain('"restart"');
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
        inWorld(await replicaIn('streaming', brokenFor(9)), {
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
    expect(fileOf(after, attemptsFile)).toContain('"clone"');
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
    expect(fileOf(after, attemptsFile)).toBeUndefined();
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
    expect(fileOf(after, attemptsFile)).toBeUndefined();
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
    expect(fileOf(after, attemptsFile)).toContain('"clone"');
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
