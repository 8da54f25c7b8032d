// What the watcher sees is shown: remarks on a member that works all the same.

import { expect } from '@jest/globals';

import { fileEntry } from '../support/pebble-state.ts';
import { pebbleNotice, updateStatus } from '../support/scenario/events.ts';
import {
  inContainer,
  inWorld,
  primary,
  replica,
  running,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import { type PostgresqlState, s3Relation } from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';

/** When scenarios begin. */
const startMs = Date.UTC(2026, 0, 31, 12, 0, 0);
const minutesAgo = (minutes: number) => new Date(startMs - minutes * 60_000).toISOString();

const seeing = (given: PostgresqlState, text: string): PostgresqlState =>
  inContainer(given, ({ files }) => ({
    files: { ...files, '/run/charm-watch.json': fileEntry(text) },
  }));

const failing = { archive: { waiting: 12, failing: true }, fences: [] };
const fencedAgo = (minutes: number) => ({
  fences: [
    { at: minutesAgo(300), reason: 'long ago' },
    { at: minutesAgo(minutes), reason: 'Patroni was silent for 11 s' },
  ],
});

const ofPrimary: readonly (readonly [string, object, string])[] = [
  [
    'WAL that is not archived is told, and does not block',
    failing,
    'Primary (archiving fails, 12 WAL files waiting)',
  ],
  [
    'a fence is told for some minutes',
    fencedAgo(5),
    'Primary (fenced lately: Patroni was silent for 11 s)',
  ],
  ['and no longer', fencedAgo(11), 'Primary'],
  ['a watcher that has not looked yet is no news', { fences: [] }, 'Primary'],
  ['a file of another version is as good as none', { fences: 'many', disk: 7 }, 'Primary'],
];

for (const [name, seen, message] of ofPrimary) {
  scenario(name, {
    charm: underTest,
    given: async () => seeing(await running({ leader: true }), JSON.stringify(seen)),
    when: updateStatus,
    then: ({ state: after }) => {
      expect(after.unitStatus).toEqual({ level: 'active', message });
    },
    loosen: {
      differences: [
        { path: 'unitStatus.message', because: 'a fence is news for ten minutes only' },
      ],
    },
  });
}

scenario('what a fence has ended in a pause stays down, and how that ends is told', {
  charm: underTest,
  given: async () => {
    const fences = [{ at: minutesAgo(1), reason: 'the container did not run for 40 s' }];
    const given = await running({ leader: true, others: [1] });
    const { config } = given.world.patroni;
    const members = [{ ...replica(0), state: 'stopped' }, replica(1)];
    const inPause = inWorld(given, { patroni: { config: { ...config, pause: true }, members } });
    return seeing(inPause, JSON.stringify({ fences }));
  },
  when: pebbleNotice('postgresql', 'postgresql.charm/fenced'),
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({
      level: 'blocked',
      message:
        'failover paused, PostgreSQL stays down until resume-failover ' +
        '(fenced lately: the container did not run for 40 s)',
    });
  },
});

scenario('a file that is no JSON is as good as none', {
  charm: underTest,
  given: async () => seeing(await running({ leader: true }), '{'),
  when: pebbleNotice('postgresql', 'postgresql.charm/archiving-failed'),
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

const lagging = { archive: { waiting: 312, failing: false, lags: true }, fences: [] };

scenario('a primary whose WAL waits for minutes says so', {
  charm: underTest,
  given: async () => seeing(await running({ leader: true }), JSON.stringify(lagging)),
  when: pebbleNotice('postgresql', 'postgresql.charm/archiving-lags'),
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({
      level: 'active',
      message: 'Primary (archiving lags, 312 WAL files waiting)',
    });
  },
});

scenario('what a primary does not archive is not told by its replicas', {
  charm: underTest,
  given: async () =>
    seeing(await running({ number: 1, others: [0], primary: 0 }), JSON.stringify(failing)),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({ level: 'active', message: '' });
  },
});

scenario('remarks stand beside one another', {
  charm: underTest,
  given: async () =>
    seeing(
      inWorld(await running({ leader: true, others: [1] }), {
        patroni: { members: [primary(0), replica(1, 'stopped')] },
      }),
      JSON.stringify(failing),
    ),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({
      level: 'active',
      message:
        'Primary (degraded, writes wait for a replica, archiving fails, 12 WAL files waiting)',
    });
  },
});

