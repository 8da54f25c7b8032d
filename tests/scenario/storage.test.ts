// What a unit does about the volume that it finds: data of another cluster, data in an application
// that has none, no data where there should be some.

import { expect } from '@jest/globals';

import { fileEntry } from '../support/pebble-state.ts';
import { leaderElected, pebbleReady, updateStatus } from '../support/scenario/events.ts';
import {
  admitted,
  after as afterEvents,
  fileOf,
  inContainer,
  inNewContainer,
  inWorld,
  primary,
  replica,
  running,
  underTest,
  withData,
} from '../support/scenario/postgresql/journey.ts';
import { type PostgresqlState, peer, state } from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { relationOf } from '../support/scenario/state.ts';

const ready = pebbleReady('postgresql');
const identityPath = '/var/lib/postgresql/data/charm-identity.json';
const otherIdentifier = '7599999999999999999';
const gone =
  'Failed to start: no unit has the data of the cluster, attach its storage or restore a backup';

/** A volume that says whose it is. */
function ofOwner(given: PostgresqlState, application: string, model = given.model.uuid) {
  const content = `${JSON.stringify({ model, application })}\n`;
  const entry = fileEntry(content, { user: 'postgres', group: 'postgres', mode: '0600' });
  return inContainer(given, ({ files }) => ({ files: { ...files, [identityPath]: entry } }));
}

const identityOf = (given: PostgresqlState) => fileOf(given, identityPath);
const servicesOf = (given: PostgresqlState) => given.containers['postgresql']?.services;

const joining = admitted({ number: 1, others: [0], primary: 0 });

scenario('a new volume is marked as belonging to the application', {
  charm: underTest,
  given: joining,
  when: ready,
  then: ({ state: after }) => {
    expect(identityOf(after)).toBe(
      `{"model":"${after.model.uuid}","application":"postgresql-k8s"}\n`,
    );
  },
});

scenario('a volume of another cluster is left alone, and nothing is started on it', {
  charm: underTest,
  given: withData(joining, otherIdentifier),
  when: ready,
  then: ({ state: after, walks }) => {
    expect(walks[0]).toMatchObject({ end: 'defer' });
    expect(servicesOf(after)).toEqual({});
    expect(Object.keys(after.containers['postgresql']?.files ?? {})).not.toContain(
      '/var/lib/postgresql/data/patroni.yml',
    );
    expect(after.unitStatus).toEqual({
      level: 'blocked',
      message: `Failed to start: the storage belongs to another cluster (system identifier ${otherIdentifier}, expected 7588888888888888888)`,
    });
  },
});

scenario('a volume of a clone with the same identifier is refused, too', {
  charm: underTest,
  given: ofOwner(withData(joining), 'restored-copy'),
  when: ready,
  then: ({ state: after }) => {
    expect(servicesOf(after)).toEqual({});
    expect(identityOf(after)).toContain('"application":"restored-copy"');
    expect(after.unitStatus.message).toBe(
      'Failed to start: the storage belongs to another cluster (of application restored-copy)',
    );
  },
});

scenario('the refusal stays in the status, whatever event comes', {
  charm: underTest,
  given: async () => await afterEvents(withData(joining, otherIdentifier), ready),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(after.unitStatus.level).toBe('blocked');
    expect(servicesOf(after)).toEqual({});
  },
});

scenario('the right volume heals a unit that was refused', {
  charm: underTest,
  given: async () => withData(await afterEvents(withData(joining, otherIdentifier), ready)),
  when: ready,
  then: ({ state: after }) => {
    expect(servicesOf(after)?.['postgresql']).toEqual({ current: 'active' });
    expect(after.unitStatus).toEqual({ level: 'active', message: '' });
  },
});

scenario('damaged data is left to Patroni, which does not write over it', {
  charm: underTest,
  given: withData(joining, 'unreadable'),
  when: ready,
  then: ({ state: after }) => {
    expect(servicesOf(after)?.['postgresql']).toEqual({ current: 'active' });
  },
});

scenario('a volume of the application is accepted by a unit with another number', {
  charm: underTest,
  given: ofOwner(withData(admitted({ number: 4, others: [0], primary: 0 })), 'postgresql-k8s'),
  when: ready,
  then: ({ state: after }) => {
    expect(servicesOf(after)?.['postgresql']).toEqual({ current: 'active' });
    expect(after.unitStatus.level).toBe('active');
  },
});

