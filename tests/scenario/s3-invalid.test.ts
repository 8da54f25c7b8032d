// Settings that cannot be, from an integrator that does not look: the leader says so, and nothing else
// changes.

import { expect } from '@jest/globals';

import {
  leaderElected,
  pebbleReady,
  relationBroken,
  relationChanged,
  updateStatus,
} from '../support/scenario/events.ts';
import {
  after as afterEvents,
  backedUp,
  fileOf,
  inNewContainer,
  passwords,
  running,
  stanza,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import {
  type PostgresqlState,
  s3Relation,
  state,
} from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { type DataBag, type RelationState, relationOf } from '../support/scenario/state.ts';

const invalid = s3Relation({
  fields: { endpoint: 'minio.example:9000', 's3-uri-style': 'virtual' },
});
const message =
  'Invalid S3 parameters: endpoint is not an http or https URL: "minio.example:9000"; ' +
  's3-uri-style is neither host nor path: "virtual"';

const told = relationChanged(invalid);

function given(relation: RelationState, now: PostgresqlState): PostgresqlState {
  const relations = now.relations.map((one) => (one.id === relation.id ? relation : one));
  return { ...now, relations };
}

const app = (now: PostgresqlState) => relationOf(now, 'database-peers').localApp;
const file = (now: PostgresqlState) => fileOf(now, '/etc/pgbackrest.conf');

scenario('settings that cannot be are shown by the leader', {
  charm: underTest,
  given: async () => await running({ leader: true, relations: [invalid] }),
  when: told,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({ level: 'blocked', message });
    expect(file(after)).toBeUndefined();
  },
});

scenario('other units say nothing of them', {
  charm: underTest,
  given: async () => await running({ number: 1, others: [0], primary: 0, relations: [invalid] }),
  when: told,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({ level: 'active', message: '' });
    expect(app(after)['s3-initialization-block-message']).toBeUndefined();
  },
});

scenario('the repository in use stays in use', {
  charm: underTest,
  given: async () => given(invalid, await backedUp()),
  when: told,
  then: async ({ state: after, log }) => {
    expect(after.unitStatus).toEqual({ level: 'blocked', message });
    expect(log).toContainEqual({ level: 'ERROR', message });
    expect(app(after)).toMatchObject({ stanza, repository: app(await backedUp())['repository'] });
    expect(JSON.stringify(after.world.patroni.config)).toContain('archive-push');
    expect(file(after)).toContain('repo1-s3-endpoint=https://s3.example.com\n');
  },
});

const blocked = async () => await afterEvents(given(invalid, await backedUp()), told);

scenario('they are shown as long as they are there, and logged once', {
  charm: underTest,
  given: blocked,
  when: updateStatus,
  then: ({ state: after, log }) => {
    expect(after.unitStatus).toEqual({ level: 'blocked', message });
    expect(log).not.toContainEqual({ level: 'ERROR', message });
  },
});

scenario('a new leader shows those of which the one before was not told', {
  charm: underTest,
  given: async () => {
    const told = given(invalid, await backedUp({ others: [1] }));
    return { ...told, leader: true };
  },
  when: leaderElected,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({ level: 'blocked', message });
  },
});

scenario('before there is a cluster nothing is said of them', {
  charm: underTest,
  given: state({ leader: true, secrets: [passwords], relations: [invalid] }),
  when: leaderElected,
  then: ({ state: after }) => {
    expect(app(after)['s3-initialization-block-message']).toBeUndefined();
    expect(after.unitStatus.level).toBe('waiting');
  },
});

const others: readonly (readonly [string, RelationState, DataBag])[] = [
  ['right', s3Relation(), { stanza }],
  ['incomplete', { ...invalid, remoteAppData: { bucket: 'backups' } }, { stanza }],
];

for (const [what, relation, expected] of others) {
  scenario(`settings that are ${what} end it`, {
    charm: underTest,
    given: async () => given(relation, await blocked()),
    when: told,
    then: ({ state: after }) => {
      expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
      expect(app(after)).toMatchObject(expected);
    },
  });
}

scenario('so does the end of the relation', {
  charm: underTest,
  given: async () => given({ ...invalid, remoteUnits: {} }, await blocked()),
  when: (now) => relationBroken(relationOf(now, 's3-parameters')),
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

scenario('a key that a file has given with two lines stops no unit', {
  charm: underTest,
  given: async () => {
    const relation = s3Relation({ fields: { 'secret-key': 'first-line\nsecond-line' } });
    return inNewContainer(given(relation, await backedUp()));
  },
  when: pebbleReady('postgresql'),
  then: ({ state: after, log }) => {
    expect(after.containers['postgresql']?.services['postgresql']).toEqual({ current: 'active' });
    expect(JSON.stringify(log)).not.toContain('second-line');
  },
});
