// What an application of the same name has left of its cluster in Kubernetes: it is removed when it is
// certain that nobody needs it, and named when it is not.

import { expect } from '@jest/globals';

import type { KubeObject } from '../../lib/kube/kube.ts';
import { leaderElected, pebbleReady, updateStatus } from '../support/scenario/events.ts';
import {
  after as afterEvents,
  fileOf,
  inNewContainer,
  inWorld,
  primary,
  replica,
  running,
  underTest,
  withData,
} from '../support/scenario/postgresql/journey.ts';
import { type PostgresqlState, peer, state } from '../support/scenario/postgresql/postgresql.ts';
import type { world } from '../support/scenario/postgresql/world.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { relationOf } from '../support/scenario/state.ts';

const ready = pebbleReady('postgresql');
const formerIdentifier = '7511111111111111111';
const born = '2026-01-31T09:00:00Z';
const [before, atOnce, later] = [
  '2026-01-31T08:59:59Z',
  '2026-01-31T09:00:00Z',
  '2026-01-31T09:00:01Z',
];
const names = [
  'patroni-postgresql-k8s',
  'patroni-postgresql-k8s-config',
  'patroni-postgresql-k8s-sync',
];
const strangers =
  'Failed to start: nobody leads the cluster that Kubernetes remembers, ' +
  'start the unit that has its data, or delete Endpoints patroni-postgresql-k8s-config';

interface Left {
  readonly created: string;
  readonly identifier?: string;
  /** Of the lock; it has run out unless told. */
  readonly ttl?: string;
  /** Which there are; all unless told. */
  readonly only?: readonly string[];
}

/** Patroni's Endpoints, next to the StatefulSet of this application. */
function withLeft(given: PostgresqlState, left: Left): PostgresqlState {
  const { created, identifier = formerIdentifier, ttl = '20', only = names } = left;
  const annotations: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'patroni-postgresql-k8s': {
      leader: 'postgresql-k8s-2',
      renewTime: '2026-01-31T08:50:00.123456+00:00',
      ttl,
    },
    'patroni-postgresql-k8s-config': { initialize: identifier, config: '{"ttl":20}' },
    'patroni-postgresql-k8s-sync': { leader: 'postgresql-k8s-2', sync_standby: 'postgresql-k8s-1' },
  };
  const endpoints = (name: string): KubeObject => ({
    metadata: { name, creationTimestamp: created, annotations: annotations[name] ?? {} },
  });
  const objects = Object.fromEntries(only.map((name) => [`endpoints/${name}`, endpoints(name)]));
  const metadata = { name: 'postgresql-k8s', creationTimestamp: born };
  return inWorld(given, {
    kube: {
      objects: {
        ...given.world.kube.objects,
        'statefulsets/postgresql-k8s': { metadata },
        ...objects,
      },
    },
  });
}

/** The leader of a new application, with its Services. */
async function fresh(world?: Parameters<typeof state>[0]): Promise<PostgresqlState> {
  return await afterEvents(state({ leader: true, ...world }), leaderElected);
}

const leftIn = ({ world: { kube } }: PostgresqlState) =>
  names.filter((name) => kube.objects[`endpoints/${name}`] !== undefined);
const isInitialised = (given: PostgresqlState) =>
  relationOf(given, 'database-peers').localApp['cluster_initialised'] === 'True';
const servicesOf = (given: PostgresqlState) => given.containers['postgresql']?.services;
const started = { current: 'active' };

for (const only of [names, names.slice(0, 1), names.slice(1, 2), names.slice(2)]) {
  scenario(`what a former application has left goes before Patroni starts: ${only.join(', ')}`, {
    charm: underTest,
    given: async () => withLeft(await fresh(), { created: before, only }),
    when: ready,
    then: ({ state: after }) => {
      expect(leftIn(after)).toEqual([]);
      expect(isInitialised(after)).toBe(true);
      expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
    },
  });
}

for (const created of [atOnce, later]) {
  scenario(
    `what may be of this application stays, and the unit says what it waits for: ${created}`,
    {
      charm: underTest,
      given: async () => withLeft(await fresh(stopped), { created }),
      when: ready,
      then: ({ state: after }) => {
        expect(leftIn(after)).toEqual(names);
        expect(isInitialised(after)).toBe(false);
        expect(after.unitStatus).toEqual({ level: 'blocked', message: strangers });
      },
    },
  );
}

