// Storage that goes away, or refuses, while pgBackRest is asked: what that means for the repository in
// use, and what the operator is told. pgBackRest calls it a success, and lists a stanza that is none.

import { expect } from '@jest/globals';

import { type ExecResponder, programTimedOut } from '../support/fake-pebble.ts';
import { action, relationChanged } from '../support/scenario/events.ts';
import { backedUp, inWorld, running, underTest } from '../support/scenario/postgresql/journey.ts';
import { type PostgresqlState, s3Relation } from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { relationOf } from '../support/scenario/state.ts';

const stanza = 'test-model.patroni-postgresql-k8s';
const label = '20260130-120000F';
const changed = (given: PostgresqlState) => relationChanged(relationOf(given, 's3-parameters'));

const refused = `[ProtocolError] HTTP request failed with 403 (Forbidden):
*** Path/Query ***:
GET /backups/?delimiter=%2F&list-type=2&prefix=postgresql%2Fbackup%2F`;

/** As pgBackRest 2.55 says it, with exit code 0. */
function unread(message: string) {
  const status = { code: 99, message: 'other', lock: { backup: { held: false } } };
  const repo = [{ cipher: 'none', key: 1, status: { code: 99, message } }];
  const stanzas = [{ archive: [], backup: [], cipher: 'none', db: [], name: '[invalid]', repo }];
  return { stdout: JSON.stringify(stanzas.map((one) => ({ ...one, status }))) };
}

const answering = (respond: ExecResponder['respond']) => () => ({
  postgresql: [{ command: ['pgbackrest', 'info'], respond }],
});
const refusing = answering(() => unread(refused));

const withBackup = async () =>
  inWorld(await backedUp(), { pgbackrest: { backups: [{ label, stanza }] } });

scenario('a repository that pgBackRest cannot read is not called that of others', {
  charm: underTest,
  given: withBackup,
  when: changed,
  execs: refusing,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({
      level: 'blocked',
      message:
        'failed to initialize stanza, check your S3 settings: cannot run pgbackrest info: ' +
        '[ProtocolError] HTTP request failed with 403 (Forbidden)',
    });
    // WAL goes on to wait for it.
    expect(relationOf(after, 'database-peers').localApp).toMatchObject({ stanza });
    const { config } = after.world.patroni;
    expect(JSON.stringify(config)).toContain(`--stanza=${stanza} archive-push`);
  },
});

scenario('storage that goes while the repository is set up is reported as such', {
  charm: underTest,
  given: async () => await running({ leader: true, relations: [s3Relation()] }),
  when: changed,
  execs: answering(({ command }) => {
    throw programTimedOut(command);
  }),
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({
      level: 'blocked',
      message:
        'failed to initialize stanza, check your S3 settings: cannot run pgbackrest info: ' +
        'no end within 60 s: the storage is slow or does not answer',
    });
  },
});

/** As pgBackRest says it when a server goes on answering so. */
const answered = {
  'is full': {
    answer: '[507] Insufficient Storage',
    hint: 'Free space on the storage server, or raise its quota.',
  },
  'does not say what ails it': {
    answer: '[500] Internal Server Error',
    hint: 'See the log of the storage server, and whether it has space left.',
  },
};
for (const [what, { answer, hint }] of Object.entries(answered)) {
  scenario(`a storage that ${what} fails the backup with what to do, though it takes its log`, {
    charm: underTest,
    given: async () =>
      inWorld(await backedUp(), {
        pgbackrest: { faults: { backup: `ERROR: [101]: raised from local-1 protocol: ${answer}` } },
      }),
    when: action('create-backup', { type: 'full' }),
    then: ({ action: { failed } }) => {
      expect(failed).toBe(
        'Failed to backup PostgreSQL with error: cannot run pgbackrest backup: ' +
          `[101]: raised from local-1 protocol: ${answer}. ${hint}`,
      );
    },
    loosen: {
      secondRun: 'each attempt keeps a log of its own',
      differences: [
        { path: 'world.objectStore.buckets', because: 'logs carry the time of the attempt' },
        {
          path: 'containers.postgresql.files./var/lib/postgresql/metrics/backup.prom',
          because: 'each attempt that fails is counted',
        },
      ],
    },
  });

  scenario(`a storage that ${what} while the repository is set up is reported with what to do`, {
    charm: underTest,
    given: async () =>
      inWorld(await running({ leader: true, relations: [s3Relation()] }), {
        pgbackrest: { faults: { 'stanza-create': `ERROR: [101]: ${answer}` } },
      }),
    when: changed,
    then: ({ state: after }) => {
      expect(after.unitStatus).toEqual({
        level: 'blocked',
        message:
          'failed to initialize stanza, check your S3 settings: cannot run pgbackrest stanza-create: ' +
          `[101]: ${answer}. ${hint}`,
      });
    },
  });
}

