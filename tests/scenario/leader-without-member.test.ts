// The Juju leader's own member is down, for whatever reason: what the members share follows all the same,
// through whichever of them answers.

import { expect } from '@jest/globals';

import { fileEntry } from '../support/pebble-state.ts';
import {
  configChanged,
  leaderElected,
  relationChanged,
  relationDeparted,
  updateStatus,
} from '../support/scenario/events.ts';
import {
  after as afterEvents,
  inContainer,
  inWorld,
  primary,
  replica,
  running,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { relationOf } from '../support/scenario/state.ts';

const gibibyte = 2 ** 30;
const seen = JSON.stringify({
  disk: { level: 'ok', free_percent: 70, total: gibibyte, read_only: false },
  fences: [],
});

/** The leader has been a replica of unit 1 with a small volume; then its container went. */
async function withoutContainer(
  config: PostgresqlState['config'] = {},
  others: readonly number[] = [1],
): Promise<PostgresqlState> {
  const before = inContainer(
    { ...(await running({ leader: true, others, primary: 1 })), config },
    ({ files }) => ({ files: { ...files, '/run/charm-watch.json': fileEntry(seen) } }),
  );
  const given = await afterEvents(before, configChanged);
  const gone = inContainer(given, () => ({ canConnect: false, services: {} }));
  return inWorld(gone, {
    patroni: { members: [primary(1), ...others.slice(1).map((number) => replica(number))] },
  });
}

const sharedOf = ({ world }: PostgresqlState) => world.patroni.config;

scenario('writes that wait for a replica go on with synchronous_mode_strict=false', {
  charm: underTest,
  given: async () => ({
    ...(await withoutContainer()),
    config: { synchronous_mode_strict: false },
  }),
  when: configChanged,
  then: ({ state: after }) => {
    expect(sharedOf(after)['synchronous_mode_strict']).toBe(false);
    expect(after.unitStatus.message).toBe('waiting for the workload container');
  },
});

scenario('what follows from the own volume or the own Patroni stays as it is', {
  charm: underTest,
  given: async () => ({
    ...(await withoutContainer({ synchronous_mode_quorum: true })),
    config: { synchronous_mode_quorum: true, durability_wal_keep_size: 8000 },
  }),
  when: configChanged,
  then: ({ state: after }) => {
    expect(sharedOf(after)).toMatchObject({
      synchronous_mode: 'quorum',
      postgresql: { parameters: { wal_keep_size: 256 } },
    });
  },
});

/** Unit 2 is being removed. */
async function withDeparture(): Promise<PostgresqlState> {
  const given = await withoutContainer({}, [1, 2]);
  expect(sharedOf(given)['synchronous_node_count']).toBe(2);
  return {
    ...inWorld(given, { patroni: { members: [primary(1)] } }),
    dyingUnits: ['postgresql-k8s/2'],
    plannedUnits: 2,
  };
}

const departures = {
  'peer-relation-departed': (given: PostgresqlState) =>
    relationDeparted(relationOf(given, 'database-peers'), 'postgresql-k8s/2'),
  'peer-relation-changed': (given: PostgresqlState) =>
    relationChanged(relationOf(given, 'database-peers'), 'postgresql-k8s/1'),
  'leader-elected': () => leaderElected,
  'update-status': () => updateStatus,
};

for (const [name, when] of Object.entries(departures)) {
  scenario(`commits no longer wait for a unit that was removed (${name})`, {
    charm: underTest,
    given: withDeparture,
    when,
    then: ({ state: after }) => {
      expect(sharedOf(after)['synchronous_node_count']).toBe(1);
    },
  });
}

scenario('what could not be told while nobody answered is told by update-status', {
  charm: underTest,
  given: async () => {
    const given = { ...(await withoutContainer()), config: { synchronous_mode_strict: false } };
    const [member] = given.world.patroni.members;
    if (member === undefined) throw new Error('nobody leads');
    const silent = inWorld(given, {
      patroni: { members: [{ ...member, silent: 'timeout' }] },
    });
    const later = await afterEvents(silent, configChanged);
    expect(sharedOf(later)['synchronous_mode_strict']).toBe(true);
    return inWorld(later, { patroni: { members: [member] } });
  },
  when: updateStatus,
  then: ({ state: after }) => {
    expect(sharedOf(after)['synchronous_mode_strict']).toBe(false);
  },
});

scenario('a Patroni whose PostgreSQL does not start is told at once', {
  charm: underTest,
  given: async () => ({
    ...inWorld(await running({ leader: true, others: [1], primary: 1 }), {
      patroni: { members: [replica(0, 'start failed'), { ...primary(1), silent: 'refused' }] },
    }),
    config: { synchronous_mode_strict: false },
  }),
  when: configChanged,
  then: ({ state: after }) => {
    expect(sharedOf(after)['synchronous_mode_strict']).toBe(false);
    expect(after.unitStatus.message).toBe('awaiting for member to start');
  },
});

scenario('a unit that does not lead leaves it to the leader', {
  charm: underTest,
  given: async () => {
    const given = await running({ number: 1, others: [0], primary: 0 });
    const down = inContainer(given, () => ({ canConnect: false, services: {} }));
    return {
      ...inWorld(down, { patroni: { members: [primary(0)] } }),
      config: { synchronous_mode_strict: false, failover_ttl: 30 },
    };
  },
  when: configChanged,
  then: ({ calls }) => {
    expect(calls.filter(({ summary }) => summary.includes('PATCH'))).toEqual([]);
  },
});
