// What can be wrong with object storage: the sentence that the leader shows, and how it heals, by
// other settings at once and by a repaired storage with the next update-status.

import { expect } from '@jest/globals';

import type { FakeStorage } from '../support/fake-object-store.ts';
import { configChanged, relationChanged, updateStatus } from '../support/scenario/events.ts';
import {
  after as afterEvents,
  backedUp,
  inWorld,
  running,
  stanza,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import { type PostgresqlState, s3Relation } from '../support/scenario/postgresql/postgresql.ts';
import type { PgbackrestWorld } from '../support/scenario/postgresql/world.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { type DataBag, relationOf } from '../support/scenario/state.ts';

interface Fault {
  readonly what: string;
  readonly storage?: Partial<FakeStorage>;
  readonly repository?: Partial<PgbackrestWorld>;
  /** Settings with which all is well, whatever becomes of the storage. */
  readonly corrected: DataBag;
  /** What follows `failed to …, check your S3 settings`. */
  readonly message: string;
}

const chain =
  '-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUd29ydGhsZXNz\n-----END CERTIFICATE-----\n';
const endpoint = 'https://s3.example.com';

const bucketMessage =
  'failed to access/create the bucket, check your S3 settings: cannot access bucket "backups"';
const foreignMessage = 'the S3 repository has backups from another cluster';
const stanzaMessage = 'failed to initialize stanza, check your S3 settings';

const faults: readonly Fault[] = [
  {
    what: 'a wrong access key',
    storage: { keys: { accessKey: 'right-access-key', secretKey: 'secret-key-of-tests' } },
    corrected: { 'access-key': 'right-access-key' },
    message: `${bucketMessage}: wrong-key. Check the access key.`,
  },
  {
    what: 'a wrong secret key',
    storage: { keys: { accessKey: 'access-key-of-tests', secretKey: 'right-secret-key' } },
    corrected: { 'secret-key': 'right-secret-key' },
    message: `${bucketMessage}: wrong-secret. Check the secret key.`,
  },
  {
    what: 'an address at which nobody answers',
    storage: { address: { endpoint: 'https://storage.example.com', caChain: chain } },
    corrected: { endpoint: 'https://storage.example.com', 'tls-ca-chain': JSON.stringify([chain]) },
    message: `${bucketMessage}: unreachable. Check the endpoint, and whether the storage server is up.`,
  },
  {
    what: 'a certificate of an authority that is not known',
    storage: { address: { endpoint, caChain: chain } },
    corrected: { 'tls-ca-chain': JSON.stringify([chain]) },
    message: `${bucketMessage}: untrusted. Set tls-ca-chain to the authority that signed the storage server's certificate.`,
  },
  {
    what: 'a repository that another model owns',
    storage: { buckets: { backups: { 'postgresql/model-uuid.txt': 'another-uuid\n' } } },
    corrected: { path: '/elsewhere' },
    message: foreignMessage,
  },
  {
    what: 'a repository with the stanza of another cluster',
    repository: { stanzas: ['old-model.patroni-old'] },
    corrected: { path: '/elsewhere' },
    message: foreignMessage,
  },
  {
    what: 'a repository that pgBackRest cannot read',
    repository: { faults: { info: 'ERROR: [039]: invalid xml' } },
    corrected: { path: '/elsewhere' },
    message: `${stanzaMessage}: cannot run pgbackrest info: [039]: invalid xml`,
  },
];

const wellStored = { buckets: {} };
const wellKept = { stanzas: [], backups: [], archive: {}, faults: {} };

/** A leader that learns of storage with this fault. */
async function related({ storage, repository }: Fault): Promise<PostgresqlState> {
  const given = await running({ leader: true, relations: [s3Relation()] });
  return inWorld(given, {
    objectStore: { ...wellStored, ...storage },
    pgbackrest: { ...wellKept, ...repository },
  });
}

const changed = (given: PostgresqlState) => relationChanged(relationOf(given, 's3-parameters'));

async function blockedBy(fault: Fault): Promise<PostgresqlState> {
  const given = await related(fault);
  return await afterEvents(given, changed(given));
}

function withSettings(given: PostgresqlState, fields: DataBag): PostgresqlState {
  const other = s3Relation({ fields });
  const relations = given.relations.map((one) => (one.id === other.id ? other : one));
  return { ...given, relations };
}

const healthy = (given: PostgresqlState) => {
  expect(relationOf(given, 'database-peers').localApp).toMatchObject({ stanza });
  expect(given.unitStatus).toEqual({ level: 'active', message: 'Primary' });
};

for (const fault of faults) {
  scenario(`${fault.what} is reported with what to do`, {
    charm: underTest,
    given: async () => await related(fault),
    when: changed,
    then: ({ state: after, log }) => {
      expect(after.unitStatus).toEqual({ level: 'blocked', message: fault.message });
      expect(relationOf(after, 'database-peers').localApp['stanza']).toBeUndefined();
      expect(JSON.stringify([log, after.unitStatus])).not.toContain('secret-key-of-tests');
    },
  });

  scenario(`${fault.what} stays reported as long as it is there`, {
    charm: underTest,
    given: async () => await blockedBy(fault),
    when: updateStatus,
    then: ({ state: after }) => {
      expect(after.unitStatus).toEqual({ level: 'blocked', message: fault.message });
    },
  });

  scenario(`${fault.what} is healed by other settings`, {
    charm: underTest,
    given: async () => {
      const given = withSettings(await blockedBy(fault), fault.corrected);
      // Another path is another repository.
      return fault.corrected['path'] === undefined
        ? given
        : inWorld(given, { pgbackrest: wellKept });
    },
    when: changed,
    then: ({ state: after }) => {
      healthy(after);
    },
  });

  scenario(`${fault.what} is healed without a word when the storage is repaired`, {
    charm: underTest,
    given: async () => {
      const given = await blockedBy(fault);
      const world = { ...given.world, objectStore: wellStored, pgbackrest: wellKept };
      return { ...given, world };
    },
    when: updateStatus,
    then: ({ state: after }) => {
      healthy(after);
    },
  });
}

scenario('a repository of a database that was made anew under the same name is foreign', {
  charm: underTest,
  given: async () => await running({ leader: true, relations: [s3Relation()] }),
  when: changed,
  execs: () => ({
    postgresql: [
      {
        command: ['pgbackrest', 'info'],
        respond: () => ({
          stdout: JSON.stringify([
            { name: stanza, status: { code: 0, message: 'ok' }, db: [{ id: 1, 'system-id': 7 }] },
          ]),
        }),
      },
    ],
  }),
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({ level: 'blocked', message: foreignMessage });
  },
});

