// Encryption of the repository: the pass of the operator, a repository that is otherwise, and what goes on
// whatever becomes of the secret.

import { expect } from '@jest/globals';

import { secret } from '../support/scenario/builders.ts';
import {
  action,
  configChanged,
  pebbleReady,
  relationBroken,
  relationChanged,
  secretEvent,
  updateStatus,
} from '../support/scenario/events.ts';
import {
  after as afterEvents,
  backedUp,
  backupLabel,
  fileOf,
  inNewContainer,
  inWorld,
  running,
  stanza,
  type Unit,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import { infoFile } from '../support/scenario/postgresql/pgbackrest-cipher.ts';
import { type PostgresqlState, s3Relation } from '../support/scenario/postgresql/postgresql.ts';
import type { RunResult } from '../support/scenario/run.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { type DataBag, relationOf, type SecretState, secretOf } from '../support/scenario/state.ts';

const first = 'the-first-pass-of-the-repository-0001';
const second = 'the-second-pass-of-the-repository-002';
const id = 'ciphercipherciphe001';

function userSecret(part: Partial<SecretState> & { readonly content?: DataBag } = {}): SecretState {
  return secret({ id, owner: 'foreign', content: { 'cipher-pass': first }, ...part });
}

/** With the option set to a secret, which may be one that cannot be read. */
function asking(given: PostgresqlState, of: SecretState = userSecret()): PostgresqlState {
  const others = given.secrets.filter((one) => one.id !== of.id);
  return {
    ...given,
    config: { ...given.config, backup_cipher_secret: `secret:${of.id}` },
    secrets: [...others, of],
  };
}

function withoutOption(given: PostgresqlState): PostgresqlState {
  const { backup_cipher_secret: _unset, ...config } = given.config;
  return { ...given, config };
}

function inAppBag(given: PostgresqlState, change: DataBag): PostgresqlState {
  const relations = given.relations.map((one) =>
    one.endpoint === 'database-peers' ? { ...one, localApp: { ...one.localApp, ...change } } : one,
  );
  return { ...given, relations };
}

function withoutSecret(given: PostgresqlState): PostgresqlState {
  return { ...given, secrets: given.secrets.filter((one) => one.id !== id) };
}

/** A new revision, as `juju update-secret` makes it. */
function updated(given: PostgresqlState, pass: string): PostgresqlState {
  const { tracked: _read, ...old } = given.secrets.find((one) => one.id === id) ?? userSecret();
  const revision = { revision: 2, content: { 'cipher-pass': pass } };
  return asking(given, { ...old, revisions: [...old.revisions, revision], tracked: 1 });
}

const path = '/etc/pgbackrest.conf';
const passIn = (given: PostgresqlState): string | undefined =>
  /^repo1-cipher-pass=(.*)$/m.exec(fileOf(given, path) ?? '')?.[1];
const s3Changed = (given: PostgresqlState) => relationChanged(relationOf(given, 's3-parameters'));
const appData = (given: PostgresqlState) => relationOf(given, 'database-peers').localApp;
const archiveInfo = (given: PostgresqlState): string | undefined =>
  given.world.objectStore.buckets['backups']?.[`postgresql/archive/${stanza}/archive.info`];
const archives = (given: PostgresqlState): boolean =>
  JSON.stringify(given.world.patroni.config).includes('archive-push');

/** A unit that is about to learn of storage. */
async function related(of: SecretState | undefined, unit: Unit = {}): Promise<PostgresqlState> {
  const alone = await running({ leader: true, ...unit });
  const given = { ...alone, relations: [...alone.relations, s3Relation()] };
  return of === undefined ? given : asking(given, of);
}

/** A leader whose backups are encrypted with the first pass. */
async function encrypted(): Promise<PostgresqlState> {
  const given = await related(userSecret());
  return await afterEvents(given, s3Changed(given));
}

/** Objects in the bucket, besides what is there. */
function stored(given: PostgresqlState, objects: DataBag): PostgresqlState {
  const bucket = { ...given.world.objectStore.buckets['backups'], ...objects };
  return inWorld(given, { objectStore: { buckets: { backups: bucket } } });
}

function withoutStanza(given: PostgresqlState): PostgresqlState {
  return inWorld(given, { objectStore: { buckets: { backups: {} } }, pgbackrest: { stanzas: [] } });
}

function keepsQuiet({
  log,
  state,
  action: { results, failed },
}: RunResult<PostgresqlState['world']>) {
  const bags = state.relations.flatMap(({ localApp, localUnit }) => [localApp, localUnit]);
  const shown = JSON.stringify([log, state.unitStatus, bags, results, failed]);
  for (const pass of [first, second]) expect(shown).not.toContain(pass);
}

const remedy =
  'set the option as it was, or another path in the S3 integrator, or remove the stanza';
const says = (what: string) => ({
  level: 'blocked',
  message: `backup_cipher_secret: ${what}`,
});

scenario('a new repository is encrypted with the pass of the operator', {
  charm: underTest,
  given: async () => await related(userSecret()),
  when: s3Changed,
  then: (result) => {
    const { state: after } = result;
    expect(passIn(after)).toBe(first);
    expect(fileOf(after, path)).toContain('repo1-cipher-type=aes-256-cbc\n');
    expect(after.containers['postgresql']?.files[path]).toMatchObject({ mode: '0600' });
    expect(archiveInfo(after)).toBe(infoFile(first));
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
    const kept = secretOf(after, 'database-peers.postgresql-k8s.app')?.revisions.at(-1)?.content;
    expect(kept).toMatchObject({
      'backup-cipher-pass': first,
      'backup-password': expect.any(String),
    });
    keepsQuiet(result);
  },
});

for (const record of ['not written by a charm', '{"place":["elsewhere"]}']) {
  scenario(
    `an encrypted repository keeps its pass when the record of it is unreadable: ${record}`,
    {
      charm: underTest,
      given: async () =>
        inAppBag(withoutOption(await encrypted()), { 'repository-cipher': record }),
      when: configChanged,
      then: (result) => {
        expect(passIn(result.state)).toBe(first);
        keepsQuiet(result);
      },
    },
  );

  scenario(`a record that is unreadable is written anew with the option as it was: ${record}`, {
    charm: underTest,
    given: async () => inAppBag(await encrypted(), { 'repository-cipher': record }),
    when: configChanged,
    then: ({ state: after }) => {
      expect(passIn(after)).toBe(first);
      expect(JSON.parse(appData(after)['repository-cipher'] ?? '')).toMatchObject({
        hash: expect.any(String),
      });
      expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
    },
  });
}

scenario('a unit that does not lead writes the same, before the leader has told anything', {
  charm: underTest,
  given: async () =>
    await related(userSecret(), { leader: false, number: 1, others: [0], primary: 0 }),
  when: s3Changed,
  then: ({ state: after }) => {
    expect(passIn(after)).toBe(first);
  },
});

const unusable: readonly {
  readonly what: string;
  readonly of: SecretState;
  readonly message: string;
}[] = [
  {
    what: 'that is not granted',
    of: userSecret({ denied: true }),
    message: 'the secret is not there, or not granted (juju grant-secret) to postgresql-k8s',
  },
  {
    what: 'without the field',
    of: userSecret({ content: { password: first } }),
    message: 'the secret has no field cipher-pass',
  },
  {
    what: 'with a short pass',
    of: userSecret({ content: { 'cipher-pass': 'x'.repeat(31) } }),
    message: 'cipher-pass has to be one line of at least 32 characters',
  },
  {
    what: 'with a pass of two lines',
    of: userSecret({ content: { 'cipher-pass': `${first}\nrepo1-path=/elsewhere` } }),
    message: 'cipher-pass has to be one line of at least 32 characters',
  },
];

for (const { what, of, message } of unusable) {
  scenario(`with a secret ${what} nothing is initialised, and the reason is shown`, {
    charm: underTest,
    given: async () => await related(of),
    when: s3Changed,
    then: (result) => {
      const { state: after } = result;
      expect(after.unitStatus).toEqual(says(message));
      expect(after.world.pgbackrest.stanzas).toEqual([]);
      expect(fileOf(after, path)).toBeUndefined();
      keepsQuiet(result);
    },
  });

  scenario(`a secret ${what} is no harm to a repository in use`, {
    charm: underTest,
    given: async () => asking(await encrypted(), of),
    when: configChanged,
    then: (result) => {
      const { state: after } = result;
      expect(after.unitStatus).toEqual(says(message));
      expect(passIn(after)).toBe(first);
      expect(archives(after)).toBe(true);
      expect(appData(after)).toMatchObject({ stanza });
      keepsQuiet(result);
    },
  });
}

scenario('a grant that comes late is taken up by update-status', {
  charm: underTest,
  given: async () => {
    const before = await related(userSecret({ denied: true }));
    return asking(await afterEvents(before, s3Changed(before)), userSecret());
  },
  when: updateStatus,
  then: ({ state: after }) => {
    expect(archiveInfo(after)).toBe(infoFile(first));
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

const changes: readonly {
  readonly what: string;
  readonly given: () => Promise<PostgresqlState>;
  readonly found: string;
  readonly pass: string | undefined;
}[] = [
  {
    what: 'the option on a repository that is not encrypted',
    given: async () => asking(await backedUp()),
    found: 'the repository is not encrypted',
    pass: undefined,
  },
  {
    what: 'no option any more on one that is encrypted',
    given: async () => withoutOption(await encrypted()),
    found: 'the repository is encrypted',
    pass: first,
  },
  {
    what: 'another pass',
    given: async () => updated(await encrypted(), second),
    found: 'the repository has another cipher-pass',
    pass: first,
  },
];

for (const { what, given, found, pass } of changes) {
  scenario(`${what} is refused, and everything goes on`, {
    charm: underTest,
    given,
    when: configChanged,
    then: (result) => {
      const { state: after } = result;
      expect(after.unitStatus).toEqual(says(`${found}; ${remedy}`));
      expect(passIn(after)).toBe(pass);
      expect(archives(after)).toBe(true);
      expect(archiveInfo(after)).toBe(infoFile(pass));
      keepsQuiet(result);
    },
  });

  scenario(`${what} keeps nobody from making a backup`, {
    charm: underTest,
    given: async () => await afterEvents(await given(), configChanged),
    when: action('create-backup'),
    then: (result) => {
      expect(result.action.results).toMatchObject({ 'backup-status': 'backup created' });
      expect(passIn(result.state)).toBe(pass);
      keepsQuiet(result);
    },
    loosen: {
      secondRun: 'ordering a backup again makes another backup',
      killOutcome: {
        because: 'an interrupted backup may have been made, and is ordered again',
        check: ({ world, unitStatus }) => {
          expect(world.pgbackrest.backups.length).toBeGreaterThan(0);
          expect(unitStatus).toEqual(says(`${found}; ${remedy}`));
        },
      },
    },
  });

  scenario(`${what} is over when the option is as it was`, {
    charm: underTest,
    given: async () => {
      const before = await afterEvents(await given(), configChanged);
      return pass === undefined ? withoutOption(before) : asking(before);
    },
    when: configChanged,
    then: ({ state: after }) => {
      expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
      expect(passIn(after)).toBe(pass);
    },
  });
}

scenario('an option that an outage has kept from being looked at is looked at by update-status', {
  charm: underTest,
  given: async () => asking(await backedUp()),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({
      level: 'blocked',
      message: expect.stringMatching(/^backup_cipher_secret: /),
    });
    expect(passIn(after)).toBeUndefined();
    expect(archives(after)).toBe(true);
  },
});

scenario('when the stanza has been removed, the repository begins anew as the option says', {
  charm: underTest,
  given: async () =>
    withoutStanza(await afterEvents(updated(await encrypted(), second), configChanged)),
  when: updateStatus,
  then: (result) => {
    const { state: after } = result;
    expect(passIn(after)).toBe(second);
    expect(archiveInfo(after)).toBe(infoFile(second));
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
    keepsQuiet(result);
  },
});

/** What is left of the information files when only these objects are. */
const leftovers: readonly { readonly what: string; readonly objects: DataBag }[] = [
  {
    what: 'only the copy of a file is left',
    objects: { [`postgresql/archive/${stanza}/archive.info.copy`]: infoFile(first) },
  },
  {
    what: 'a file is damaged',
    objects: { [`postgresql/backup/${stanza}/backup.info`]: 'damaged' },
  },
];

for (const { what, objects } of leftovers) {
  scenario(`when ${what}, the repository in use is not given up`, {
    charm: underTest,
    given: async () => {
      const refused = await afterEvents(updated(await encrypted(), second), configChanged);
      return inWorld(refused, { objectStore: { buckets: { backups: objects } } });
    },
    when: updateStatus,
    then: ({ state: after }) => {
      expect(after.unitStatus).toEqual(says(`the repository has another cipher-pass; ${remedy}`));
      expect(passIn(after)).toBe(first);
      expect(appData(after)).toMatchObject({ stanza });
    },
  });
}

scenario('at another path the repository begins as the option says', {
  charm: underTest,
  given: async () => {
    const given = await afterEvents(withoutOption(await encrypted()), configChanged);
    expect(given.unitStatus).toEqual(says(`the repository is encrypted; ${remedy}`));
    const moved = s3Relation({ fields: { path: '/elsewhere' } });
    const relations = given.relations.map((one) => (one.id === moved.id ? moved : one));
    return { ...given, relations };
  },
  when: s3Changed,
  then: ({ state: after }) => {
    expect(passIn(after)).toBeUndefined();
    expect(after.world.objectStore.buckets['backups']).toMatchObject({
      [`elsewhere/archive/${stanza}/archive.info`]: infoFile(undefined),
    });
    const kept = secretOf(after, 'database-peers.postgresql-k8s.app')?.revisions.at(-1)?.content;
    expect(kept).not.toHaveProperty('backup-cipher-pass');
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

scenario('a pod that is replaced works on without the secret of the operator', {
  charm: underTest,
  given: async () => withoutSecret(inNewContainer(await encrypted())),
  when: pebbleReady('postgresql'),
  then: ({ state: after }) => {
    expect(passIn(after)).toBe(first);
  },
});

scenario('new keys to the storage change nothing about the pass', {
  charm: underTest,
  given: async () => {
    const given = withoutSecret(await encrypted());
    const keys = s3Relation({ fields: { 'access-key': 'a-new-key-of-tests' } });
    return { ...given, relations: given.relations.map((one) => (one.id === keys.id ? keys : one)) };
  },
  when: s3Changed,
  then: ({ state: after }) => {
    expect(passIn(after)).toBe(first);
    expect(fileOf(after, path)).toContain('a-new-key-of-tests');
    expect(appData(after)).toMatchObject({ stanza });
  },
});

scenario('a new revision of the secret is noticed at once', {
  charm: underTest,
  given: async () => updated(await encrypted(), second),
  when: secretEvent(userSecret(), 'changed'),
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual(says(`the repository has another cipher-pass; ${remedy}`));
  },
});

scenario('who relates anew is asked for the pass anew', {
  charm: underTest,
  given: async () => {
    const given = await encrypted();
    const relations = given.relations.map((one) =>
      one.endpoint === 's3-parameters' ? { ...one, remoteUnits: {} } : one,
    );
    return { ...given, relations };
  },
  when: (given) => relationBroken(relationOf(given, 's3-parameters')),
  then: ({ state: after }) => {
    expect(fileOf(after, path)).toBeUndefined();
    expect(appData(after)['repository-cipher']).toBeUndefined();
  },
});

const foreign = 'old-model.patroni-old';
const foreignInfo = (pass: string | undefined): DataBag => ({
  'postgresql/model-uuid.txt': 'another-uuid\n',
  [`postgresql/archive/${foreign}/archive.info`]: infoFile(pass),
  [`postgresql/backup/${foreign}/backup.info`]: infoFile(pass),
});

/** A new cluster, related to the repository of another, which is encrypted with this. */
async function migrating(
  pass: string | undefined,
  of: SecretState | undefined,
): Promise<PostgresqlState> {
  const given = stored(await related(of), foreignInfo(pass));
  const repository = { stanzas: [foreign], backups: [{ label: backupLabel, stanza: foreign }] };
  const filled = inWorld(given, { pgbackrest: repository });
  return await afterEvents(filled, s3Changed(filled));
}

const restoreIt = action('restore', { 'backup-id': '2026-01-30T12:00:00Z' });

scenario("another cluster's repository is restored with its pass", {
  charm: underTest,
  given: async () => await migrating(first, userSecret()),
  when: restoreIt,
  then: (result) => {
    expect(result.action.results).toEqual({ 'restore-status': 'restore started' });
    expect(passIn(result.state)).toBe(first);
    keepsQuiet(result);
  },
  loosen: {
    secondRun: 'a restore is under way then',
    killChecks: 'the restore has its own scenarios',
  },
});

const wrong: readonly {
  readonly what: string;
  readonly given: () => Promise<PostgresqlState>;
  readonly found: string;
}[] = [
  {
    what: 'another pass',
    given: async () => await migrating(second, userSecret()),
    found: 'the repository has another cipher-pass',
  },
  {
    what: 'no pass',
    given: async () => await migrating(second, undefined),
    found: 'the repository is encrypted',
  },
  {
    what: 'a pass that it does not have',
    given: async () => await migrating(undefined, userSecret()),
    found: 'the repository is not encrypted',
  },
];

for (const { what, given, found } of wrong) {
  scenario(`with ${what}, the repository of another cluster is left alone`, {
    charm: underTest,
    given,
    when: restoreIt,
    then: (result) => {
      expect(result.state.unitStatus).toEqual(says(`${found}; ${remedy}`));
      expect(result.action.failed).toContain(
        'the repository is not encrypted as backup_cipher_secret says',
      );
      expect(result.state.containers['postgresql']?.services['postgresql']).toEqual({
        current: 'active',
      });
      keepsQuiet(result);
    },
  });

  scenario(`with ${what}, its backups cannot be listed`, {
    charm: underTest,
    given,
    when: action('list-backups'),
    then: (result) => {
      expect(result.action.failed).toContain('not encrypted as backup_cipher_secret says');
      keepsQuiet(result);
    },
  });
}
