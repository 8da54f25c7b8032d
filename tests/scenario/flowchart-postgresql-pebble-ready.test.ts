// postgresql-pebble-ready, along every edge of its flowchart.

import { expect } from '@jest/globals';

import { expectCompleteChart } from '../support/flowchart-record.ts';
import { leaderElected, pebbleReady } from '../support/scenario/events.ts';
import {
  admitted,
  after as afterEvents,
  inNewContainer,
  inWorld,
  passwords,
  primary,
  replica,
  running,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import { type PostgresqlState, peer, state } from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { relationOf } from '../support/scenario/state.ts';

const ready = pebbleReady('postgresql');

const elected = async (given: PostgresqlState) => await afterEvents(given, leaderElected);

scenario('the leader starts the first member and marks the cluster as initialised', {
  charm: underTest,
  given: async () => await elected(state({ leader: true })),
  when: ready,
  then: ({ state: after }) => {
    expect(relationOf(after, 'database-peers').localApp['cluster_initialised']).toBe('True');
    expect(after.containers['postgresql']?.services).toEqual({
      postgresql: { current: 'active' },
      watcher: { current: 'active' },
    });
    expect(after.containers['postgresql']?.files['/var/lib/postgresql/data/pgdata']).toEqual({
      type: 'directory',
      mode: '0700',
      user: 'postgres',
      group: 'postgres',
    });
    expect(Object.keys(after.world.postgres.roles)).toEqual([
      'operator',
      'replication',
      'rewind',
      'backup',
      'monitoring',
    ]);
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

scenario('a unit that is not the leader waits for an initialised cluster', {
  charm: underTest,
  given: state({ unit: 'postgresql-k8s/1', relations: [peer({ units: [0] })] }),
  when: ready,
  then: ({ state: after, walks }) => {
    expect(walks[0]?.end).toBe('defer');
    expect(after.containers['postgresql']?.services).toEqual({});
    expect(after.unitStatus).toEqual({
      level: 'waiting',
      message: 'awaiting for cluster to start',
    });
  },
});

scenario('with an invalid configuration there is nothing to start with', {
  charm: underTest,
  given: async () => await elected(state({ leader: true, config: { profile: 'huge' } })),
  when: ready,
  then: ({ state: after, walks }) => {
    expect(walks[0]?.end).toBe('defer');
    expect(after.containers['postgresql']?.services).toEqual({});
    expect(after.unitStatus.message).toContain('Configuration Error: profile has to be one of');
  },
});

scenario('a replica starts in a cluster that has been initialised', {
  charm: underTest,
  given: admitted({ number: 1, others: [0], primary: 0 }),
  when: ready,
  then: ({ state: after }) => {
    expect(after.containers['postgresql']?.services['postgresql']).toEqual({ current: 'active' });
    expect(relationOf(after, 'database-peers').localUnit).toEqual({
      'member-started': 'True',
      config_hash: expect.any(String),
      cores: '4',
    });
    expect(after.unitStatus).toEqual({ level: 'active', message: '' });
  },
});

scenario('a replaced container starts what ran before it, with the same files', {
  charm: underTest,
  given: async () => inNewContainer(await running({ leader: true })),
  when: ready,
  then: ({ state: after }) => {
    expect(after.containers['postgresql']?.services['postgresql']).toEqual({ current: 'active' });
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

scenario('what runs as it should is left alone', {
  charm: underTest,
  given: async () => await running({ leader: true }),
  when: ready,
  then: ({ disturbances, walks }) => {
    expect(walks[0]?.path).toContainEqual({ node: 'has_services_changed', answer: false });
    expect(disturbances).toEqual([]);
  },
});

scenario('a member that takes long to start is waited for', {
  charm: underTest,
  given: async () =>
    inWorld(await elected(state({ leader: true })), { patroni: { starts: 'starting' } }),
  when: ready,
  then: ({ state: after, walks }) => {
    expect(walks[0]?.end).toBe('defer');
    expect(relationOf(after, 'database-peers').localApp['cluster_initialised']).toBeUndefined();
    expect(after.unitStatus.level).toBe('waiting');
  },
});

scenario('a replica that takes long to start is waited for', {
  charm: underTest,
  given: inWorld(admitted({ number: 1, others: [0], primary: 0 }), {
    patroni: { members: [primary(0), replica(1, 'creating replica')] },
  }),
  when: ready,
  then: ({ state: after, walks }) => {
    expect(walks[0]?.end).toBe('defer');
    expect(after.unitStatus).toEqual({
      level: 'maintenance',
      message: 'copying the data of the primary',
    });
  },
});

scenario('a pod whose labels cannot be changed is for the operator to look at', {
  charm: underTest,
  given: async () => {
    const given = await running({ leader: true });
    const pod = given.world.kube.objects['pods/postgresql-k8s-0'];
    if (pod === undefined) throw new Error('the state has no pod');
    const bare = { ...pod, metadata: { ...pod.metadata, labels: {} } };
    return inWorld(given, {
      kube: {
        objects: { ...given.world.kube.objects, 'pods/postgresql-k8s-0': bare },
        faults: { 'patch pods': 'api' },
      },
    });
  },
  when: ready,
  then: ({ state: after, walks }) => {
    expect(walks[0]?.end).toBe('return');
    expect(after.unitStatus).toEqual({
      level: 'blocked',
      message: 'failed to patch pod with error cannot patch pods: api',
    });
  },
});

scenario('a primary that its Service does not lead to yet is not announced', {
  charm: underTest,
  given: async () =>
    inWorld(await elected(state({ leader: true })), {
      patroni: { primaryService: 'refused' },
    }),
  when: ready,
  then: ({ state: after, walks }) => {
    expect(walks[0]?.end).toBe('defer');
    expect(relationOf(after, 'database-peers').localApp['cluster_initialised']).toBeUndefined();
    expect(after.unitStatus).toEqual({
      level: 'waiting',
      message: 'awaiting for primary endpoint to be ready',
    });
  },
});

scenario('passwords that the database has from a killed hook are corrected', {
  charm: underTest,
  given: async () => {
    const given = await elected(state({ leader: true, secrets: [passwords] }));
    const roles = {
      monitoring: { password: 'of a hook that was killed', superuser: false, memberOf: [] },
    };
    return inWorld(given, { postgres: { roles } });
  },
  when: ready,
  then: ({ state: after }) => {
    expect(after.world.postgres.roles['monitoring']?.password).toBe('password-of-monitoring');
  },
});

expectCompleteChart('postgresql-pebble-ready');
