// Pods of different size: what the members share fits one of them and stays while it does, whoever leads.

import { expect } from '@jest/globals';

import {
  configChanged,
  leaderElected,
  pebbleReady,
  relationChanged,
} from '../support/scenario/events.ts';
import {
  admitted,
  fileOf,
  inWorld,
  running,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { type DataBag, relationOf } from '../support/scenario/state.ts';

const shared = { max_connections: 256, max_worker_processes: 8 };

/** The own pod is on a node with so many cores. */
function onNode(given: PostgresqlState, cpu: string): PostgresqlState {
  const node = {
    metadata: { name: 'node-1' },
    status: { allocatable: { cpu, memory: '8Gi' } },
  };
  const objects = { ...given.world.kube.objects, 'nodes/node-1': node };
  return inWorld(given, { kube: { objects } });
}

/** Unit 1 becomes the leader; a leader on a node with 64 cores has set what is shared. */
async function succeeding(cpu: string, other: DataBag): Promise<PostgresqlState> {
  const given = await running({ number: 1, others: [0], primary: 0 });
  const relations = given.relations.map((one) => ({
    ...one,
    remoteUnits: { 'postgresql-k8s/0': other },
  }));
  const { config } = given.world.patroni;
  return inWorld(onNode({ ...given, leader: true, relations }, cpu), {
    patroni: { config: { ...config, postgresql: { parameters: shared } } },
  });
}

const parametersOf = ({ world }: PostgresqlState) => world.patroni.config['postgresql'];

scenario('a leader on a smaller node leaves what fits another member', {
  charm: underTest,
  given: async () => await succeeding('2', { cores: '64' }),
  when: leaderElected,
  then: ({ state: after }) => {
    expect(parametersOf(after)).toMatchObject({ parameters: shared });
  },
});

scenario('and so it does while a member has not told', {
  charm: underTest,
  given: async () => await succeeding('2', { cores: 'many' }),
  when: leaderElected,
  then: ({ state: after }) => {
    expect(parametersOf(after)).toMatchObject({ parameters: shared });
  },
});

scenario('what fits nobody any more fits the smallest', {
  charm: underTest,
  given: async () => await succeeding('40', { cores: '2' }),
  when: leaderElected,
  then: ({ state: after }) => {
    expect(parametersOf(after)).toMatchObject({
      parameters: { max_connections: 100, max_worker_processes: 8 },
    });
  },
});

scenario('what somebody has asked for comes at once', {
  charm: underTest,
  given: async () => ({
    ...(await succeeding('2', { cores: '64' })),
    config: { experimental_max_connections: 300 },
  }),
  when: configChanged,
  then: ({ state: after }) => {
    expect(parametersOf(after)).toMatchObject({
      parameters: { max_connections: 300, max_worker_processes: 8 },
    });
  },
});

scenario('a member that starts tells how large its pod is', {
  charm: underTest,
  given: onNode(admitted({ number: 1, others: [0], primary: 0 }), '2500m'),
  when: pebbleReady('postgresql'),
  then: ({ state: after }) => {
    expect(relationOf(after, 'database-peers').localUnit).toMatchObject({
      cores: '2',
      memory: '8192',
    });
  },
});

scenario('a leader whose own pod it fits asks nobody', {
  charm: underTest,
  given: async () => await succeeding('64', { cores: '2' }),
  when: leaderElected,
  then: ({ state: after, hookToolCalls }) => {
    expect(parametersOf(after)).toMatchObject({ parameters: shared });
    const asked = hookToolCalls.filter(
      ({ tool, args }) => tool === 'relation-get' && args.includes('postgresql-k8s/0'),
    );
    expect(asked).toEqual([]);
  },
});

const path = '/var/lib/postgresql/data/patroni.yml';
const workers = { cpu_max_parallel_maintenance_workers: '35' };
const noRoom =
  'cpu_max_parallel_maintenance_workers value 35 exceeds maximum allowed of 20 (10 * vCores). ' +
  'Please set a value <= 20.';

/** A unit with 4 cores and 8 GiB, and what is known of the pods of all; options that Juju gives now. */
async function knowing(
  sizes: Readonly<Record<string, { readonly cores: number; readonly memory: number }>>,
  config: PostgresqlState['config'],
): Promise<PostgresqlState> {
  const app = { 'pod-sizes': JSON.stringify(sizes) };
  return { ...(await running({ number: 1, others: [0, 2], primary: 0, app })), config };
}

scenario('what another member has no room for is refused by all', {
  charm: underTest,
  given: async () =>
    await knowing(
      {
        'postgresql-k8s/1': { cores: 4, memory: 8192 },
        'postgresql-k8s/2': { cores: 2, memory: 8192 },
      },
      workers,
    ),
  when: configChanged,
  then: ({ state: after, disturbances }) => {
    expect(fileOf(after, path)).not.toContain('"35"');
    expect(disturbances).toEqual([]);
    expect(after.unitStatus).toEqual({
      level: 'blocked',
      message: `Configuration Error: for postgresql-k8s/2: ${noRoom}`,
    });
  },
});

scenario('so is what does not fit into the memory of another', {
  charm: underTest,
  given: async () =>
    await knowing(
      { 'postgresql-k8s/0': { cores: 4, memory: 2048 } },
      { memory_shared_buffers: 200_000 },
    ),
  when: configChanged,
  then: ({ state: after }) => {
    expect(fileOf(after, path)).toContain('shared_buffers: "262144"');
    expect(after.unitStatus.message).toBe(
      'Configuration Error: for postgresql-k8s/0: memory_shared_buffers: Shared buffers config ' +
        'option should be at most 40% of the available memory, which is 858MB',
    );
  },
});

scenario('a member that is gone, or has been small, is nothing to refuse for', {
  charm: underTest,
  given: async () =>
    await knowing(
      {
        'postgresql-k8s/1': { cores: 1, memory: 1024 },
        'postgresql-k8s/7': { cores: 2, memory: 8192 },
      },
      workers,
    ),
  when: configChanged,
  then: ({ state: after }) => {
    expect(fileOf(after, path)).toContain('max_parallel_maintenance_workers: "35"');
    expect(after.unitStatus).toEqual({ level: 'active', message: '' });
  },
});

scenario('the leader puts together what members tell, and goes by it', {
  charm: underTest,
  given: async () => {
    const given = await running({ leader: true, others: [1, 2] });
    const relations = given.relations.map((one) => ({
      ...one,
      remoteUnits: {
        'postgresql-k8s/1': { cores: '2', memory: '8192' },
        'postgresql-k8s/2': { cores: '4' },
      },
    }));
    return { ...given, relations, config: workers };
  },
  when: (given) => relationChanged(relationOf(given, 'database-peers'), 'postgresql-k8s/1'),
  then: ({ state: after }) => {
    expect(relationOf(after, 'database-peers').localApp['pod-sizes']).toBe(
      '{"postgresql-k8s/0":{"cores":4,"memory":8192},"postgresql-k8s/1":{"cores":2,"memory":8192}}',
    );
    expect(fileOf(after, path)).not.toContain('"35"');
    expect(after.unitStatus.message).toBe(`Configuration Error: for postgresql-k8s/1: ${noRoom}`);
  },
});

scenario('a new unit that has the room starts all the same', {
  charm: underTest,
  given: {
    ...admitted({
      number: 1,
      others: [0, 2],
      primary: 0,
      app: { 'pod-sizes': '{"postgresql-k8s/2":{"cores":2,"memory":8192}}' },
    }),
    config: workers,
  },
  when: pebbleReady('postgresql'),
  then: ({ state: after }) => {
    expect(after.containers['postgresql']?.services).toMatchObject({
      postgresql: { current: 'active' },
    });
    expect(fileOf(after, path)).toContain('max_parallel_maintenance_workers: "35"');
    // It has not taken over what the others refuse.
    expect(relationOf(after, 'database-peers').localUnit['config_hash']).toBeUndefined();
    expect(after.unitStatus.message).toBe(`Configuration Error: for postgresql-k8s/2: ${noRoom}`);
  },
});
