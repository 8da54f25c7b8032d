// The PostgreSQL charm in scenarios: `postgresql(charm)` puts it between its fakes, and the builders
// make states of its units. Defaults: unit postgresql-k8s/0 with a connected container from an
// image with PostgreSQL 17, its pod on a node with four cores, and the peer relation.

import type { CharmDefinition } from '../../../../lib/juju/hook.ts';
import type { KubeObject } from '../../../../lib/kube/kube.ts';
import { fromApiFailure } from '../../../../lib/pebble/errors.ts';
import type { Pebble } from '../../../../lib/pebble/pebble.ts';
import type { PostgresqlPorts } from '../../../../src/ports.ts';
import { directoryEntry, fileEntry, type PebbleState, pebbleState } from '../../pebble-state.ts';
import { baseState, peerRelation, relation } from '../builders.ts';
import { type CharmFiles, readCharmFiles } from '../charm-files.ts';
import type { Host } from '../host.ts';
import type { CharmUnderTest } from '../run.ts';
import { appOf, type DataBag, type RelationState, type State } from '../state.ts';
import { connectFakePostgres, openFakeStore } from './database.ts';
import { createFakeKube } from './kube.ts';
import { createPatroniHttp, membersLater } from './patroni.ts';
import { postgresqlPrograms } from './programs.ts';
import { kubeKey, type PostgresqlWorld, world } from './world.ts';

export type PostgresqlState = State<PostgresqlWorld>;

const app = 'postgresql-k8s';
const root = new URL('../../../../', import.meta.url).pathname;

/** The charm's declaring files, read once for all scenarios of a test file. */
export const postgresqlFiles: CharmFiles = readCharmFiles(root);

/** The charm between its fakes. */
export function postgresql(
  charm: CharmDefinition<PostgresqlPorts>,
): CharmUnderTest<PostgresqlPorts, PostgresqlWorld> {
  return {
    charm,
    files: postgresqlFiles,
    ports: createPorts,
    execs: (host) => ({ postgresql: postgresqlPrograms(host) }),
    later: (before, elapsedMs) => ({
      ...before,
      patroni: { ...before.patroni, members: membersLater(before.patroni.members, elapsedMs) },
    }),
  };
}

function createPorts(host: Host<PostgresqlWorld>): PostgresqlPorts {
  return {
    pebble: host.watch('pebble', onVolume(host)),
    http: host.watch('patroni', createPatroniHttp(host)),
    kube: host.watch('kube', createFakeKube(host)),
    clock: host.clock,
    random: host.random,
    connectPostgres: async (target) => await connectFakePostgres(host, target),
    openObjectStore: (settings) => openFakeStore(host, settings),
  };
}

const volumeRoot = '/var/lib/postgresql/data/';

/** Pebble of a container whose volume may be full; programs that only move or remove do not mind. */
function onVolume(host: Host<PostgresqlWorld>): Pebble {
  const fake = host.pebble('postgresql');
  const refuseWhenFull = (what: string, path: string): void => {
    const { filledBy } = host.world.get().volume;
    if (filledBy === undefined || !path.startsWith(volumeRoot)) return;
    const paths = Object.keys(fake.state().files);
    if (!paths.some((one) => one.startsWith(volumeRoot) && one.endsWith(`/${filledBy}`))) return;
    const message = `write ${path}.123~: no space left on device`;
    throw fromApiFailure(`${what} ${path}`, { message, kind: 'generic-file-error' });
  };
  return {
    ...fake,
    push: async (path, ...rest) => {
      refuseWhenFull('write', path);
      await fake.push(path, ...rest);
    },
    makeDir: async (path, ...rest) => {
      refuseWhenFull('make directory', path);
      await fake.makeDir(path, ...rest);
    },
  };
}

/** By which members know each other; Juju makes it with the application. */
const jujuService = {
  [kubeKey('services', `${app}-endpoints`)]: {
    metadata: { name: `${app}-endpoints`, labels: { 'app.kubernetes.io/name': app } },
    spec: { clusterIP: 'None', selector: { 'app.kubernetes.io/name': app } },
  },
};

