// States that the charm itself has led to, for scenarios that begin later in the life of a unit:
// what is then in databags, files and Services is what its own hooks have written.

import { charm } from '../../../../src/hooks.ts';
import { fileEntry, type PebbleState } from '../../pebble-state.ts';
import { secret } from '../builders.ts';
import { leaderElected, pebbleReady, relationChanged, type Trigger } from '../events.ts';
import { run } from '../run.ts';
import type { DataBag, RelationState } from '../state.ts';
import { type PostgresqlState, peer, postgresql, s3Relation, state } from './postgresql.ts';
import type { PatroniMember, world } from './world.ts';

/** The charm between its fakes. */
export const underTest = postgresql(charm);

const users = ['operator', 'replication', 'rewind', 'monitoring', 'backup', 'patroni'];

/** The application's secret as a leader has made it. */
export const passwords = secret({
  owner: 'application',
  label: 'database-peers.postgresql-k8s.app',
  content: Object.fromEntries(users.map((user) => [`${user}-password`, `password-of-${user}`])),
});

/** Members by unit number, as the application's databag has them. */
export function endpoints(...numbers: readonly number[]): string {
  return JSON.stringify(
    numbers.map((number) => `postgresql-k8s-${number}.postgresql-k8s-endpoints`),
  );
}

/** A member that leads. */
export function primary(number: number): PatroniMember {
  return { name: `postgresql-k8s-${number}`, role: 'leader', state: 'running', timeline: 1 };
}

/** A member that follows. */
export function replica(number: number, state = 'streaming'): PatroniMember {
  const role = 'sync_standby';
  return { name: `postgresql-k8s-${number}`, role, state, timeline: 1, lagBytes: 0 };
}

/** The state after the charm has handled these events, one after another. */
export async function after(
  given: PostgresqlState,
  ...events: readonly Trigger[]
): Promise<PostgresqlState> {
  let reached = given;
  let startMs = Date.UTC(2026, 0, 31, 10, 0, 0);
  for (const event of events) {
    const result = await run({
      charm: underTest,
      state: reached,
      event,
      startMs,
      runTag: '0',
      interruptible: false,
    });
    if (result.exitCode !== 0) {
      const errors = result.log.filter(({ level }) => level === 'ERROR');
      throw new Error(`${event.event.name} failed: ${errors.map((one) => one.message).join('\n')}`);
    }
    reached = result.state;
    startMs = result.endMs + 60_000;
  }
  return reached;
}

export interface Unit {
  /** Number of the unit; 0 unless told. */
  readonly number?: number;
  readonly leader?: boolean;
  /** Numbers of the other units, all admitted; none unless told. */
  readonly others?: readonly number[];
  /** Number of the member that leads; the unit itself unless told. */
  readonly primary?: number;
  /** Further keys of the databags. */
  readonly app?: DataBag;
  readonly own?: DataBag;
  readonly relations?: readonly RelationState[];
  readonly world?: Parameters<typeof world>[0];
}

/** A unit whose cluster has been initialised, before its own start. */
export function admitted(unit: Unit): PostgresqlState {
  const { number = 0, leader = false, others = [], world: given } = unit;
  const all = [number, ...others].toSorted((one, other) => one - other);
  const leading = unit.primary ?? number;
  return state({
    unit: `postgresql-k8s/${number}`,
    leader,
    secrets: [passwords],
    relations: [
      peer({
        units: others,
        localApp: { cluster_initialised: 'True', endpoints: endpoints(...all), ...unit.app },
        localUnit: unit.own ?? {},
      }),
      ...(unit.relations ?? []),
    ],
    world: {
      ...given,
      patroni: {
        members: all.map((one) => (one === leading ? primary(one) : replica(one))),
        ...given?.patroni,
      },
    },
  });
}

/** A unit whose database runs: a leader has made Services and passwords, all are admitted. */
export async function running(unit: Unit = {}): Promise<PostgresqlState> {
  const elected = unit.leader === true ? [leaderElected] : [];
  return withData(await after(admitted(unit), ...elected, pebbleReady('postgresql')));
}

/** The volume as a database leaves it: with the system identifier of the world unless told. */
export function withData(
  given: PostgresqlState,
  identifier = given.world.patroni.systemIdentifier,
): PostgresqlState {
  const control = fileEntry(identifier, { user: 'postgres', group: 'postgres', mode: '0600' });
  return inContainer(given, ({ files }) => ({
    files: { ...files, '/var/lib/postgresql/data/pgdata/global/pg_control': control },
  }));
}

