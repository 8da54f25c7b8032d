// s3-credentials-changed, along every edge of its flowchart.

import { expect } from '@jest/globals';

import { expectCompleteChart } from '../support/flowchart-record.ts';
import {
  configChanged,
  pebbleNotice,
  pebbleReady,
  relationChanged,
  type Trigger,
  updateStatus,
} from '../support/scenario/events.ts';
import {
  after as afterEvents,
  backedUp,
  fileOf,
  inContainer,
  inNewContainer,
  inWorld,
  passwords,
  running,
  stanza,
  type Unit,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import {
  type PostgresqlState,
  s3Relation,
  state,
} from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { relationOf } from '../support/scenario/state.ts';

const s3 = s3Relation();
const changed = relationChanged(s3);

const related = async (unit: Unit = {}) =>
  await running({ leader: true, relations: [s3], ...unit });

const appData = (given: PostgresqlState) => relationOf(given, 'database-peers').localApp;

const pgbackrest = (given: PostgresqlState) => fileOf(given, '/etc/pgbackrest.conf');

const archiveCommand = ({ world }: PostgresqlState) =>
  JSON.stringify(world.patroni.config).match(/"archive_command":"([^"]*)"/)?.[1];

scenario('the leader sets the repository up and switches archiving on', {
  charm: underTest,
  given: related,
  when: changed,
  then: ({ state: after, statusHistory }) => {
    expect(appData(after)).toMatchObject({ stanza });
    expect(after.world.pgbackrest.stanzas).toEqual([stanza]);
    expect(archiveCommand(after)).toBe(`pgbackrest --stanza=${stanza} archive-push %p`);
    expect(after.world.objectStore.buckets['backups']).toMatchObject({
      'postgresql/model-uuid.txt': after.model.uuid,
      [`postgresql/archive/${stanza}/archive.info`]: expect.stringContaining('[backrest]'),
    });
    expect(after.containers['postgresql']?.files['/etc/pgbackrest.conf']).toMatchObject({
      mode: '0600',
      user: 'postgres',
    });
    expect(statusHistory).toEqual([
      { level: 'maintenance', message: 'initialising stanza' },
      { level: 'maintenance', message: 'checking stanza' },
      { level: 'active', message: 'Primary' },
    ]);
  },
});

scenario('a repository whose settings name no region is set up', {
  charm: underTest,
  given: async () => {
    const { region: _region, ...remoteAppData } = s3.remoteAppData;
    return await related({ relations: [{ ...s3, remoteAppData }] });
  },
  when: changed,
  then: ({ state: after }) => {
    expect(pgbackrest(after)).toContain('repo1-s3-region=us-east-1\n');
    expect(appData(after)).toMatchObject({ stanza });
  },
});

const unused = s3Relation({
  fields: { 'storage-class': 'GLACIER', attributes: '["a=1"]', 's3-api-version': '2' },
});

scenario('settings that do nothing are named in the log', {
  charm: underTest,
  given: async () => await related({ relations: [unused] }),
  when: changed,
  then: ({ state: after, log }) => {
    expect(appData(after)).toMatchObject({ stanza });
    expect(log).toContainEqual({
      level: 'WARNING',
      message:
        'S3 settings that do nothing: storage-class, attributes, ' +
        's3-api-version (requests are always signed with version 4)',
    });
  },
});

scenario('credentials that come before the cluster is initialised wait for it', {
  charm: underTest,
  given: state({ leader: true, secrets: [passwords], relations: [s3] }),
  when: changed,
  then: ({ state: after, walks }) => {
    expect(walks[0]?.end).toBe('defer');
    expect(pgbackrest(after)).toBeUndefined();
  },
});

