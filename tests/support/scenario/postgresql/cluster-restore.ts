// States of a restore of a cluster of several units: the unit that restores, with the others as its
// databags show them, and one that waits for it.

import { expect } from '@jest/globals';

import { parseRequest } from '../../../../src/core/backups/restore-request.ts';
import { fileEntry } from '../../pebble-state.ts';
import { updateStatus } from '../events.ts';
import { type DataBag, relationOf } from '../state.ts';
import {
  after as afterEvents,
  backupLabel,
  dataFile,
  inContainer,
  inWorld,
  primary,
  remembering,
  replica,
  running,
  stanza,
  withBackup,
} from './journey.ts';
import type { PostgresqlState } from './postgresql.ts';

export const root = '/var/lib/postgresql/data';
export const asideFile = `${root}/pgdata-before-restore/PG_VERSION`;
export const markFile = `${root}/restore.json`;
export const stoppedFile = `${root}/restore-stopped`;
const systemId = '7588888888888888888';
const target = { label: backupLabel, stanza, timeline: 1, systemId };
export const request = (phase: 'stop' | 'clone' | 'keep', unit = 'postgresql-k8s/0') =>
  JSON.stringify({ id: 'r1', unit, phase, target });

export const peersOf = (given: PostgresqlState) => relationOf(given, 'database-peers');
export const appData = (given: PostgresqlState) => peersOf(given).localApp;
export const serviceOf = (given: PostgresqlState) =>
  given.containers['postgresql']?.services['postgresql']?.current;

interface Bags {
  readonly app?: DataBag;
  readonly own?: DataBag;
  /** Of all other units. */
  readonly others?: DataBag;
}

/** The state with other databags of the peer relation; an empty text takes a key away. */
export function withBags(given: PostgresqlState, { app, own, others }: Bags): PostgresqlState {
  const peers = peersOf(given);
  const next = {
    ...peers,
    localApp: merged(peers.localApp, app),
    localUnit: merged(peers.localUnit, own),
    remoteUnits: Object.fromEntries(
      Object.entries(peers.remoteUnits).map(([unit, bag]) => [unit, merged(bag, others)]),
    ),
  };
  return { ...given, relations: given.relations.map((one) => (one === peers ? next : one)) };
}

function merged(bag: DataBag, change: DataBag = {}): DataBag {
  return Object.fromEntries(
    Object.entries({ ...bag, ...change }).filter(([, value]) => value !== ''),
  );
}

export const version = fileEntry('17\n', { mode: '0600', user: 'postgres', group: 'postgres' });

/** A unit that does not restore, with data. */
async function follower(): Promise<PostgresqlState> {
  const given = await running({ number: 1, others: [0, 2], primary: 0 });
  return inContainer(given, ({ files }) => ({ files: { ...files, [dataFile]: version } }));
}

export const asked = async () =>
  withBags(await follower(), { app: { 'restore-request': request('stop') } });

/** It is down for the restore of another. */
export const waiting = async () => await afterEvents(await asked(), updateStatus);

/** As the leader tells it. */
export const told = async (phase: 'clone' | 'keep') =>
  withBags(await waiting(), { app: { 'restore-request': request(phase) } });

/** The leader, which restores, has asked the others to stop. */
export async function asking(): Promise<PostgresqlState> {
  const given = remembering(await withBackup({ others: [1, 2] }));
  return withBags(given, { app: { 'restore-request': request('stop') } });
}

/** The others have stopped. */
export const alone = async () => {
  const given = withBags(await asking(), { others: { 'restore-stopped': 'r1' } });
  return inWorld(given, { patroni: { members: [primary(0)] } });
};

const log = `2027-01-31 10:00:31 UTC [9]: FATAL:  recovery ended before configured recovery target was reached\n`;

export const failed = (given: PostgresqlState) =>
  inContainer(given, ({ services, files }) => ({
    services: { ...services, postgresql: { current: 'error' } },
    files: { ...files, '/var/log/postgresql/patroni-output.log': fileEntry(log) },
  }));

export const lockName = 'endpoints/patroni-postgresql-k8s';
export const configName = 'endpoints/patroni-postgresql-k8s-config';
export const syncName = 'endpoints/patroni-postgresql-k8s-sync';
export const keptOn = 'services/patroni-postgresql-k8s-config';

export const objectsOf = (given: PostgresqlState) => given.world.kube.objects;
export const annotationsOf = (given: PostgresqlState, name: string) =>
  objectsOf(given)[name]?.metadata.annotations;
export const phaseOf = (given: PostgresqlState) =>
  parseRequest(appData(given)['restore-request'])?.phase;

/** As Patroni remembered it before. */
export function expectOldState(given: PostgresqlState): void {
  expect(annotationsOf(given, lockName)).toEqual({
    leader: 'postgresql-k8s-0',
    optime: '50331648',
  });
  expect(annotationsOf(given, configName)).toMatchObject({ initialize: '7588888888888888888' });
  expect(objectsOf(given)).not.toHaveProperty(syncName);
}

export const withFiles = (given: PostgresqlState, added: Readonly<Record<string, string>>) =>
  inContainer(given, ({ files }) => ({
    files: {
      ...files,
      ...Object.fromEntries(
        Object.entries(added).map(([path, text]) => [path, fileEntry(text, { user: 'postgres' })]),
      ),
    },
  }));

export const without = (given: PostgresqlState, gone: string) =>
  inContainer(given, ({ files }) => ({
    files: Object.fromEntries(Object.entries(files).filter(([path]) => path !== gone)),
  }));

export const withObjects = (
  given: PostgresqlState,
  objects: PostgresqlState['world']['kube']['objects'],
) => inWorld(given, { kube: { objects } });

/** What Patroni has made of a cluster that did not come up. */
export function withTraces(given: PostgresqlState): PostgresqlState {
  const trace = (name: string, annotations: Readonly<Record<string, string>>) => ({
    [`endpoints/${name}`]: { metadata: { name, annotations } },
  });
  return withObjects(given, {
    ...objectsOf(given),
    ...trace('patroni-postgresql-k8s-config', { initialize: '1', config: '{}' }),
    ...trace('patroni-postgresql-k8s-sync', { leader: 'postgresql-k8s-9' }),
  });
}

/** The others have started again. */
export const othersStarted = (given: PostgresqlState) =>
  withBags(given, { others: { 'restore-stopped': '' } });

/** And one of them leads. */
export const led = (given: PostgresqlState) =>
  inWorld(othersStarted(given), { patroni: { members: [primary(1), replica(2)] } });

/** Juju does not want unit 0, which restores, any more. */
export const leaving = (given: PostgresqlState): PostgresqlState => ({
  ...given,
  dyingUnits: ['postgresql-k8s/0'],
  plannedUnits: Object.keys(peersOf(given).remoteUnits).length,
});

/** Nor does Kubernetes know it. */
export function gone(given: PostgresqlState): PostgresqlState {
  const { 'pods/postgresql-k8s-0': _, ...objects } = objectsOf(given);
  return withObjects(leaving(given), objects);
}