/** A leader whose backups have been set up. */
export async function backedUp(unit: Unit = {}): Promise<PostgresqlState> {
  const s3 = s3Relation();
  const before = await running({ leader: true, ...unit, relations: [s3] });
  return await after(before, relationChanged(s3));
}

/** The same state with some of the world changed. */
export function inWorld(
  given: PostgresqlState,
  change: Parameters<typeof world>[0],
): PostgresqlState {
  const { patroni, kube, objectStore, postgres, pgbackrest, volume } = given.world;
  return {
    ...given,
    world: {
      patroni: { ...patroni, ...change.patroni },
      kube: { ...kube, ...change.kube },
      objectStore: { ...objectStore, ...change.objectStore },
      postgres: { ...postgres, ...change.postgres },
      pgbackrest: { ...pgbackrest, ...change.pgbackrest },
      volume: { ...volume, ...change.volume },
    },
  };
}

/** The same state with another container. */
export function inContainer(
  given: PostgresqlState,
  change: (now: PebbleState) => Partial<PebbleState>,
): PostgresqlState {
  const { postgresql: now } = given.containers;
  if (now === undefined) throw new Error('the state has no container');
  return { ...given, containers: { postgresql: { ...now, ...change(now) } } };
}

/** As if the container had been replaced: services and files are gone, the storage is not. */
export function inNewContainer(given: PostgresqlState): PostgresqlState {
  const gone = ['/opt/', '/etc/'];
  return inContainer(given, ({ files }) => ({
    files: Object.fromEntries(
      Object.entries(files).filter(([path]) => !gone.some((start) => path.startsWith(start))),
    ),
    layers: [],
    services: {},
  }));
}

/** Text of a file in the container; `undefined` when there is none. */
export function fileOf({ containers }: PostgresqlState, path: string): string | undefined {
  const file = containers['postgresql']?.files[path];
  return file?.type === 'file' ? String(file.content) : undefined;
}

export const stanza = 'test-model.patroni-postgresql-k8s';
export const backupLabel = '20260130-120000F';
export const dataFile = '/var/lib/postgresql/data/pgdata/PG_VERSION';

/** The leader, the only unit unless told, with data and a backup of it. */
export async function withBackup(unit: Unit = {}): Promise<PostgresqlState> {
  const given = inWorld(await backedUp(unit), {
    pgbackrest: { stanzas: [stanza], backups: [{ label: backupLabel, stanza }] },
  });
  const file = fileEntry('17\n', { mode: '0600', user: 'postgres', group: 'postgres' });
  return inContainer(given, ({ files }) => ({ files: { ...files, [dataFile]: file } }));
}

/** Seconds of 30 January 2026, when the backup was made. */
export function onThatDay(hour: number, minute = 0): number {
  return Date.UTC(2026, 0, 30, hour, minute) / 1000;
}

/** With WAL of two timelines: the second left the first after the backup, and has none of its own. */
export async function withTimelines(): Promise<PostgresqlState> {
  const segment = (timeline: number, number: number): string =>
    `${stanza}/17-1/0000000${timeline}00000000/0000000${timeline}000000000000000${number}-${'a'.repeat(40)}.zst`;
  return inWorld(await withBackup(), {
    pgbackrest: {
      archive: {
        [segment(1, 3)]: { seconds: onThatDay(12) },
        [segment(1, 4)]: { seconds: onThatDay(12, 40) },
        [segment(2, 5)]: { seconds: onThatDay(13, 30) },
        [segment(2, 6)]: { seconds: onThatDay(14) },
        [`${stanza}/17-1/00000002.history`]: {
          seconds: onThatDay(13),
          text: '1\t0/5000000\tbefore 2026-01-30 12:45:00+00\n',
        },
      },
    },
  });
}

/** With what Patroni keeps of the cluster in Kubernetes. */
export function remembering(given: PostgresqlState): PostgresqlState {
  const labels = { application: 'patroni', 'cluster-name': 'patroni-postgresql-k8s' };
  const endpoints = (name: string, annotations: Readonly<Record<string, string>>) => ({
    [`endpoints/${name}`]: {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { name, namespace: 'test-model', labels, annotations },
    },
  });
  const { systemIdentifier } = given.world.patroni;
  return inWorld(given, {
    kube: {
      objects: {
        ...given.world.kube.objects,
        ...endpoints('patroni-postgresql-k8s', { leader: 'postgresql-k8s-0', optime: '50331648' }),
        ...endpoints('patroni-postgresql-k8s-config', {
          initialize: systemIdentifier,
          history: '[[1,50331648,"no recovery target specified"]]',
        }),
      },
    },
  });
}