scenario('only the leader reports what is wrong with the storage', {
  charm: underTest,
  given: async () =>
    await running({
      number: 1,
      others: [0],
      primary: 0,
      app: { 's3-initialization-block-message': foreignMessage },
    }),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({ level: 'active', message: '' });
  },
});

scenario('a new leader sets up what the one before could not', {
  charm: underTest,
  given: async () => {
    const unit = { number: 1, others: [0], primary: 0, relations: [s3Relation()] };
    return { ...(await running(unit)), leader: true };
  },
  when: updateStatus,
  then: ({ state: after }) => {
    expect(relationOf(after, 'database-peers').localApp).toMatchObject({ stanza });
  },
});

scenario('a primary that moves just now is asked again later', {
  charm: underTest,
  given: async () =>
    inWorld(await running({ leader: true, relations: [s3Relation()] }), {
      postgres: { fault: 'unreachable' },
    }),
  when: changed,
  then: ({ state: after }) => {
    expect(after.unitStatus.message).toMatch(
      /^failed to archive WAL, check your S3 settings: cannot/,
    );
  },
});

scenario('settings that come while the database is down wait for it', {
  charm: underTest,
  given: async () =>
    inWorld(await backedUp(), {
      patroni: {
        members: [{ name: 'postgresql-k8s-0', role: 'leader', state: 'stopped', timeline: 1 }],
      },
    }),
  when: changed,
  then: ({ state: after, walks }) => {
    expect(walks[0]?.end).toBe('defer');
    expect(relationOf(after, 'database-peers').localApp).toMatchObject({ stanza });
  },
});

