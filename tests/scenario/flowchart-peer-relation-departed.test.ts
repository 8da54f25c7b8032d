// peer-relation-departed, along every edge of its flowchart.

import { expect } from '@jest/globals';

import { expectCompleteChart } from '../support/flowchart-record.ts';
import { relationDeparted } from '../support/scenario/events.ts';
import {
  endpoints,
  inWorld,
  passwords,
  primary,
  replica,
  running,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import { peer, state } from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { relationOf } from '../support/scenario/state.ts';

const leaves =
  (unit: string, departing = unit) =>
  (given: Parameters<typeof relationOf>[0]) =>
    relationDeparted(relationOf(given, 'database-peers'), unit, departing);

const three = async () => await running({ leader: true, others: [1, 2] });

scenario('the leader takes a departing unit out, and commits wait for one replica less', {
  charm: underTest,
  given: async () => inWorld(await three(), { patroni: { members: [primary(0), replica(1)] } }),
  when: leaves('postgresql-k8s/2'),
  then: ({ state: after, walks }) => {
    expect(walks[0]?.end).toBe('return');
    expect(relationOf(after, 'database-peers').localApp['endpoints']).toBe(endpoints(0, 1));
    expect(after.world.patroni.config['synchronous_node_count']).toBe(1);
  },
});

scenario('while the member of a departing unit still runs, the number of replicas stays', {
  charm: underTest,
  given: three,
  when: leaves('postgresql-k8s/2'),
  then: ({ state: after }) => {
    expect(after.world.patroni.config['synchronous_node_count']).toBe(2);
  },
});

scenario('a unit that is not the leader leaves this to the leader', {
  charm: underTest,
  given: async () => await running({ number: 1, others: [0, 2], primary: 0 }),
  when: leaves('postgresql-k8s/2'),
  then: ({ state: after }) => {
    expect(relationOf(after, 'database-peers').localApp['endpoints']).toBe(endpoints(0, 1, 2));
  },
});

scenario('a leader that departs itself leaves this to its successor', {
  charm: underTest,
  given: async () => {
    const given = await three();
    return { ...given, dyingUnits: [given.unit], plannedUnits: 2 };
  },
  when: leaves('postgresql-k8s/2', 'postgresql-k8s/0'),
  then: ({ state: after }) => {
    expect(relationOf(after, 'database-peers').localApp['endpoints']).toBe(endpoints(0, 1, 2));
  },
});

scenario('before the cluster is initialised, departures wait', {
  charm: underTest,
  given: state({
    leader: true,
    secrets: [passwords],
    relations: [peer({ units: [1], localApp: { endpoints: endpoints(0) } })],
  }),
  when: leaves('postgresql-k8s/1'),
  then: ({ walks }) => {
    expect(walks[0]?.end).toBe('defer');
  },
});

expectCompleteChart('peer-relation-departed');
