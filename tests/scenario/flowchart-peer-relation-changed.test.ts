// peer-relation-changed, along every edge of its flowchart.

import { expect } from '@jest/globals';

import { expectCompleteChart } from '../support/flowchart-record.ts';
import { relationChanged } from '../support/scenario/events.ts';
import {
  admitted,
  endpoints,
  inContainer,
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

const changed = (given: PostgresqlState) => relationChanged(relationOf(given, 'database-peers'));

/** A running leader, and units that have not been admitted. */
async function joined(...numbers: readonly number[]): Promise<PostgresqlState> {
  const given = await running({ leader: true, others: numbers });
  const peers = relationOf(given, 'database-peers');
  const relations = given.relations.map((one) =>
    one === peers ? { ...one, localApp: { ...one.localApp, endpoints: endpoints(0) } } : one,
  );
  return inWorld({ ...given, relations }, { patroni: { members: [primary(0)] } });
}

scenario('before the cluster is initialised, changes wait', {
  charm: underTest,
  given: state({
    leader: true,
    secrets: [passwords],
    relations: [peer({ units: [1], localApp: { endpoints: endpoints(0) } })],
  }),
  when: changed,
  then: ({ walks }) => {
    expect(walks[0]?.end).toBe('defer');
  },
});

scenario('the leader admits new units one after another, and commits wait for all of them', {
  charm: underTest,
  given: async () => await joined(1, 2),
  when: changed,
  then: ({ state: after }) => {
    expect(relationOf(after, 'database-peers').localApp['endpoints']).toBe(endpoints(0, 1, 2));
    expect(after.world.patroni.config['synchronous_node_count']).toBe(2);
    for (const number of [1, 2]) {
      expect(after.world.kube.objects[`pods/postgresql-k8s-${number}`]?.metadata.labels).toEqual({
        'app.kubernetes.io/name': 'postgresql-k8s',
        application: 'patroni',
        'cluster-name': 'patroni-postgresql-k8s',
      });
    }
  },
});

scenario('while a member is not ready, a new unit has to wait', {
  charm: underTest,
  given: async () => {
    const given = await joined(1);
    return inWorld(given, {
      patroni: { members: [primary(0), replica(5, 'starting')] },
    });
  },
  when: changed,
  then: ({ state: after, walks }) => {
    expect(walks[0]?.end).toBe('defer');
    expect(relationOf(after, 'database-peers').localApp['endpoints']).toBe(endpoints(0));
  },
});

scenario('a unit that has not been admitted yet changes nothing', {
  charm: underTest,
  given: () => {
    const given = admitted({ number: 1, others: [0], primary: 0 });
    const peers = relationOf(given, 'database-peers');
    const relations = [{ ...peers, localApp: { ...peers.localApp, endpoints: endpoints(0) } }];
    return Promise.resolve({ ...given, relations });
  },
  when: changed,
  then: ({ state: after, walks }) => {
    expect(walks[0]?.end).toBe('return');
    expect(after.containers['postgresql']?.files['/var/lib/postgresql/data/patroni.yml']).toBe(
      undefined,
    );
  },
});

scenario('a replica follows what the leader has changed', {
  charm: underTest,
  given: async () => {
    const given = await running({ number: 1, others: [0], primary: 0 });
    return { ...given, config: { profile: 'testing' } };
  },
  when: changed,
  then: ({ state: after, disturbances }) => {
    expect(disturbances).toEqual(['Patroni of postgresql-k8s-1 reloaded its file']);
    expect(after.unitStatus).toEqual({ level: 'active', message: '' });
  },
});

scenario('a member that has not started waits until it has', {
  charm: underTest,
  given: async () =>
    inWorld(await running({ number: 1, others: [0], primary: 0 }), {
      patroni: { members: [primary(0), replica(1, 'starting')] },
    }),
  when: changed,
  then: ({ state: after, walks }) => {
    expect(walks[0]?.end).toBe('defer');
    expect(after.unitStatus).toEqual({ level: 'waiting', message: 'awaiting for member to start' });
  },
});

scenario('while the container cannot be reached, changes wait', {
  charm: underTest,
  given: async () =>
    inContainer(await running({ number: 1, others: [0], primary: 0 }), () => ({
      canConnect: false,
    })),
  when: changed,
  then: ({ state: after, walks }) => {
    expect(walks[0]?.end).toBe('defer');
    expect(after.unitStatus.level).toBe('waiting');
  },
});

expectCompleteChart('peer-relation-changed');
