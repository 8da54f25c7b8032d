// leader-elected, along every edge of its flowchart.

import { expect } from '@jest/globals';

import { charm } from '../../src/hooks.ts';
import { expectCompleteChart } from '../support/flowchart-record.ts';
import { secret } from '../support/scenario/builders.ts';
import { leaderElected } from '../support/scenario/events.ts';
import { container, peer, postgresql, state } from '../support/scenario/postgresql/postgresql.ts';
import type { PatroniMember } from '../support/scenario/postgresql/world.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { latestOf, relationOf, secretOf } from '../support/scenario/state.ts';

const underTest = postgresql(charm);

const users = ['operator', 'replication', 'rewind', 'monitoring', 'backup', 'patroni'];
const passwords = secret({
  owner: 'application',
  label: 'database-peers.postgresql-k8s.app',
  content: Object.fromEntries(users.map((user) => [`${user}-password`, `password-of-${user}`])),
});

const host = (number: number) => `postgresql-k8s-${number}.postgresql-k8s-endpoints`;
const endpoints = (...numbers: readonly number[]) => JSON.stringify(numbers.map(host));

const primary: PatroniMember = {
  name: 'postgresql-k8s-0',
  role: 'leader',
  state: 'running',
  timeline: 1,
};
const running = { postgresql: container({ running: ['postgresql', 'watcher'] }) };

scenario('the first leader makes passwords and Services, and becomes the first member', {
  charm: underTest,
  given: state({ leader: true }),
  when: leaderElected,
  then: ({ state: after }) => {
    const made = secretOf(after, 'database-peers.postgresql-k8s.app');

    expect(made === undefined ? [] : Object.keys(latestOf(made).content)).toEqual(
      users.map((user) => `${user}-password`),
    );
    expect(
      Object.keys(after.world.kube.objects).filter((key) => key.startsWith('services/')),
    ).toEqual([
      // Juju's own.
      'services/postgresql-k8s-endpoints',
      'services/patroni-postgresql-k8s',
      'services/postgresql-k8s-primary',
      'services/postgresql-k8s-replicas',
      'services/patroni-postgresql-k8s-config',
      'services/patroni-postgresql-k8s-sync',
    ]);
    expect(relationOf(after, 'database-peers').localApp).toEqual({ endpoints: endpoints(0) });
    expect(after.unitStatus).toEqual({
      level: 'waiting',
      message: 'awaiting for cluster to start',
    });
  },
});

scenario('a later leader takes departed units out and admits waiting ones, one after another', {
  charm: underTest,
  given: state({
    leader: true,
    secrets: [passwords],
    containers: running,
    relations: [
      peer({
        units: [1, 2],
        localApp: { cluster_initialised: 'True', endpoints: endpoints(0, 5) },
      }),
    ],
    world: { patroni: { members: [primary] } },
  }),
  when: leaderElected,
  then: ({ state: after }) => {
    const labels = after.world.kube.objects['pods/postgresql-k8s-2']?.metadata.labels;

    expect(relationOf(after, 'database-peers').localApp['endpoints']).toBe(endpoints(0, 1, 2));
    expect(labels).toMatchObject({ application: 'patroni' });
  },
});

scenario('while a member is not ready, waiting units have to wait', {
  charm: underTest,
  given: state({
    leader: true,
    secrets: [passwords],
    containers: running,
    relations: [
      peer({
        units: [1, 2],
        localApp: { cluster_initialised: 'True', endpoints: endpoints(0, 1) },
      }),
    ],
    world: {
      patroni: {
        members: [
          primary,
          { name: 'postgresql-k8s-1', role: 'replica', state: 'starting', timeline: 1 },
        ],
      },
    },
  }),
  when: leaderElected,
  then: ({ state: after, walks }) => {
    expect(relationOf(after, 'database-peers').localApp['endpoints']).toBe(endpoints(0, 1));
    expect(walks[0]?.end).toBe('defer');
  },
});

expectCompleteChart('leader-elected');
