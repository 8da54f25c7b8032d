// A unit that is being removed: it hands over and takes itself out of what commits wait for. And a
// unit that stays while Juju still shows removed ones in the relation.

import { expect } from '@jest/globals';

import {
  relationBroken,
  relationChanged,
  storageDetaching,
  updateStatus,
} from '../support/scenario/events.ts';
import {
  backedUp,
  endpoints,
  inWorld,
  primary,
  replica,
  running,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { relationOf } from '../support/scenario/state.ts';

const pgdata = { name: 'pgdata', index: 0, location: '/var/lib/postgresql/data' };

const withStorage = (given: PostgresqlState): PostgresqlState => ({ ...given, storages: [pgdata] });

/** Unit 0 is the primary of three and is being removed. */
async function leaving(): Promise<PostgresqlState> {
  const given = await running({ others: [1, 2] });
  const members = [primary(0), { ...replica(1), role: 'sync_standby' as const }, replica(2)];
  return withStorage({
    ...inWorld(given, { patroni: { members } }),
    dyingUnits: [given.unit],
    plannedUnits: 2,
  });
}

scenario('a primary that is being removed hands over, and the count waits until it is gone', {
  charm: underTest,
  given: leaving,
  when: storageDetaching(pgdata),
  then: ({ state: after }) => {
    const leader = after.world.patroni.members.find(({ role }) => role === 'leader');

    expect(leader?.name).toBe('postgresql-k8s-1');
    expect(after.world.patroni.config['synchronous_node_count']).toBe(2);
    expect(relationOf(after, 'database-peers').localUnit['departing']).toBe('True');
  },
});

scenario('when all units go, the cluster is left as it is', {
  charm: underTest,
  given: async () => {
    const given = await leaving();
    const dyingUnits = ['postgresql-k8s/0', 'postgresql-k8s/1', 'postgresql-k8s/2'];
    return { ...given, dyingUnits, plannedUnits: 0 };
  },
  when: storageDetaching(pgdata),
  then: ({ state: after }) => {
    expect(after.world.patroni.members[0]).toMatchObject({
      name: 'postgresql-k8s-0',
      role: 'leader',
    });
  },
});

scenario('units that Juju still shows in the relation after their removal do not count', {
  charm: underTest,
  given: async () => {
    const given = await running({ others: [1, 2] });
    const dyingUnits = ['postgresql-k8s/1', 'postgresql-k8s/2'];
    return {
      ...inWorld(given, { patroni: { members: [primary(0)] } }),
      dyingUnits,
      plannedUnits: 1,
    };
  },
  when: updateStatus,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

scenario('a leader that is being removed leaves archiving on for those that stay', {
  charm: underTest,
  given: async () => {
    const given = await backedUp();
    const s3 = { ...relationOf(given, 's3-parameters'), remoteUnits: {} };
    const relations = given.relations.map((each) => (each.id === s3.id ? s3 : each));
    return { ...given, relations, dyingUnits: [given.unit], plannedUnits: 0 };
  },
  when: (given) => relationBroken(relationOf(given, 's3-parameters')),
  then: ({ state: after }) => {
    expect(relationOf(after, 'database-peers').localApp['stanza']).toBe(
      'test-model.patroni-postgresql-k8s',
    );
  },
});

/** The primary is unit 2 of three; units 1 and 2 go, and only unit 1 is synchronous. */
async function leavingTogether(state: string): Promise<PostgresqlState> {
  const given = await running({ number: 2, others: [0, 1], primary: 2 });
  const members = [primary(2), replica(1), { ...replica(0, state), role: 'replica' as const }];
  return withStorage({
    ...inWorld(given, {
      patroni: { members, config: { ...given.world.patroni.config, synchronous_node_count: 1 } },
    }),
    dyingUnits: ['postgresql-k8s/1', 'postgresql-k8s/2'],
    plannedUnits: 1,
  });
}

scenario('a unit that stays becomes synchronous first when only units that go are', {
  charm: underTest,
  given: async () => await leavingTogether('streaming'),
  when: storageDetaching(pgdata),
  then: ({ state: after }) => {
    const leader = after.world.patroni.members.find(({ role }) => role === 'leader');

    expect(leader?.name).toBe('postgresql-k8s-0');
    // The one that stays alone is not held up all the same.
    expect(after.world.patroni.config).toMatchObject({
      synchronous_node_count: 2,
      synchronous_mode_strict: false,
    });
  },
});

scenario(
  'a unit that stays may take turns of Patroni to become synchronous, however long these are',
  {
    charm: underTest,
    given: async () => {
      const given = await leavingTogether('streaming');
      const { config } = given.world.patroni;
      return inWorld(given, { patroni: { config: { ...config, loop_wait: 60 } } });
    },
    when: storageDetaching(pgdata),
    then: ({ state: after }) => {
      const leader = after.world.patroni.members.find(({ role }) => role === 'leader');

      expect(leader?.name).toBe('postgresql-k8s-0');
    },
  },
);

scenario('the primary is not handed to a unit that does not have all data', {
  charm: underTest,
  given: async () => await leavingTogether('creating replica'),
  when: storageDetaching(pgdata),
  then: ({ state: after, log }) => {
    const leader = after.world.patroni.members.find(({ role }) => role === 'leader');

    expect(leader?.name).toBe('postgresql-k8s-2');
    expect(log.filter(({ level }) => level === 'WARNING')).toHaveLength(1);
    expect(after.world.patroni.config['synchronous_mode_strict']).toBe(false);
  },
});

scenario('a leader that goes takes itself and the others that go out of the members', {
  charm: underTest,
  given: async () => {
    const given = await running({ leader: true, others: [1, 2] });
    const members = [primary(0), replica(1), replica(2)];
    const dyingUnits = [given.unit, 'postgresql-k8s/2'];
    return withStorage({
      ...inWorld(given, { patroni: { members } }),
      dyingUnits,
      plannedUnits: 1,
    });
  },
  when: storageDetaching(pgdata),
  then: ({ state: after }) => {
    expect(relationOf(after, 'database-peers').localApp['endpoints']).toBe(endpoints(1));
  },
});

/** The leader stays; unit 2 goes, without Juju having said so. */
async function left(): Promise<PostgresqlState> {
  const given = await running({ leader: true, others: [1, 2] });
  const relations = given.relations.map((each) => ({
    ...each,
    remoteUnits: { ...each.remoteUnits, 'postgresql-k8s/2': { departing: 'True' } },
  }));
  return {
    ...inWorld({ ...given, relations }, { patroni: { members: [primary(0), replica(1)] } }),
    dyingUnits: ['postgresql-k8s/2'],
    plannedUnits: 2,
  };
}

const leftBehind = ({ state: after }: { readonly state: PostgresqlState }): void => {
  expect(relationOf(after, 'database-peers').localApp['endpoints']).toBe(endpoints(0, 1));
  expect(after.world.patroni.config['synchronous_node_count']).toBe(1);
  expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
};

scenario('the leader follows a departure that it learns of from the unit that goes', {
  charm: underTest,
  given: left,
  when: (given) => relationChanged(relationOf(given, 'database-peers'), 'postgresql-k8s/2'),
  then: leftBehind,
});

scenario('the leader finds a departure that nobody told it about', {
  charm: underTest,
  given: left,
  when: updateStatus,
  then: leftBehind,
});
