// Settings that lead to another repository while the leader cannot act on them, or nobody leads: it is
// set up as soon as somebody can, and until then nothing is done there.

import { expect } from '@jest/globals';

import { fileEntry } from '../support/pebble-state.ts';
import {
  configChanged,
  leaderElected,
  relationChanged,
  updateStatus,
} from '../support/scenario/events.ts';
import {
  after as afterEvents,
  backedUp,
  inContainer,
  inWorld,
  primary,
  stanza,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import { type PostgresqlState, s3Relation } from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { relationOf } from '../support/scenario/state.ts';

const elsewhere = s3Relation({ fields: { path: '/elsewhere' } });
const changed = relationChanged(elsewhere);

/** The settings lead to another path than that in use; no unit has been told. */
function moved(given: PostgresqlState): PostgresqlState {
  const relations = given.relations.map((one) => (one.id === elsewhere.id ? elsewhere : one));
  return { ...given, relations };
}

const blocked = (given: PostgresqlState, message: string): PostgresqlState => ({
  ...given,
  unitStatus: { level: 'blocked', message },
});

const repositoryOf = (given: PostgresqlState) =>
  relationOf(given, 'database-peers').localApp['repository'];

function expectMoved(given: PostgresqlState): void {
  expect(relationOf(given, 'database-peers').localApp).toMatchObject({ stanza });
  expect(given.world.objectStore.buckets['backups']).toMatchObject({
    [`elsewhere/archive/${stanza}/archive.info`]: expect.stringContaining('[backrest]'),
    'elsewhere/model-uuid.txt': given.model.uuid,
  });
}

function expectUntouched(given: PostgresqlState): void {
  const keys = Object.keys(given.world.objectStore.buckets['backups'] ?? {});
  expect(keys.filter((key) => key.startsWith('elsewhere/'))).toEqual([]);
}

const lowDisk = { disk: { level: 'low', free_percent: 7, total: 2 ** 30, read_only: false } };
const fullDisk = { disk: { level: 'full', free_percent: 1, total: 2 ** 30, read_only: true } };
const disks = [
  { seen: lowDisk, message: '<10% free space on pgdata volume.' },
  { seen: fullDisk, message: 'pgdata volume is full, clients may only read' },
];

for (const { seen, message } of disks) {
  scenario(`a leader that shows "${message}" moves on: archiving is what helps`, {
    charm: underTest,
    given: async () =>
      inContainer(moved(blocked(await backedUp(), message)), ({ files }) => ({
        files: { ...files, '/run/charm-watch.json': fileEntry(JSON.stringify(seen)) },
      })),
    when: changed,
    then: ({ state: after }) => {
      expectMoved(after);
      expect(after.unitStatus.message).toBe(message);
    },
  });
}

const wrongOption = async () => {
  const given = moved(blocked(await backedUp(), 'Configuration Error: profile'));
  return await afterEvents({ ...given, config: { profile: 'huge' } }, changed);
};

scenario('settings that came while an option was wrong are followed when it is right', {
  charm: underTest,
  given: async () => {
    const given = await wrongOption();
    expectUntouched(given);
    return { ...given, config: {} };
  },
  when: configChanged,
  then: ({ state: after }) => {
    expectMoved(after);
  },
});

scenario('settings that came while the leader was blocked are followed by update-status', {
  charm: underTest,
  given: async () => {
    const given = moved(blocked(await backedUp(), 'Extensions not in the image: vector'));
    const told = await afterEvents(given, changed);
    expectUntouched(told);
    return told;
  },
  when: updateStatus,
  then: ({ state: after }) => {
    expectMoved(after);
  },
});

/** The other unit led when the settings came, or nobody did. */
const newLeader = async () => {
  const given = moved(await backedUp({ others: [1] }));
  const told = await afterEvents({ ...given, leader: false }, changed);
  expectUntouched(told);
  return { ...told, leader: true };
};

scenario('a new leader follows settings that came before it led', {
  charm: underTest,
  given: newLeader,
  when: leaderElected,
  then: ({ state: after }) => {
    expectMoved(after);
  },
});

scenario('a new leader that cannot do it yet does it with update-status', {
  charm: underTest,
  given: async () => {
    const given = await newLeader();
    const stopped = { ...primary(0), state: 'stopped' };
    const members = given.world.patroni.members.map((one) =>
      one.name === stopped.name ? stopped : one,
    );
    const elected = await afterEvents(inWorld(given, { patroni: { members } }), leaderElected);
    expectUntouched(elected);
    return inWorld(elected, { patroni: { members: given.world.patroni.members } });
  },
  when: updateStatus,
  then: ({ state: after }) => {
    expectMoved(after);
  },
});

scenario('a new leader leaves settings alone that have been acted upon', {
  charm: underTest,
  given: async () => await backedUp({ others: [1] }),
  when: leaderElected,
  then: ({ state: after, disturbances, execs }) => {
    expect(repositoryOf(after)).toBeDefined();
    expect(disturbances).toEqual([]);
    expect(execs['postgresql']?.filter(({ command }) => command[0] === 'pgbackrest')).toEqual([]);
  },
});
