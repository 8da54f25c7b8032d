// That archiving works is said when a segment is in the repository that the settings name: the command of
// before takes WAL, too, and so does the primary that has not heard of other settings.

import { expect } from '@jest/globals';

import { relationChanged, updateStatus } from '../support/scenario/events.ts';
import {
  after as afterEvents,
  backedUp,
  fileOf,
  inWorld,
  running,
  stanza,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import { type PostgresqlState, s3Relation } from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { relationOf } from '../support/scenario/state.ts';

const s3 = s3Relation();
const elsewhere = s3Relation({ fields: { path: '/elsewhere' } });

const app = (given: PostgresqlState) => relationOf(given, 'database-peers').localApp;
const archiveCommand = ({ world }: PostgresqlState) =>
  JSON.stringify(world.patroni.config).match(/"archive_command":"([^"]*)"/)?.[1];
const pushing = `pgbackrest --stanza=${stanza} archive-push %p`;

/** Names of the segments below a path of the bucket. */
function segmentsIn({ world }: PostgresqlState, path: string): readonly string[] {
  const start = `${path}/archive/${stanza}/17-1/0000000100000000/`;
  const keys = Object.keys(world.objectStore.buckets['backups'] ?? {});
  return keys.filter((key) => key.startsWith(start)).map((key) => key.slice(start.length));
}

const related = async () =>
  await running({ leader: true, others: [1], primary: 1, relations: [s3] });

scenario('WAL that the command of before has taken is no proof', {
  charm: underTest,
  given: related,
  when: relationChanged(s3),
  then: ({ state: after }) => {
    expect(app(after)).toMatchObject({ stanza });
    expect(segmentsIn(after, 'postgresql')).toEqual([
      expect.stringMatching(/^000000010000000000000003-[0-9a-f]{40}\.zst$/),
    ]);
  },
});

/** The primary, on another unit, is busy: its file of pgBackRest is still that of before. */
async function moving(): Promise<PostgresqlState> {
  const given = inWorld(await backedUp({ others: [1], primary: 1 }), {
    postgres: { formerPath: 'postgresql' },
  });
  const relations = given.relations.map((one) => (one.id === elsewhere.id ? elsewhere : one));
  return { ...given, relations };
}

scenario('while the primary archives into the repository of before, that one stays in use', {
  charm: underTest,
  given: moving,
  when: relationChanged(elsewhere),
  then: async ({ state: after }) => {
    expect(after.unitStatus).toEqual({
      level: 'blocked',
      message:
        'failed to archive WAL, check your S3 settings: ' +
        'postgresql-k8s/1 has not taken them over yet',
    });
    const { repository } = app(await moving());
    expect(app(after)).toMatchObject({ stanza, repository });
    expect(archiveCommand(after)).toBe(pushing);
    expect(segmentsIn(after, 'elsewhere')).toEqual([]);
  },
});

scenario('when the primary has taken the settings over, update-status says so', {
  charm: underTest,
  given: async () => {
    const given = await afterEvents(await moving(), relationChanged(elsewhere));
    const { formerPath: _former, ...postgres } = given.world.postgres;
    return { ...given, world: { ...given.world, postgres } };
  },
  when: updateStatus,
  then: async ({ state: after }) => {
    expect(segmentsIn(after, 'elsewhere')).toHaveLength(1);
    expect(app(after)['repository']).not.toBe(app(await moving())['repository']);
    expect(after.unitStatus).toEqual({ level: 'active', message: '' });
  },
});

scenario('WAL that arrives nowhere is not kept for a repository that has never been in use', {
  charm: underTest,
  given: async () => inWorld(await related(), { postgres: { formerPath: 'nowhere' } }),
  when: relationChanged(s3),
  then: ({ state: after }) => {
    expect(after.unitStatus.message).toBe('failed to archive WAL, check your S3 settings');
    expect(app(after)['stanza']).toBeUndefined();
    expect(archiveCommand(after)).toBe('/bin/true');
  },
});

scenario('a primary that has missed the settings takes them over when the leader waits for it', {
  charm: underTest,
  given: async () => {
    const message =
      'failed to archive WAL, check your S3 settings: ' +
      'postgresql-k8s/1 has not taken them over yet';
    const unit = { number: 1, others: [0], app: { stanza }, relations: [s3] };
    const given = await afterEvents(await running(unit), relationChanged(s3));
    const relations = given.relations.map((one) => {
      if (one.id === elsewhere.id) return elsewhere;
      const localApp = { ...one.localApp, 's3-initialization-block-message': message };
      return { ...one, localApp };
    });
    return { ...given, relations };
  },
  when: updateStatus,
  then: ({ state: after }) => {
    expect(fileOf(after, '/etc/pgbackrest.conf')).toContain('repo1-path=/elsewhere\n');
  },
});