/** A unit; the peer relation is added unless relations of it are given. */
export function state(
  part: Omit<Partial<PostgresqlState>, 'world'> & {
    readonly world?: Parameters<typeof world>[0];
  } = {},
): PostgresqlState {
  const unit = part.unit ?? `${app}/0`;
  const given = part.relations ?? [];
  const hasPeers = given.some(({ endpoint }) => endpoint === 'database-peers');
  const relations = hasPeers ? given : [peer(), ...given];
  const units = new Set([unit, ...relations.flatMap((one) => Object.keys(one.remoteUnits))]);
  const pods = Object.fromEntries([...units].flatMap((one) => Object.entries(podObjects(one))));
  return baseState<PostgresqlWorld>({
    containers: { postgresql: container() },
    storages: [{ name: 'pgdata', index: 0, location: '/var/lib/postgresql/data' }],
    ...part,
    unit,
    relations,
    world: world({
      ...part.world,
      kube: {
        ...part.world?.kube,
        objects: { ...pods, ...jujuService, ...part.world?.kube?.objects },
      },
    }),
  });
}

/** The peer relation: `units` are the numbers of the other units, or their databags by name. */
export function peer(
  part: {
    readonly units?: readonly number[] | Readonly<Record<string, DataBag>>;
    readonly localApp?: DataBag;
    readonly localUnit?: DataBag;
    readonly id?: number;
  } = {},
): RelationState {
  const { units = [], ...bags } = part;
  const named = isNumbers(units)
    ? Object.fromEntries(units.map((number) => [`${app}/${number}`, {}]))
    : units;
  return peerRelation({ endpoint: 'database-peers', app, units: named, ...bags });
}

function isNumbers(
  units: readonly number[] | Readonly<Record<string, DataBag>>,
): units is readonly number[] {
  return Array.isArray(units);
}

/** The relation to an integrator that has given everything a repository needs. */
export function s3Relation(
  part: { readonly fields?: DataBag; readonly localApp?: DataBag; readonly id?: number } = {},
): RelationState {
  return relation({
    endpoint: 's3-parameters',
    id: part.id ?? 7,
    remoteApp: 's3-integrator',
    localApp: part.localApp ?? {},
    remoteAppData: {
      bucket: 'backups',
      endpoint: 'https://s3.example.com',
      path: '/postgresql',
      region: 'eu-central-1',
      'access-key': 'access-key-of-tests',
      'secret-key': 'secret-key-of-tests',
      ...part.fields,
    },
  });
}

/** The workload container as the image starts it; `running`: with Patroni's service up. */
export function container(
  part: Partial<PebbleState> & { readonly running?: readonly string[] } = {},
): PebbleState {
  const { running = [], ...given } = part;
  return pebbleState({
    ...given,
    services: {
      ...Object.fromEntries(running.map((name) => [name, { current: 'active' } as const])),
      ...given.services,
    },
    files: { ...imageFiles, ...given.files },
  });
}

const postgres = { user: 'postgres', group: 'postgres' };

const imageFiles: PebbleState['files'] = {
  '/usr/lib/postgresql/17/bin/postgres': fileEntry('', { mode: '0755' }),
  '/usr/lib/postgresql/17/lib/pg_stat_statements.so': fileEntry(''),
  '/usr/lib/postgresql/17/lib/pgaudit.so': fileEntry(''),
  '/var/lib/postgresql/data': directoryEntry(),
  '/var/log/postgresql': directoryEntry({ mode: '0750', ...postgres }),
};

function podObjects(unit: string): Readonly<Record<string, KubeObject>> {
  const name = unit.replace('/', '-');
  if (appOf(unit) !== app) return {};
  const number = name.slice(name.lastIndexOf('-') + 1);
  return {
    [`pods/${name}`]: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {
        name,
        labels: { 'app.kubernetes.io/name': app },
        ownerReferences: [
          { apiVersion: 'apps/v1', kind: 'StatefulSet', name: app, uid: 'statefulset-uid' },
        ],
      },
      spec: { nodeName: 'node-1', containers: [{ name: 'postgresql' }] },
      status: { podIP: `10.1.0.${Number(number) + 1}` },
    },
    'nodes/node-1': {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'node-1' },
      status: { allocatable: { cpu: '4', memory: '8Gi' } },
    },
  };
}
