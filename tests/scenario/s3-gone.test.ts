// The relation goes while a container does not answer, or while the leader changes: no WAL waits for a
// place that is gone, and no keys stay.

import { expect } from '@jest/globals';

import {
  leaderElected,
  relationBroken,
  relationChanged,
  updateStatus,
} from '../support/scenario/events.ts';
import {
  after as afterEvents,
  backedUp,
  fileOf,
  inContainer,
  inWorld,
  running,
  stanza,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import { type PostgresqlState, s3Relation } from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { relationOf } from '../support/scenario/state.ts';

const s3 = s3Relation();
const broken = (given: PostgresqlState) => relationBroken(relationOf(given, 's3-parameters'));

/** The relation as it is when it breaks: its units have departed. */
function breaking(given: PostgresqlState): PostgresqlState {
  const relations = given.relations.map((one) =>
    one.id === s3.id ? { ...one, remoteUnits: {} } : one,
  );
  return { ...given, relations };
}

/** This unit has been told that it broke. */
async function told(given: PostgresqlState): Promise<PostgresqlState> {
  const reached = await afterEvents(breaking(given), broken(given));
  return { ...reached, relations: reached.relations.filter(({ id }) => id !== s3.id) };
}

const answering = (given: PostgresqlState, canConnect: boolean) =>
  inContainer(given, () => ({ canConnect }));

const app = (given: PostgresqlState) => relationOf(given, 'database-peers').localApp;
const file = (given: PostgresqlState) => fileOf(given, '/etc/pgbackrest.conf');
const archiveCommand = ({ world }: PostgresqlState) =>
  JSON.stringify(world.patroni.config).match(/"archive_command":"([^"]*)"/)?.[1];

function expectForgotten(given: PostgresqlState): void {
  expect(app(given)['stanza']).toBeUndefined();
  expect(app(given)['repository']).toBeUndefined();
  expect(archiveCommand(given)).toBe('/bin/true');
}

scenario('a leader whose container does not answer switches archiving off all the same', {
  charm: underTest,
  given: async () => answering(breaking(await backedUp({ others: [1], primary: 1 })), false),
  when: broken,
  then: ({ state: after }) => {
    expectForgotten(after);
    expect(file(after)).toContain('repo1-s3-key');
  },
});

scenario('what stays in a container that did not answer goes when it does', {
  charm: underTest,
  given: async () => answering(await told(answering(await backedUp(), false)), true),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(file(after)).toBeUndefined();
    expect(JSON.stringify(after.containers)).not.toContain('secret-key-of-tests');
  },
});

const other = { number: 1, others: [0], primary: 0, app: { stanza }, relations: [s3] };

scenario('so do the keys of a unit that does not lead, however long that takes', {
  charm: underTest,
  given: async () => {
    const given = await afterEvents(await running(other), relationChanged(s3));
    expect(file(given)).toContain('repo1-s3-key');
    const silent = await afterEvents(await told(answering(given, false)), updateStatus);
    return answering(silent, true);
  },
  when: updateStatus,
  then: ({ state: after }) => {
    expect(file(after)).toBeUndefined();
  },
});

/** The leader is lost before it was told; this unit has been, without leading. */
const leftBehind = async () => {
  const given = { ...(await backedUp({ others: [1] })), leader: false };
  const reached = await told(given);
  expect(app(reached)).toMatchObject({ stanza });
  return { ...reached, leader: true };
};

scenario('a new leader does what the one before was not told', {
  charm: underTest,
  given: leftBehind,
  when: leaderElected,
  then: ({ state: after }) => {
    expectForgotten(after);
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

scenario('what the repository was blocked by goes with the relation, whoever was told', {
  charm: underTest,
  given: async () => {
    const given = inWorld(await backedUp({ others: [1] }), {
      objectStore: { fault: 'unreachable' },
    });
    const reached = await told({
      ...(await afterEvents(given, relationChanged(s3))),
      leader: false,
    });
    return { ...reached, leader: true };
  },
  when: updateStatus,
  then: ({ state: after }) => {
    expectForgotten(after);
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});