const secondsAgo = (seconds: number) => new Date(startMs - seconds * 1000).toISOString();
const idleFor = (seconds: number, ...numbers: readonly number[]) => ({
  idle: Object.fromEntries(
    numbers.map((number) => [`postgresql-k8s-${number}`, secondsAgo(seconds)]),
  ),
  fences: [],
});

/** A primary of three, some of whose replicas run without streaming. */
async function withIdle(seen: object, ...numbers: readonly number[]): Promise<PostgresqlState> {
  const state = (number: number) => (numbers.includes(number) ? 'running' : 'streaming');
  const members = [primary(0), replica(1, state(1)), replica(2, state(2))];
  const given = await running({ leader: true, others: [1, 2] });
  return seeing(inWorld(given, { patroni: { members } }), JSON.stringify(seen));
}

/** What the primary itself says of who streams from it. */
const saying = (given: PostgresqlState, ...numbers: readonly number[]): PostgresqlState => {
  const streaming = numbers.map((number) => ({
    application_name: `postgresql-k8s-${number}`,
    state: 'streaming',
  }));
  const body = { state: 'running', role: 'primary', replication: streaming };
  const fault = { status: 200, body: JSON.stringify(body) };
  return inWorld(given, { patroni: { faults: { 'GET /health postgresql-k8s-0': fault } } });
};

const notFollowed: readonly (readonly [string, () => Promise<PostgresqlState>, string])[] = [
  [
    'a primary that a replica does not follow names it',
    async () => await withIdle(idleFor(16, 1), 1),
    'Primary (no replication to postgresql-k8s/1)',
  ],
  [
    'a replica that has just started, or a primary, is given its time',
    async () => await withIdle(idleFor(14, 1), 1),
    'Primary',
  ],
  [
    'a replica that streams by now is none of them, and neither is one that is down',
    async () =>
      inWorld(await withIdle(idleFor(60, 1, 2), 2), {
        patroni: { members: [primary(0), replica(1), replica(2, 'start failed')] },
      }),
    'Primary (degraded)',
  ],
  [
    'and neither is one that only Patroni does not list as streaming yet',
    async () => saying(await withIdle(idleFor(20, 1, 2), 1, 2), 1),
    'Primary (no replication to postgresql-k8s/2)',
  ],
  [
    'one that answers nobody is not there at all',
    async () => {
      const seen = { ...idleFor(60, 1), replication: { standby: false, streams: [] } };
      const silent = { ...replica(1, 'running'), silent: 'timeout' } as const;
      return inWorld(await withIdle(seen, 1), {
        patroni: { members: [primary(0), silent, replica(2, 'stopped')] },
      });
    },
    'Primary (degraded, writes wait for a replica)',
  ],
  [
    'writes wait when nobody follows at all',
    async () => await withIdle(idleFor(60, 1, 2), 1, 2),
    'Primary (no replication to postgresql-k8s/1, postgresql-k8s/2, writes wait for a replica)',
  ],
  [
    'unless they need not',
    async () => ({
      ...(await withIdle(idleFor(60, 1, 2), 1, 2)),
      config: { synchronous_mode_strict: false },
    }),
    'Primary (no replication to postgresql-k8s/1, postgresql-k8s/2)',
  ],
];
for (const [name, given, message] of notFollowed) {
  scenario(name, {
    charm: underTest,
    given,
    when: pebbleNotice('postgresql', 'postgresql.charm/cluster-changed'),
    then: ({ state: after }) => {
      expect(after.unitStatus).toEqual({ level: 'active', message });
    },
    loosen: {
      differences: [{ path: 'unitStatus.message', because: 'what has just begun lasts by then' }],
    },
  });
}

scenario('that writes wait stands beside a wrong option, when nobody follows', {
  charm: underTest,
  given: async () => ({
    ...(await withIdle(idleFor(60, 1, 2), 1, 2)),
    config: { failover_ttl: 3 },
  }),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(after.unitStatus.message).toMatch(
      /^Configuration Error: .*; writes wait for a replica$/,
    );
  },
});

