// Pods of different size: what the members share fits one of them and stays while it does, whoever leads.

import { expect } from '@jest/globals';

import { configChanged, leaderElected, pebbleReady } from '../support/scenario/events.ts';
import { admitted, inWorld, running, underTest } from '../support/scenario/postgresql/journey.ts';
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
    expect(relationOf(after, 'database-peers').localUnit['cores']).toBe('2');
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
