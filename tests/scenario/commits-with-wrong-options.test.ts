// What commits wait for, while another option is wrong: it follows its own options and the units that
// come and go, so that a mistake elsewhere holds up no writes.

import { expect } from '@jest/globals';

import {
  configChanged,
  pebbleNotice,
  relationDeparted,
  updateStatus,
} from '../support/scenario/events.ts';
import {
  after as afterEvents,
  inWorld,
  primary,
  replica,
  running,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { relationOf } from '../support/scenario/state.ts';

const wrong = { profile: 'huge' };
const error = 'Configuration Error: profile has to be one of production, testing, not "huge"';

/** A leader that leads, Blocked by a wrong option. */
async function mistaken(
  others: readonly number[],
  config: PostgresqlState['config'] = {},
): Promise<PostgresqlState> {
  const given = await running({ leader: true, others });
  return await afterEvents({ ...given, config: { ...wrong, ...config } }, configChanged);
}

/** The last of the units is being removed, and gone from Patroni. */
function withoutLast(given: PostgresqlState, number: number): PostgresqlState {
  const members = given.world.patroni.members.filter(
    ({ name }) => name !== `postgresql-k8s-${number}`,
  );
  return {
    ...inWorld(given, { patroni: { members } }),
    dyingUnits: [`postgresql-k8s/${number}`],
    plannedUnits: number,
  };
}

const sharedOf = ({ world }: PostgresqlState) => world.patroni.config;

const removals = {
  'peer-relation-departed': (given: PostgresqlState) =>
    relationDeparted(relationOf(given, 'database-peers'), 'postgresql-k8s/1'),
  'update-status': () => updateStatus,
};

for (const [name, when] of Object.entries(removals)) {
  scenario(`a member that stays alone does not wait for anybody (${name})`, {
    charm: underTest,
    given: async () => withoutLast(await mistaken([1]), 1),
    when,
    then: ({ state: after }) => {
      expect(sharedOf(after)['synchronous_mode_strict']).toBe(false);
      expect(after.unitStatus).toEqual({ level: 'blocked', message: error });
    },
  });
}

scenario('commits wait for those that are left', {
  charm: underTest,
  given: async () => withoutLast(await mistaken([1, 2]), 2),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(sharedOf(after)).toMatchObject({
      synchronous_node_count: 1,
      synchronous_mode_strict: true,
    });
  },
});

scenario('options of their own are followed, and no others', {
  charm: underTest,
  given: async () => ({
    ...(await mistaken([1, 2])),
    config: {
      ...wrong,
      synchronous_node_count: '1',
      synchronous_mode_strict: false,
      failover_ttl: 40,
    },
  }),
  when: configChanged,
  then: ({ state: after }) => {
    expect(sharedOf(after)).toMatchObject({
      synchronous_node_count: 1,
      synchronous_mode_strict: false,
      ttl: 20,
    });
    expect(after.unitStatus).toEqual({ level: 'blocked', message: error });
  },
});

scenario('what a unit was not told at once is done when its database starts', {
  charm: underTest,
  given: async () => ({
    ...(await mistaken([1, 2])),
    config: { ...wrong, synchronous_node_count: '1' },
  }),
  when: pebbleNotice('postgresql', 'postgresql.charm/on-start'),
  then: ({ state: after }) => {
    expect(sharedOf(after)['synchronous_node_count']).toBe(1);
  },
});

scenario('a count that is wrong itself stays, as far as there are so many', {
  charm: underTest,
  given: async () => {
    const given = await mistaken([1, 2, 3], { synchronous_node_count: 'some' });
    expect(sharedOf(given)['synchronous_node_count']).toBe(3);
    return withoutLast(given, 3);
  },
  when: updateStatus,
  then: ({ state: after }) => {
    expect(sharedOf(after)['synchronous_node_count']).toBe(2);
  },
});

scenario('that writes wait does not hide behind the mistake', {
  charm: underTest,
  given: async () =>
    inWorld(await mistaken([1]), { patroni: { members: [primary(0), replica(1, 'stopped')] } }),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({
      level: 'blocked',
      message: `${error}; writes wait for a replica`,
    });
  },
});

scenario('and is not told where they do not', {
  charm: underTest,
  given: async () =>
    inWorld(await mistaken([1], { synchronous_mode_strict: false }), {
      patroni: { members: [primary(0), replica(1, 'stopped')] },
    }),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({ level: 'blocked', message: error });
  },
});