scenario('credentials that are not complete wait for the rest', {
  charm: underTest,
  given: async () =>
    await related({ relations: [{ ...s3, remoteAppData: { bucket: 'backups' } }] }),
  when: changed,
  then: ({ state: after, walks }) => {
    expect(walks[0]?.end).toBe('return');
    expect(pgbackrest(after)).toBeUndefined();
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

scenario('a unit that is not the leader only takes the settings over', {
  charm: underTest,
  given: async () => await related({ leader: false, number: 1, others: [0], primary: 0 }),
  when: changed,
  then: ({ state: after }) => {
    expect(pgbackrest(after)).toContain('repo1-s3-bucket=backups');
    expect(after.world.pgbackrest.stanzas).toEqual([]);
  },
});

scenario('a leader that is Blocked by something else than S3 comes back to it later', {
  charm: underTest,
  given: async () => ({
    ...(await related()),
    config: { profile: 'huge' },
    unitStatus: { level: 'blocked', message: 'Configuration Error: profile' },
  }),
  when: changed,
  then: ({ state: after }) => {
    expect(after.world.pgbackrest.stanzas).toEqual([]);
    expect(after.unitStatus.message).toContain('Configuration Error');
  },
});

scenario('a repository in which no stanza can be made is reported', {
  charm: underTest,
  given: async () =>
    inWorld(await related(), {
      pgbackrest: { faults: { 'stanza-create': 'ERROR: [028]: backup info file is corrupt' } },
    }),
  when: changed,
  then: ({ state: after }) => {
    expect(appData(after)['stanza']).toBeUndefined();
    expect(archiveCommand(after)).toBe('/bin/true');
    expect(after.unitStatus).toEqual({
      level: 'blocked',
      message:
        'failed to initialize stanza, check your S3 settings: cannot run pgbackrest stanza-create: [028]: backup info file is corrupt',
    });
  },
});

scenario('a repository in which no WAL arrives is reported, and WAL is not kept for it', {
  charm: underTest,
  given: async () => inWorld(await related(), { postgres: { archiving: 'fails' } }),
  when: changed,
  then: ({ state: after }) => {
    expect(appData(after)['stanza']).toBeUndefined();
    expect(archiveCommand(after)).toBe('/bin/true');
    expect(after.unitStatus).toEqual({
      level: 'blocked',
      message: 'failed to archive WAL, check your S3 settings',
    });
  },
});

const withTls = async (unit: Unit = {}) =>
  await related({ others: [1], own: { tls: 'enabled' }, ...unit });

/** Certificates come or go, and no event has told of it yet. */
function tellTls(given: PostgresqlState, tls: 'enabled' | undefined): PostgresqlState {
  const peers = relationOf(given, 'database-peers');
  const { tls: _, ...rest } = peers.localUnit;
  const localUnit = tls === undefined ? rest : { ...rest, tls };
  return {
    ...given,
    relations: given.relations.map((one) => (one === peers ? { ...one, localUnit } : one)),
  };
}

scenario('with certificates the primary serves the other members', {
  charm: underTest,
  given: withTls,
  when: changed,
  then: ({ state: after }) => {
    expect(after.containers['postgresql']?.services['pgbackrest server']).toEqual({
      current: 'active',
    });
    expect(relationOf(after, 'database-peers').localUnit).toMatchObject({
      'backup-server': 'started',
    });
    expect(pgbackrest(after)).toContain(
      `tls-server-auth=postgresql-k8s-1.postgresql-k8s-endpoints=${stanza}`,
    );
    expect(pgbackrest(after)).toContain('pg2-host=postgresql-k8s-1.postgresql-k8s-endpoints');
  },
});

scenario('a leader that is a replica follows a primary that serves', {
  charm: underTest,
  given: async () => await withTls({ primary: 1 }),
  when: changed,
  then: ({ state: after, execs }) => {
    expect(execs['postgresql']?.map(({ command }) => command)).toContainEqual([
      'pgbackrest',
      'server-ping',
      '--io-timeout=2',
      'postgresql-k8s-1.postgresql-k8s-endpoints',
    ]);
    expect(after.containers['postgresql']?.services['pgbackrest server']).toEqual({
      current: 'active',
    });
  },
});

scenario('a leader that is a replica waits for a primary that does not serve yet', {
  charm: underTest,
  given: async () =>
    await withTls({
      primary: 1,
      world: { pgbackrest: { faults: { 'server-ping': 'ERROR: [049]: unable to connect' } } },
    }),
  when: changed,
  then: ({ state: after }) => {
    expect(appData(after)).toMatchObject({ stanza });
    expect(after.containers['postgresql']?.services['pgbackrest server']).toBeUndefined();
  },
});

scenario('a server that does not start takes nothing else with it', {
  charm: underTest,
  given: async () => {
    const given = inContainer(await related({ others: [1] }), ({ services }) => ({
      services: {
        ...services,
        'pgbackrest server': { current: 'inactive', startFailure: 'no certificate' },
      },
    }));
    return tellTls(given, 'enabled');
  },
  when: changed,
  then: ({ state: after, log }) => {
    expect(appData(after)).toMatchObject({ stanza });
    expect(log).toContainEqual({
      level: 'ERROR',
      message: expect.stringContaining('cannot start "pgbackrest server"'),
    });
    expect(relationOf(after, 'database-peers').localUnit['backup-server']).toBeUndefined();
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

scenario('a replica serves once the primary tells that it does', {
  charm: underTest,
  given: async () => {
    const given = await related({
      leader: false,
      number: 1,
      others: [0],
      primary: 0,
      own: { tls: 'enabled' },
      app: { stanza },
    });
    return given;
  },
  when: (given) => relationChanged(relationOf(given, 'database-peers')),
  then: ({ state: after }) => {
    expect(after.containers['postgresql']?.services['pgbackrest server']).toEqual({
      current: 'active',
    });
  },
});

for (const [event, when, unit] of [
  ['update-status', updateStatus, { leader: false, number: 1, others: [0], primary: 0 }],
  ['update-status', updateStatus, { leader: false, others: [1] }],
  [
    'a change of the primary',
    pebbleNotice('postgresql', 'postgresql.charm/on-role-change'),
    { leader: false, others: [1] },
  ],
] satisfies readonly (readonly [string, Trigger, Unit])[]) {
  const who = 'number' in unit ? 'a replica' : 'a primary';
  scenario(`${who} that nobody has woken serves with ${event}`, {
    charm: underTest,
    given: async () => tellTls(await related({ app: { stanza }, ...unit }), 'enabled'),
    when,
    then: ({ state: after }) => {
      expect(after.containers['postgresql']?.services['pgbackrest server']).toEqual({
        current: 'active',
      });
    },
  });
}

for (const [event, when] of [
  ['new settings', () => changed],
  ['a word of the others', (given) => relationChanged(relationOf(given, 'database-peers'))],
  ['new options', () => configChanged],
] satisfies readonly (readonly [string, (given: PostgresqlState) => Trigger])[]) {
  scenario(`when the certificates go, nobody is served any more (${event})`, {
    charm: underTest,
    given: async () => tellTls(await afterEvents(await withTls(), changed), undefined),
    when,
    then: ({ state: after }) => {
      expect(after.containers['postgresql']?.services['pgbackrest server']).toEqual({
        current: 'inactive',
      });
      expect(relationOf(after, 'database-peers').localUnit['backup-server']).toBeUndefined();
      expect(pgbackrest(after)).not.toMatch(/tls-server|pg2-host/);
    },
  });
}

scenario('new keys reach a server that runs', {
  charm: underTest,
  given: async () => {
    const given = await afterEvents(await withTls(), changed);
    const other = s3Relation({ fields: { 'secret-key': 'another-secret-key' } });
    return {
      ...given,
      relations: given.relations.map((one) => (one.id === other.id ? other : one)),
    };
  },
  when: changed,
  then: ({ state: after, disturbances }) => {
    expect(disturbances).toEqual(['postgresql: stop pgbackrest server']);
    expect(after.containers['postgresql']?.services['pgbackrest server']).toEqual({
      current: 'active',
    });
    expect(pgbackrest(after)).toContain('repo1-s3-key-secret=another-secret-key');
  },
});

scenario('a replaced container gets keys and server back', {
  charm: underTest,
  given: async () => inNewContainer(await afterEvents(await withTls(), changed)),
  when: pebbleReady('postgresql'),
  then: ({ state: after }) => {
    expect(pgbackrest(after)).toContain('repo1-s3-bucket=backups');
    expect(after.containers['postgresql']?.services['pgbackrest server']).toEqual({
      current: 'active',
    });
  },
});

scenario('certificates of members are none of Patroni, which is asked as before', {
  charm: underTest,
  given: async () => inNewContainer(await afterEvents(await withTls(), changed)),
  when: pebbleReady('postgresql'),
  then: ({ state: after }) => {
    const layers = JSON.stringify(after.containers['postgresql']?.layers);
    expect(layers).toContain('http://localhost:8008/health');
    expect(layers).toContain('--scheme=http ');
    expect(fileOf(after, '/var/lib/postgresql/data/patroni.yml')).not.toContain('certfile');
  },
});

scenario('settings that have been acted upon are left alone', {
  charm: underTest,
  given: backedUp,
  when: changed,
  then: ({ state: after, disturbances, log }) => {
    expect(appData(after)).toMatchObject({ stanza });
    expect(disturbances).toEqual([]);
    expect(log.filter(({ level }) => level === 'WARNING')).toEqual([]);
  },
});

expectCompleteChart('s3-credentials-changed');