/** As Patroni shows a member that waits for a leader. */
const stopped = { world: { patroni: { members: [replica(0, 'stopped')] } } };

scenario('without a StatefulSet nothing is known of ages, and nothing goes', {
  charm: underTest,
  given: async () => {
    const given = withLeft(await fresh(stopped), { created: before });
    const { 'statefulsets/postgresql-k8s': _, ...objects } = given.world.kube.objects;
    return inWorld(given, { kube: { objects } });
  },
  when: ready,
  then: ({ state: after }) => {
    expect(leftIn(after)).toEqual(names);
  },
});

scenario('beside a former member that still has the lock nothing is started', {
  charm: underTest,
  given: async () => withLeft(await fresh(), { created: before, ttl: '86400' }),
  when: ready,
  then: ({ state: after, walks }) => {
    expect(walks[0]).toMatchObject({ end: 'defer' });
    expect(leftIn(after)).toEqual(names);
    expect(servicesOf(after)).toEqual({});
    expect(after.unitStatus).toEqual({
      level: 'waiting',
      message: 'awaiting for cluster to start',
    });
  },
});

scenario('when the former member has given the lock up, the unit starts', {
  charm: underTest,
  given: async () => {
    const held = withLeft(await fresh(), { created: before, ttl: '86400' });
    return withLeft(await afterEvents(held, ready), { created: before });
  },
  when: updateStatus,
  then: ({ state: after }) => {
    expect(leftIn(after)).toEqual([]);
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

scenario('a volume with the data of the cluster that is remembered is what was waited for', {
  charm: underTest,
  given: async () =>
    withLeft(withData(await fresh(withRoles), formerIdentifier), { created: before }),
  when: ready,
  then: ({ state: after }) => {
    expect(leftIn(after)).toEqual(names);
    expect(servicesOf(after)?.['postgresql']).toEqual(started);
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

scenario('data of another cluster are taken over all the same', {
  charm: underTest,
  given: async () => withLeft(withData(await fresh(withRoles)), { created: before }),
  when: ready,
  then: ({ state: after }) => {
    expect(leftIn(after)).toEqual([]);
    expect(fileOf(after, '/var/lib/postgresql/data/charm-identity.json')).toContain(
      '"application":"postgresql-k8s"',
    );
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

const role = { superuser: true, memberOf: [], password: 'of-before' };
const withRoles: { readonly world: Parameters<typeof world>[0] } = {
  world: { postgres: { roles: { operator: role, replication: role, rewind: role } } },
};

scenario('a Patroni that is running is not made to forget anything', {
  charm: underTest,
  given: async () => {
    const waiting = await afterEvents(await fresh(stopped), ready);
    return withLeft(waiting, { created: before });
  },
  when: updateStatus,
  then: ({ state: after }) => {
    expect(leftIn(after)).toEqual(names);
  },
});

scenario('an application that has a database keeps what Patroni remembers of it', {
  charm: underTest,
  given: async () => {
    const given = inNewContainer(await running({ leader: true }));
    return withLeft(given, { created: before, identifier: given.world.patroni.systemIdentifier });
  },
  when: ready,
  then: ({ state: after, calls }) => {
    expect(leftIn(after)).toEqual(names);
    expect(calls.filter(({ port, method }) => port === 'kube' && method === 'delete')).toEqual([]);
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

scenario('a leader without data waits in silence for the cluster that another unit leads', {
  charm: underTest,
  given: async () => {
    const given = state({
      unit: 'postgresql-k8s/1',
      leader: true,
      relations: [peer({ units: [0] })],
      world: { patroni: { members: [primary(0)], starts: 'creating replica' } },
    });
    return withLeft(await afterEvents(given, leaderElected), { created: later, ttl: '86400' });
  },
  when: ready,
  then: ({ state: after }) => {
    expect(leftIn(after)).toEqual(names);
    expect(after.unitStatus).toEqual({ level: 'waiting', message: 'awaiting for member to start' });
  },
});