scenario('a unit that is added while the only other one restores makes no empty database', {
  charm: underTest,
  given: async () => {
    const app = { 'restoring-backup': '20260130-120000F' };
    const added = admitted({ number: 1, others: [0], app });
    return inWorld(added, { patroni: { members: [] } });
  },
  when: ready,
  then: ({ state: after, walks }) => {
    expect(walks[0]?.end).toBe('defer');
    expect(servicesOf(after)).toEqual({});
    expect(after.unitStatus).toEqual({ level: 'maintenance', message: 'restoring backup' });
  },
});

const oldRole = { superuser: false, memberOf: [], password: 'of-another-model' };
const roles = {
  operator: { ...oldRole, superuser: true },
  replication: oldRole,
  rewind: oldRole,
  backup: oldRole,
  monitoring: oldRole,
};

const adopting = async () => {
  const fresh = state({ leader: true, world: { postgres: { roles } } });
  return ofOwner(withData(await afterEvents(fresh, leaderElected)), 'former', 'former-model');
};

scenario('a new application takes over the data that came with its volume', {
  charm: underTest,
  given: adopting,
  when: ready,
  then: ({ state: after }) => {
    const { localApp } = relationOf(after, 'database-peers');

    expect(localApp['cluster_initialised']).toBe('True');
    expect(localApp['storage-adopted-from']).toBe(
      '{"model":"former-model","application":"former"}',
    );
    expect(Object.values(after.world.postgres.roles).map(({ password }) => password)).not.toContain(
      'of-another-model',
    );
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

scenario('what was taken over is its own at the next start', {
  charm: underTest,
  given: async () => inNewContainer(await afterEvents(await adopting(), ready)),
  when: ready,
  then: ({ state: after }) => {
    expect(identityOf(after)).toContain('"application":"postgresql-k8s"');
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

scenario('further volumes of the same origin are accepted', {
  charm: underTest,
  given: ofOwner(
    withData(
      admitted({
        number: 1,
        others: [0],
        primary: 0,
        app: { 'storage-adopted-from': '{"model":"former-model","application":"former"}' },
      }),
    ),
    'former',
    'former-model',
  ),
  when: ready,
  then: ({ state: after }) => {
    expect(servicesOf(after)?.['postgresql']).toEqual({ current: 'active' });
    expect(identityOf(after)).toContain('"application":"postgresql-k8s"');
  },
});

/** The only unit of a cluster comes back with an empty volume. */
function emptied(remembered: boolean): PostgresqlState {
  const members = remembered ? [replica(0, 'creating replica')] : [];
  return inWorld(admitted({ leader: true }), { patroni: { members } });
}

scenario('without its data an only unit says what is missing', {
  charm: underTest,
  given: emptied(true),
  when: ready,
  then: ({ state: after }) => {
    expect(relationOf(after, 'database-peers').localUnit['data']).toBe('none');
    expect(after.unitStatus).toEqual({ level: 'blocked', message: gone });
  },
});

scenario('no empty database is made when nothing remembers the cluster', {
  charm: underTest,
  given: emptied(false),
  when: ready,
  then: ({ state: after }) => {
    expect(servicesOf(after)).toEqual({});
    expect(after.unitStatus).toEqual({ level: 'blocked', message: gone });
  },
});

scenario('an empty unit waits as long as another one may have the data', {
  charm: underTest,
  given: {
    ...emptied(true),
    plannedUnits: 2,
  },
  when: ready,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({ level: 'waiting', message: 'awaiting for member to start' });
  },
});

scenario('when no unit has data, all of them say so', {
  charm: underTest,
  given: {
    ...emptied(true),
    plannedUnits: 2,
    relations: [
      peer({
        units: { 'postgresql-k8s/1': { data: 'none' } },
        localApp: relationOf(emptied(true), 'database-peers').localApp,
      }),
    ],
  },
  when: ready,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({ level: 'blocked', message: gone });
  },
});

scenario('a unit that comes back to zero with its volume is the primary again', {
  charm: underTest,
  given: async () => {
    const given = inNewContainer(await running({ leader: true }));
    const { localApp } = relationOf(given, 'database-peers');
    return inWorld(
      {
        ...given,
        relations: [peer({ localApp, localUnit: { departing: 'True', 'member-started': 'True' } })],
      },
      { patroni: { members: [primary(0)] } },
    );
  },
  when: ready,
  then: ({ state: after }) => {
    expect(relationOf(after, 'database-peers').localUnit['departing']).toBeUndefined();
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});