const archiveCommand = ({ world }: PostgresqlState) =>
  JSON.stringify(world.patroni.config).match(/"archive_command":"([^"]*)"/)?.[1];

const pushing = `pgbackrest --stanza=${stanza} archive-push %p`;

/** WAL arrives in the repository; then this happens to it. */
async function befallen(world: Parameters<typeof inWorld>[1]): Promise<PostgresqlState> {
  return inWorld(await backedUp(), world);
}

const outages: Readonly<Record<string, Parameters<typeof inWorld>[1]>> = {
  'a server that is down': { objectStore: { fault: 'unreachable' } },
  'keys that are refused': {
    objectStore: { keys: { accessKey: 'another', secretKey: 'another' } },
  },
  'a stanza that cannot be read': { pgbackrest: { faults: { info: 'ERROR: [039]: invalid xml' } } },
  'storage that takes nothing more': { postgres: { archiving: 'fails' } },
};

for (const [what, world] of Object.entries(outages)) {
  scenario(`WAL is kept for the repository in use, whatever is told of it during ${what}`, {
    charm: underTest,
    given: async () => await befallen(world),
    when: changed,
    then: ({ state: after }) => {
      expect(after.unitStatus.level).toBe('blocked');
      expect(archiveCommand(after)).toBe(pushing);
      expect(relationOf(after, 'database-peers').localApp).toMatchObject({ stanza });
    },
  });
}

scenario('when the repository in use answers again, update-status says so', {
  charm: underTest,
  given: async () => {
    const given = await befallen({ objectStore: { fault: 'unreachable' } });
    const down = await afterEvents(given, changed(given));
    const { fault: _, ...objectStore } = down.world.objectStore;
    return { ...down, world: { ...down.world, objectStore } };
  },
  when: updateStatus,
  then: ({ state: after }) => {
    healthy(after);
    expect(archiveCommand(after)).toBe(pushing);
  },
});

scenario('configuration that changes while the repository is down leaves archiving on', {
  charm: underTest,
  given: async () => {
    const given = await befallen({ objectStore: { fault: 'unreachable' } });
    return { ...(await afterEvents(given, changed(given))), config: { profile: 'testing' } };
  },
  when: configChanged,
  then: ({ state: after }) => {
    expect(archiveCommand(after)).toBe(pushing);
  },
});

const moves: Readonly<Record<string, DataBag>> = {
  'another path': { path: '/elsewhere' },
  'another bucket': { bucket: 'others' },
  'another server': { endpoint: 'https://storage.example.com' },
};

for (const [where, fields] of Object.entries(moves)) {
  scenario(`WAL is not kept for ${where} that nobody has reached yet`, {
    charm: underTest,
    given: async () =>
      withSettings(await befallen({ objectStore: { fault: 'unreachable' } }), fields),
    when: changed,
    then: ({ state: after }) => {
      expect(after.unitStatus.level).toBe('blocked');
      expect(archiveCommand(after)).toBe('/bin/true');
      expect(relationOf(after, 'database-peers').localApp['stanza']).toBeUndefined();
    },
  });
}

scenario('WAL is not kept for a repository that has become that of others', {
  charm: underTest,
  given: async () =>
    await befallen({
      objectStore: { buckets: { backups: { 'postgresql/model-uuid.txt': 'x\n' } } },
    }),
  when: changed,
  then: ({ state: after }) => {
    expect(after.unitStatus.message).toBe(foreignMessage);
    expect(archiveCommand(after)).toBe('/bin/true');
  },
});