scenario('a replica says nothing of those that do not follow', {
  charm: underTest,
  given: async () =>
    seeing(
      inWorld(await running({ number: 1, others: [0, 2], primary: 0 }), {
        patroni: { members: [primary(0), replica(1), replica(2, 'running')] },
      }),
      JSON.stringify(idleFor(60, 2)),
    ),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({ level: 'active', message: '' });
  },
});

const full = { disk: { level: 'full', free_percent: 1, total: 2 ** 30, read_only: true } };
const low = { disk: { level: 'low', free_percent: 7, total: 2 ** 30, read_only: false } };
const s3Problem = 'failed to access/create the bucket, check your S3 settings';

/** The leader in Juju, with much that is wrong, in a cluster whose primary is gone for good. */
async function withoutPrimary(): Promise<PostgresqlState> {
  const given = await running({ leader: true, number: 1, others: [0], primary: 0 });
  const lock = {
    metadata: {
      name: 'patroni-postgresql-k8s-sync',
      annotations: { leader: 'postgresql-k8s-0', sync_standby: '' },
    },
  };
  return inWorld(given, {
    patroni: { members: [{ ...replica(1, 'running'), role: 'replica' }] },
    kube: {
      objects: {
        ...given.world.kube.objects,
        'endpoints/patroni-postgresql-k8s-sync': lock,
      },
    },
  });
}

/** With an option that is wrong, a problem of S3 and what the watcher sees. */
function withTroubles(given: PostgresqlState, seen: object): PostgresqlState {
  const [peers, ...others] = given.relations;
  if (peers === undefined) throw new Error('the state has no peer relation');
  const localApp = { ...peers.localApp, 's3-initialization-block-message': s3Problem };
  const troubled = {
    ...given,
    config: { ...given.config, synchronous_node_count: 'several' },
    relations: [{ ...peers, localApp }, ...others],
  };
  return seeing(troubled, JSON.stringify({ fences: [], ...seen }));
}

/** Related to storage that does not answer. */
const withoutStorage = async () =>
  await running({
    leader: true,
    relations: [s3Relation()],
    world: { objectStore: { fault: 'unreachable' } },
  });

const withoutOption = (given: PostgresqlState): PostgresqlState => ({ ...given, config: {} });
const attempts = [50, 40, 30].map((minutes) => ({
  kind: 'clone',
  atMs: startMs - minutes * 60_000,
}));

/** A replica that three copies have not helped. */
async function beyondRepair(seen: object): Promise<PostgresqlState> {
  const given = withTroubles(await running({ number: 1, others: [0], primary: 0 }), {
    down: { at: minutesAgo(60), starts: 5 },
    ...seen,
  });
  const down = inWorld(given, { patroni: { members: [primary(0), replica(1, 'start failed')] } });
  return inContainer(down, ({ files }) => ({
    files: {
      ...files,
      '/var/lib/postgresql/data/repair.json': fileEntry(JSON.stringify({ attempts })),
    },
  }));
}

const mostSevere: readonly (readonly [string, () => Promise<PostgresqlState>, RegExp])[] = [
  [
    'that nobody may lead',
    async () => withTroubles(await withoutPrimary(), full),
    /^no primary: waiting for postgresql-k8s\/0, /,
  ],
  [
    'that a replica cannot be repaired',
    async () => await beyondRepair(low),
    /^cannot repair the replica: /,
  ],
  [
    'that clients may only read',
    async () => withTroubles(await running({ leader: true }), full),
    /^pgdata volume is full, clients may only read$/,
  ],
  [
    'an option that is wrong',
    async () => withTroubles(await running({ leader: true }), low),
    /^Configuration Error: synchronous_node_count /,
  ],
  [
    'backups that cannot be made',
    async () => withoutOption(withTroubles(await withoutStorage(), low)),
    /^failed to access\/create the bucket, /,
  ],
];

for (const [name, given, message] of mostSevere) {
  scenario(`of all that blocks, ${name} is shown before what matters less`, {
    charm: underTest,
    given,
    when: updateStatus,
    then: ({ state: after }) => {
      expect(after.unitStatus).toEqual({
        level: 'blocked',
        message: expect.stringMatching(message),
      });
    },
  });
}