/** A leader that was cut off from its storage between the two files that make a stanza. */
const madeByHalf = async (archive: PostgresqlState['world']['pgbackrest']['archive'] = {}) => {
  const half = ['archive.info', 'archive.info.copy'].map((name) => `archive/${stanza}/${name}`);
  const given = await running({ leader: true, relations: [s3Relation()] });
  return inWorld(given, { pgbackrest: { half, archive } });
};

scenario('a stanza whose creation was cut short is made anew', {
  charm: underTest,
  given: madeByHalf,
  when: changed,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
    expect(relationOf(after, 'database-peers').localApp).toMatchObject({ stanza });
    expect(after.world.pgbackrest).toMatchObject({ stanzas: [stanza] });
    expect(after.world.pgbackrest.half).toBeUndefined();
  },
});

scenario('a stanza that has lost a file is left alone where there is more in it', {
  charm: underTest,
  given: async () =>
    await madeByHalf({ [`${stanza}/17-1/0000000100000000/segment`]: { seconds: 1 } }),
  when: changed,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({
      level: 'blocked',
      message:
        'failed to initialize stanza, check your S3 settings: cannot run pgbackrest stanza-create: ' +
        '[055]: archive.info exists but backup.info is missing on repo1',
    });
    expect(after.world.pgbackrest.half).toHaveLength(2);
  },
});

const listBackups = action('list-backups');

scenario('what pgBackRest cannot read is no empty list', {
  charm: underTest,
  given: withBackup,
  when: listBackups,
  execs: refusing,
  then: ({ state: after, action: { failed } }) => {
    expect(failed).toBe(
      'Failed to list PostgreSQL backups with error: cannot run pgbackrest info: ' +
        '[ProtocolError] HTTP request failed with 403 (Forbidden)',
    );
    expect(relationOf(after, 'database-peers').localApp['last-backup']).toBeUndefined();
  },
});

scenario('keys that are refused are named, rather than the answer that pgBackRest got', {
  charm: underTest,
  given: async () => inWorld(await withBackup(), { objectStore: { fault: 'wrong-key' } }),
  when: listBackups,
  execs: refusing,
  then: ({ action: { failed } }) => {
    expect(failed).toBe(
      'Failed to list PostgreSQL backups with error: cannot access bucket "backups": wrong-key. ' +
        'Check the access key.',
    );
  },
});

const down = async () => inWorld(await withBackup(), { objectStore: { fault: 'unreachable' } });
const unasked = answering(() => {
  throw new Error('pgBackRest would try for minutes');
});
const nobodyAnswers =
  'Failed to list PostgreSQL backups with error: cannot access bucket "backups": unreachable. ' +
  'Check the endpoint, and whether the storage server is up.';

scenario('where nobody answers list-backups says so at once', {
  charm: underTest,
  given: down,
  when: listBackups,
  execs: unasked,
  then: ({ action: { failed } }) => {
    expect(failed).toBe(nobodyAnswers);
  },
});

const atOnce = [
  {
    name: 'delete-backup',
    params: { 'backup-id': '2026-01-30T12:00:00Z', dependents: false, force: false },
    start: 'Failed to delete the backup',
  },
  { name: 'verify-backups', params: {}, start: 'Failed to verify the backups' },
  {
    name: 'create-backup',
    params: { type: 'incremental' },
    start: 'Failed to upload metadata to provided S3',
  },
];
for (const { name, params, start } of atOnce) {
  scenario(`where nobody answers ${name} says so at once, and touches nothing`, {
    charm: underTest,
    given: down,
    when: action(name, params),
    execs: unasked,
    then: ({ state: after, action: { failed } }) => {
      expect(failed).toMatch(
        new RegExp(`^${start}: .*unreachable. Check the endpoint, and whether the storage server`),
      );
      expect(after.world.pgbackrest.backups).toHaveLength(1);
      expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
    },
  });
}

scenario('where nobody answers restore says so at once, and touches nothing', {
  charm: underTest,
  given: down,
  when: action('restore', { 'backup-id': '2026-01-30T12:00:00Z' }),
  execs: unasked,
  then: ({ state: after, action: { failed } }) => {
    expect(failed).toBe(nobodyAnswers);
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});
