// The keys to S3 in a Juju secret: read when they may be read, followed when they change, removed
// from the workload when the relation goes.

import { expect } from '@jest/globals';

import { secret } from '../support/scenario/builders.ts';
import {
  pebbleNotice,
  relationBroken,
  relationChanged,
  relationCreated,
  secretEvent,
  updateStatus,
} from '../support/scenario/events.ts';
import {
  after as afterEvents,
  backedUp,
  fileOf,
  inContainer,
  inWorld,
  passwords,
  running,
  stanza,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import { type PostgresqlState, s3Relation } from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { relationOf, type SecretState } from '../support/scenario/state.ts';

const config = '/etc/pgbackrest.conf';

/** The keys as an integrator of the newer generation gives them. */
function keys(part: Partial<SecretState> = {}): SecretState {
  return secret({
    owner: 'foreign',
    label: 's3-parameters.7.extra.secret',
    revisions: [
      { revision: 1, content: { 'access-key': 'first-access', 'secret-key': 'first-secret' } },
    ],
    ...part,
  });
}

/** An integrator that gives the keys in a secret. */
function s3WithSecret(of: SecretState) {
  const plain = s3Relation();
  const { 'access-key': _access, 'secret-key': _secret, ...fields } = plain.remoteAppData;
  return { ...plain, remoteAppData: { ...fields, 'secret-extra': `secret:${of.id}` } };
}

async function related(of: SecretState, unit: Parameters<typeof running>[0] = {}) {
  const given = await running({ leader: true, ...unit });
  return {
    ...given,
    relations: [...given.relations, s3WithSecret(of)],
    secrets: [passwords, of],
  };
}

const replaced = (given: PostgresqlState, of: SecretState): PostgresqlState => ({
  ...given,
  secrets: given.secrets.map((one) => (one.id === of.id ? of : one)),
});

const changedKeys = keys({
  tracked: 1,
  revisions: [
    { revision: 1, content: { 'access-key': 'first-access', 'secret-key': 'first-secret' } },
    { revision: 2, content: { 'access-key': 'other-access', 'secret-key': 'other-secret' } },
  ],
});

const archiveCommand = ({ world }: PostgresqlState) =>
  /"archive_command":"([^"]*)"/.exec(JSON.stringify(world.patroni.config))?.[1];

scenario('a new relation asks for a bucket, and for the keys in a secret', {
  charm: underTest,
  given: async () => {
    const given = await running({ leader: true });
    return { ...given, relations: [...given.relations, { ...s3Relation(), remoteAppData: {} }] };
  },
  when: (given) => relationCreated(relationOf(given, 's3-parameters')),
  then: ({ state: after }) => {
    expect(relationOf(after, 's3-parameters').localApp).toMatchObject({
      bucket: 'relation-7',
      'requested-secrets': '["access-key","secret-key"]',
    });
  },
});

scenario('keys in a secret set the repository up as those in the databag do', {
  charm: underTest,
  given: async () => await related(keys()),
  when: (given) => relationChanged(relationOf(given, 's3-parameters')),
  then: ({ state: after, log }) => {
    expect(fileOf(after, config)).toContain('repo1-s3-key=first-access\n');
    expect(relationOf(after, 'database-peers').localApp).toMatchObject({ stanza });
    expect(JSON.stringify(log)).not.toContain('first-secret');
  },
});

