// Notices of the watcher: a member started, stopped or changed its role. They wake the charm, so that
// statuses and whatever waits for a member follow within a second.

import { expect } from '@jest/globals';

import {
  configChanged,
  leaderElected,
  pebbleNotice,
  pebbleReady,
  relationChanged,
} from '../support/scenario/events.ts';
import {
  admitted,
  after as afterEvents,
  inContainer,
  inWorld,
  primary,
  replica,
  running,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import { state } from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { relationOf } from '../support/scenario/state.ts';

const notice = (key: string) => pebbleNotice('postgresql', `postgresql.charm/${key}`);

const promoted = { patroni: { members: [replica(0), primary(1)] } };

scenario('a replica that became the primary says so', {
  charm: underTest,
  given: async () =>
    inWorld(await running({ number: 1, others: [0], primary: 0 }), {
      patroni: { members: [replica(0), primary(1)] },
    }),
  when: notice('on-role-change'),
  then: ({ state: after, disturbances }) => {
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
    expect(disturbances).toEqual([]);
  },
});

scenario('a new primary wakes the others, whom their own notices may not reach', {
  charm: underTest,
  given: async () => inWorld(await running({ number: 1, others: [0], primary: 0 }), promoted),
  when: notice('on-role-change'),
  then: ({ state: after }) => {
    expect(relationOf(after, 'database-peers').localUnit['led-timeline']).toMatch(/^\d+$/);
  },
});

scenario('a primary that goes on to lead wakes nobody', {
  charm: underTest,
  given: async () =>
    await afterEvents(
      inWorld(await running({ number: 1, others: [0], primary: 0 }), promoted),
      notice('on-role-change'),
    ),
  when: notice('member-changed'),
  then: ({ hookToolCalls }) => {
    expect(hookToolCalls.map(({ tool }) => tool)).not.toContain('relation-set');
  },
});

scenario('the former primary is woken by the new one when its Pebble is dead', {
  charm: underTest,
  given: async () => inContainer(await running({ others: [1] }), () => ({ canConnect: false })),
  when: (given) => relationChanged(relationOf(given, 'database-peers'), 'postgresql-k8s/1'),
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({
      level: 'waiting',
      message: 'waiting for the workload container',
    });
  },
});

scenario('a primary that became a replica says so', {
  charm: underTest,
  given: async () =>
    inWorld(await running({ leader: true, others: [1] }), {
      patroni: { members: [replica(0), primary(1)] },
    }),
  when: notice('on-role-change'),
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({ level: 'active', message: '' });
  },
});

scenario('a member that stopped is waited for', {
  charm: underTest,
  given: async () =>
    inContainer(await running({ number: 1, others: [0], primary: 0 }), ({ services }) => ({
      services: { ...services, postgresql: { current: 'backoff' } },
    })),
  when: notice('on-stop'),
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({ level: 'waiting', message: 'awaiting for member to start' });
  },
});

scenario('a start that was waited for is finished with the notice of it', {
  charm: underTest,
  given: async () => {
    const fresh = inWorld(state({ leader: true }), { patroni: { starts: 'starting' } });
    const waiting = await afterEvents(fresh, leaderElected, pebbleReady('postgresql'));
    expect(waiting.unitStatus.level).toBe('waiting');
    return inWorld(waiting, { patroni: { starts: 'running' } });
  },
  when: notice('on-start'),
  then: ({ state: after, walks }) => {
    expect(walks[0]).toMatchObject({ handler: 'postgresql-pebble-ready', end: 'return' });
    expect(relationOf(after, 'database-peers').localApp['cluster_initialised']).toBe('True');
    expect(Object.keys(after.controllerState)).not.toContain('deferred-events-0');
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

scenario('a replica that has come up is finished with the notice of it', {
  charm: underTest,
  given: async () => {
    const starting = inWorld(admitted({ number: 1, others: [0], primary: 0 }), {
      patroni: { members: [primary(0), replica(1, 'creating replica')] },
    });
    const waiting = await afterEvents(starting, pebbleReady('postgresql'));
    return inWorld(waiting, { patroni: { members: [primary(0), replica(1)] } });
  },
  when: notice('on-start'),
  then: ({ state: after }) => {
    expect(relationOf(after, 'database-peers').localUnit).toEqual({
      'member-started': 'True',
      config_hash: expect.any(String),
      cores: '4',
    });
    expect(after.unitStatus).toEqual({ level: 'active', message: '' });
  },
});

scenario('a notice of somebody else changes nothing', {
  charm: underTest,
  given: async () => await running({ leader: true }),
  when: pebbleNotice('postgresql', 'example.com/anything'),
  then: ({ state: after, interruptions }) => {
    expect(interruptions).toEqual([]);
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

scenario('a notice that comes before the first leader changes nothing', {
  charm: underTest,
  given: state(),
  when: notice('on-start'),
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({
      level: 'waiting',
      message: 'awaiting for cluster to start',
    });
  },
});

const pods = (roles: Readonly<Record<number, string>>) => ({
  objects: Object.fromEntries(
    Object.entries(roles).map(([number, role]) => [
      `pods/postgresql-k8s-${number}`,
      {
        metadata: {
          name: `postgresql-k8s-${number}`,
          labels: { 'cluster-name': 'patroni-postgresql-k8s', role },
        },
      },
    ]),
  ),
});

const lockOf = (number: number) => ({
  metadata: {
    name: 'patroni-postgresql-k8s',
    annotations: { leader: `postgresql-k8s-${number}` },
  },
});

for (const { holder, expected } of [
  { holder: 1, expected: undefined },
  { holder: 0, expected: 'primary' },
]) {
  scenario(
    `a former primary's pod is labelled ${expected ?? 'no more'} when ${holder} has the lock`,
    {
      charm: underTest,
      given: async () => {
        const given = await running({ number: 1, others: [0], primary: 1 });
        const { objects } = pods({ 0: 'primary' });
        return inWorld(given, {
          kube: {
            objects: {
              ...given.world.kube.objects,
              ...objects,
              'endpoints/patroni-postgresql-k8s': lockOf(holder),
            },
          },
        });
      },
      when: notice('on-role-change'),
      then: ({ state: after }) => {
        const pod = after.world.kube.objects['pods/postgresql-k8s-0'];
        expect(pod?.metadata.labels?.['role']).toBe(expected);
      },
    },
  );
}

scenario('a first start that began with the trust that was missing is finished with its notice', {
  charm: underTest,
  given: async () => {
    const given = inWorld(state({ leader: true }), { patroni: { starts: 'starting' } });
    const begun = await afterEvents(given, configChanged);
    return inWorld(begun, { patroni: { starts: 'running' } });
  },
  when: notice('on-start'),
  then: ({ state: after }) => {
    expect(relationOf(after, 'database-peers').localApp['cluster_initialised']).toBe('True');
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});