scenario('a secret that may not be read yet is waited for, but not for ever', {
  charm: underTest,
  given: async () => await related(keys({ denied: true })),
  when: (given) => relationChanged(relationOf(given, 's3-parameters')),
  then: ({ state: after, walks }) => {
    expect(walks[0]?.path.at(-2)).toEqual({
      node: 'are_all_required_settings_provided',
      answer: false,
    });
    expect(fileOf(after, config)).toBeUndefined();
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

scenario('a grant that came without a word is found by update-status', {
  charm: underTest,
  given: async () => {
    const given = await related(keys({ denied: true }));
    const before = await afterEvents(given, relationChanged(relationOf(given, 's3-parameters')));
    return replaced(before, keys());
  },
  when: updateStatus,
  then: ({ state: after }) => {
    expect(relationOf(after, 'database-peers').localApp).toMatchObject({ stanza });
  },
});

scenario('changed keys are in force at once', {
  charm: underTest,
  given: async () => {
    const given = await related(keys());
    const before = await afterEvents(given, relationChanged(relationOf(given, 's3-parameters')));
    return replaced(before, changedKeys);
  },
  when: secretEvent(changedKeys, 'changed'),
  then: ({ state: after }) => {
    expect(fileOf(after, config)).toContain('repo1-s3-key-secret=other-secret\n');
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

scenario('changed keys reach the units that do not lead', {
  charm: underTest,
  given: async () => {
    const given = await related(keys(), { leader: false, number: 1, others: [0], primary: 0 });
    const before = await afterEvents(given, relationChanged(relationOf(given, 's3-parameters')));
    return replaced(before, changedKeys);
  },
  when: secretEvent(changedKeys, 'changed'),
  then: ({ state: after }) => {
    expect(fileOf(after, config)).toContain('repo1-s3-key-secret=other-secret\n');
  },
});

scenario('correct keys after wrong ones end the blockade', {
  charm: underTest,
  given: async () => {
    const given = inWorld(await related(keys()), {
      objectStore: { keys: { accessKey: 'other-access', secretKey: 'other-secret' } },
    });
    const before = await afterEvents(given, relationChanged(relationOf(given, 's3-parameters')));
    expect(before.unitStatus.level).toBe('blocked');
    return replaced(before, changedKeys);
  },
  when: secretEvent(changedKeys, 'changed'),
  then: ({ state: after }) => {
    expect(relationOf(after, 'database-peers').localApp).toMatchObject({ stanza });
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

/** The relation as it is when it breaks: its units have departed. */
function broken(given: PostgresqlState): PostgresqlState {
  const relations = given.relations.map((one) =>
    one.endpoint === 's3-parameters' ? { ...one, remoteUnits: {} } : one,
  );
  return { ...given, relations };
}

const s3Broken = (given: PostgresqlState) => relationBroken(relationOf(given, 's3-parameters'));

scenario('when the relation goes, the keys go with it, and WAL is not archived any more', {
  charm: underTest,
  given: async () => broken(await backedUp()),
  when: s3Broken,
  then: ({ state: after }) => {
    expect(fileOf(after, config)).toBeUndefined();
    expect(archiveCommand(after)).toBe('/bin/true');
    expect(relationOf(after, 'database-peers').localApp['stanza']).toBeUndefined();
    expect(JSON.stringify(after.containers)).not.toContain('secret-key-of-tests');
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

scenario('with the relation goes what it was Blocked by', {
  charm: underTest,
  given: async () => {
    const s3 = s3Relation();
    const given = inWorld(await running({ leader: true, relations: [s3] }), {
      objectStore: { fault: 'unreachable' },
    });
    return broken(await afterEvents(given, relationChanged(s3)));
  },
  when: s3Broken,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

scenario('a unit that does not lead only gives its keys back', {
  charm: underTest,
  given: async () => {
    const s3 = s3Relation();
    const unit = { number: 1, others: [0], primary: 0, app: { stanza }, relations: [s3] };
    return broken(await afterEvents(await running(unit), relationChanged(s3)));
  },
  when: s3Broken,
  then: ({ state: after }) => {
    expect(fileOf(after, config)).toBeUndefined();
    expect(relationOf(after, 'database-peers').localApp['stanza']).toBe(stanza);
  },
});

/** Patroni is down while the relation goes. */
const goneWhileDown = async () => {
  const down = inContainer(broken(await backedUp()), ({ services }) => ({
    services: { ...services, postgresql: { current: 'inactive' } },
  }));
  const { relations, ...after } = await afterEvents(down, s3Broken(down));
  return { ...after, relations: relations.filter((one) => one.endpoint !== 's3-parameters') };
};

scenario('a Patroni that was down then is told when it is up again', {
  charm: underTest,
  given: goneWhileDown,
  when: updateStatus,
  then: ({ state: after }) => {
    expect(archiveCommand(after)).toBe('/bin/true');
  },
  loosen: {
    differences: [
      {
        path: 'world.patroni.config.postgresql.parameters.archive_command',
        because: 'the member that was started sends a notice, which makes up for it as well',
      },
    ],
  },
});

scenario('also when it came up by itself', {
  charm: underTest,
  given: async () =>
    inContainer(await goneWhileDown(), ({ services }) => ({
      services: { ...services, postgresql: { current: 'active' } },
    })),
  when: pebbleNotice('postgresql', 'postgresql.charm/on-start'),
  then: ({ state: after }) => {
    expect(archiveCommand(after)).toBe('/bin/true');
  },
});
