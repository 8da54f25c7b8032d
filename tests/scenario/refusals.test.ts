// What Kubernetes, Patroni and PostgreSQL refuse in passing, at each call of the usual hooks, once or
// until the hook ends: no hook fails, and two update-status later all is as if nothing had happened.
// What nobody expects fails the hook.

import { expect, test } from '@jest/globals';

import { patroniConfigPath, pgbackrestConfigPath } from '../../src/core/names.ts';
import { canonical, stateDifferences } from '../support/scenario/compare.ts';
import {
  configChanged,
  leaderElected,
  lifecycle,
  pebbleNotice,
  pebbleReady,
  relationBroken,
  relationChanged,
  relationDeparted,
  storageDetaching,
  type Trigger,
  updateStatus,
} from '../support/scenario/events.ts';
import {
  admitted,
  after,
  backedUp,
  endpoints,
  inContainer,
  inNewContainer,
  inWorld,
  primary,
  replica,
  running,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import {
  type PostgresqlState,
  peer,
  s3Relation,
  state,
} from '../support/scenario/postgresql/postgresql.ts';
import { type Refusal, refusing, waysToFail } from '../support/scenario/postgresql/refusals.ts';
import { type RunResult, run } from '../support/scenario/run.ts';
import { relationOf } from '../support/scenario/state.ts';

type Result = RunResult<PostgresqlState['world']>;

const ready = pebbleReady('postgresql');
const s3 = s3Relation();
const options = {
  failover_ttl: 30,
  synchronous_node_count: '1',
  logging_log_lock_waits: true,
} as const;

const changedPeers = (given: PostgresqlState) =>
  relationChanged(relationOf(given, 'database-peers'), 'postgresql-k8s/1');

/** Unit 1 of two has not been admitted. */
async function joined(): Promise<PostgresqlState> {
  const given = admittedAlone(await running({ leader: true, others: [1] }));
  return inWorld(given, { patroni: { members: [primary(0)] } });
}

/** Unit 2 of three goes. */
async function departed(): Promise<PostgresqlState> {
  const given = await running({ leader: true, others: [1, 2] });
  return {
    ...inWorld(given, { patroni: { members: [primary(0), replica(1)] } }),
    dyingUnits: ['postgresql-k8s/2'],
    plannedUnits: 2,
  };
}

/** A new leader of two, whose predecessor has made no Services and admitted only itself. */
async function elected(): Promise<PostgresqlState> {
  const given = await running({ number: 1, others: [0], primary: 0 });
  return { ...admittedAlone(given), leader: true };
}

/** Only unit 0 is a member yet. */
function admittedAlone(given: PostgresqlState): PostgresqlState {
  const relations = given.relations.map((one) => ({
    ...one,
    localApp: { ...one.localApp, endpoints: endpoints(0) },
  }));
  return { ...given, relations };
}

/** Another primary's label has stayed. */
async function promoted(): Promise<PostgresqlState> {
  const given = await running({ leader: true, others: [1] });
  const { objects } = given.world.kube;
  const labels = { 'cluster-name': 'patroni-postgresql-k8s', role: 'primary' };
  const lock = { leader: 'postgresql-k8s-0' };
  return inWorld(given, {
    kube: {
      objects: {
        ...objects,
        'pods/postgresql-k8s-1': { metadata: { name: 'postgresql-k8s-1', labels } },
        'endpoints/patroni-postgresql-k8s': {
          metadata: { name: 'patroni-postgresql-k8s', annotations: lock },
        },
      },
    },
  });
}

interface Hook {
  readonly given: () => Promise<PostgresqlState>;
  readonly when: (given: PostgresqlState) => Trigger;
  /** What may differ afterwards (beginnings of `path.to.part`), and why. */
  readonly differs?: { readonly path: string; readonly because: string };
}

const pgdata = { name: 'pgdata', index: 0, location: '/var/lib/postgresql/data' };

const hooks: Readonly<Record<string, Hook>> = {
  'leader-elected of a new application': {
    given: async () => await Promise.resolve(state({ leader: true })),
    when: () => leaderElected,
  },
  'leader-elected of a cluster': {
    given: elected,
    when: () => leaderElected,
  },
  'pebble-ready of the first unit': {
    given: async () => {
      const given = admitted({ leader: true });
      const relations = [peer({ localApp: { endpoints: endpoints(0) } })];
      return await after({ ...given, relations }, leaderElected);
    },
    when: () => ready,
  },
  'pebble-ready of a replica': {
    given: async () => await Promise.resolve(admitted({ number: 1, others: [0], primary: 0 })),
    when: () => ready,
  },
  'pebble-ready of a new container': {
    given: async () => ({ ...inNewContainer(await backedUp({ others: [1] })), config: options }),
    when: () => ready,
  },
  'config-changed': {
    given: async () => ({ ...(await backedUp({ others: [1] })), config: options }),
    when: () => configChanged,
  },
  'config-changed with an option that is wrong': {
    given: async () => ({ ...(await departed()), config: { profile: 'huge' } }),
    when: () => configChanged,
  },
  'upgrade-charm': {
    given: async () => ({ ...(await running({ leader: true, others: [1] })), config: options }),
    when: () => lifecycle('upgrade-charm'),
  },
  'update-status': {
    given: async () => ({ ...(await departed()), config: options }),
    when: () => updateStatus,
  },
  'update-status without the database': {
    given: async () =>
      inContainer(await running({ leader: true, others: [1] }), ({ services }) => ({
        services: { ...services, postgresql: { current: 'inactive' } },
      })),
    when: () => updateStatus,
  },
  'a notice after a promotion': {
    given: promoted,
    when: () => pebbleNotice('postgresql', 'postgresql.charm/on-role-change'),
  },
  'peer-relation-changed': {
    given: joined,
    when: changedPeers,
    differs: {
      path: 'world.kube.objects.pods/postgresql-k8s-1.metadata.labels',
      because: 'the unit labels its own pod when it starts',
    },
  },
  'peer-relation-changed of a replica': {
    given: async () => ({
      ...(await running({ number: 1, others: [0], primary: 0 })),
      config: options,
    }),
    when: (given) => relationChanged(relationOf(given, 'database-peers')),
  },
  'peer-relation-departed': {
    given: departed,
    when: (given) => relationDeparted(relationOf(given, 'database-peers'), 'postgresql-k8s/2'),
    differs: {
      path: `containers.postgresql.files.${patroniConfigPath}.content`,
      because: 'what a new cluster would begin with is reckoned anew with whatever is made up for',
    },
  },
  's3-parameters-relation-changed': {
    given: async () => await running({ leader: true, others: [1], relations: [s3] }),
    when: () => relationChanged(s3),
  },
  's3-parameters-relation-changed of a replica': {
    given: async () => await running({ number: 1, others: [0], primary: 0, relations: [s3] }),
    when: () => relationChanged(s3),
  },
  's3-parameters-relation-changed to another bucket': {
    given: async () => {
      const given = await backedUp();
      const relations = given.relations.map((one) =>
        one.endpoint === 's3-parameters' ? otherBucket(one.localApp) : one,
      );
      return { ...given, relations };
    },
    when: (given) => relationChanged(relationOf(given, 's3-parameters')),
  },
};

function otherBucket(localApp: PostgresqlState['relations'][number]['localApp']) {
  return s3Relation({ localApp, fields: { path: '/elsewhere' } });
}

/** The state after two update-status, when nothing fails any more. */
async function settled(left: PostgresqlState, startMs: number): Promise<PostgresqlState> {
  let reached = left;
  for (const minutes of [5, 10]) {
    const result = await run({
      charm: underTest,
      state: reached,
      event: updateStatus,
      startMs: startMs + minutes * 60_000,
      interruptible: false,
    });
    expect(result.exitCode).toBe(0);
    reached = result.state;
  }
  return reached;
}

const startMs = Date.UTC(2026, 0, 31, 12, 0, 0);

async function play(given: PostgresqlState, event: Trigger, refusal: Refusal) {
  const { charm, calls } = refusing(refusal);
  const result = await run({ charm, state: given, event, startMs, interruptible: false });
  const failures = result.log.filter(
    ({ level, message }) => level === 'ERROR' && message.startsWith('cannot handle deferred'),
  );
  return { result, calls, well: result.exitCode === 0 && failures.length === 0 };
}

/** A primary that makes up for a notice tells once more that it leads. */
const announcedBesides = /^relations\.\d+\.localUnit\.led-timeline: nothing → /;

function describe({ at, way, lasting = false }: Refusal, calls: readonly string[]): string {
  return `${calls[at] ?? ''} (call ${at}, way ${String(way)}${lasting ? ', lasting' : ''})`;
}

/** Each call that changes something fails in every way, each other one in two; and all from it on. */
function refusals(calls: readonly string[]): readonly Refusal[] {
  return calls.flatMap((call, at) => {
    const ways = / (?:get|list|GET) /.test(call) ? [at, at + 1] : [...Array(waysToFail).keys()];
    return [...ways.map((way) => ({ at, way })), { at, way: at, lasting: true }];
  });
}

/** What is otherwise than it would be after two update-status, from one of the states that hooks leave. */
function createJudge(wanted: PostgresqlState) {
  const known = new Map<string, readonly string[]>();
  return async ({ state: left, endMs }: Pick<Result, 'state' | 'endMs'>) => {
    const shown = canonical(left);
    const found = known.get(shown) ?? stateDifferences(wanted, await settled(left, endMs));
    known.set(shown, found);
    return found;
  };
}

for (const [name, { given, when, differs }] of Object.entries(hooks)) {
  test(`${name}: what is refused in passing fails no hook, and is made up for`, async () => {
    const start = await given();
    const event = when(start);
    const { result, calls } = await play(start, event, { at: -1, way: 0 });
    const wanted = await settled(result.state, result.endMs);
    const judge = createJudge(wanted);
    const problems: string[] = [];
    for (const refusal of refusals(calls)) {
      const { result: refused, well } = await play(start, event, refusal);
      const found = [
        ...(well ? [] : [`failed: ${refused.log.map(({ message }) => message).join('; ')}`]),
        ...(await judge(refused)),
      ]
        .filter((line) => differs === undefined || !line.startsWith(differs.path))
        .filter((line) => !announcedBesides.test(line));
      problems.push(...found.map((problem) => `${describe(refusal, calls)}: ${problem}`));
    }

    expect(calls.length).toBeGreaterThan(0);
    expect(problems).toEqual([]);
  }, 120_000);

  test(`${name}: a fault of the charm fails the hook, wherever it shows`, async () => {
    const start = await given();
    const event = when(start);
    const { calls } = await play(start, event, { at: -1, way: 0 });
    const hidden: string[] = [];
    for (let at = 0; at < calls.length; at += 1) {
      const { result } = await play(start, event, { at, way: 'bug' });
      if (result.exitCode === 0) hidden.push(`${at}: ${calls[at] ?? ''}`);
    }

    expect(hidden).toEqual([]);
  });
}

/** The primary is unit 2 of three; units 1 and 2 go, and only unit 1 is synchronous. */
async function leavingTogether(): Promise<PostgresqlState> {
  const given = await running({ number: 2, others: [0, 1], primary: 2 });
  const members = [primary(2), replica(1), { ...replica(0), role: 'replica' as const }];
  const config = { ...given.world.patroni.config, synchronous_node_count: 1 };
  return {
    ...inWorld(given, { patroni: { members, config } }),
    storages: [pgdata],
    dyingUnits: ['postgresql-k8s/1', 'postgresql-k8s/2'],
    plannedUnits: 1,
  };
}

test('a unit that is being removed hands over whatever is refused on the way', async () => {
  const start = await leavingTogether();
  const event = storageDetaching(pgdata);
  const { calls } = await play(start, event, { at: -1, way: 0 });
  const failed: string[] = [];
  const stayed: string[] = [];
  for (const refusal of refusals(calls)) {
    const { result, well } = await play(start, event, refusal);
    if (!well) failed.push(describe(refusal, calls));
    const leader = result.state.world.patroni.members.find(({ role }) => role === 'leader');
    const raised = /PATCH .*\/config$/.test(calls[refusal.at] ?? '');
    if (refusal.lasting !== true && raised && leader?.name !== 'postgresql-k8s-0') {
      stayed.push(describe(refusal, calls));
    }
  }

  expect(calls.some((call) => call.includes('PATCH'))).toBe(true);
  expect(failed).toEqual([]);
  // One refusal of the change that makes an heir is no reason to go without one.
  expect(stayed).toEqual([]);
});

test('keys do not stay in the workload when Patroni cannot be told that their relation is gone', async () => {
  const before = await backedUp();
  const s3Alone = { ...relationOf(before, 's3-parameters'), remoteUnits: {} };
  const others = before.relations.filter(({ endpoint }) => endpoint !== 's3-parameters');
  const start = { ...before, relations: [...others, s3Alone] };
  const event = relationBroken(s3Alone);
  const { calls } = await play(start, event, { at: -1, way: 0 });
  for (const refusal of refusals(calls)) {
    const { result, well } = await play(start, event, refusal);
    const files = Object.keys(result.state.containers['postgresql']?.files ?? {});

    expect(well).toBe(true);
    expect(files).not.toContain(pgbackrestConfigPath);
    const relations = result.state.relations.filter(({ id }) => id !== s3Alone.id);
    const reached = await settled({ ...result.state, relations }, result.endMs);
    expect(reached.world.patroni.config).toMatchObject({
      postgresql: { parameters: { archive_command: '/bin/true' } },
    });
  }
});

/** All three members have to be restarted for what they have taken over. */
async function due(): Promise<PostgresqlState> {
  const given = await running({ leader: true, others: [1, 2] });
  const peers = relationOf(given, 'database-peers');
  const hash = { config_hash: peers.localUnit['config_hash'] ?? '' };
  const changed = {
    ...peers,
    localApp: { ...peers.localApp, config_hash: 'of another configuration' },
    remoteUnits: { 'postgresql-k8s/1': hash, 'postgresql-k8s/2': hash },
  };
  const members = [primary(0), replica(1), replica(2)].map((member) => ({
    ...member,
    pendingRestart: true as const,
    pendingChanges: { shared_buffers: ['128MB', '1GB'] as const },
  }));
  const relations = given.relations.map((one) => (one === peers ? changed : one));
  return inWorld({ ...given, relations }, { patroni: { members } });
}

test('members are restarted whatever is refused on the way', async () => {
  const start = await due();
  const event = relationChanged(relationOf(start, 'database-peers'), 'postgresql-k8s/1');
  const { calls } = await play(start, event, { at: -1, way: 0 });
  const problems: string[] = [];
  for (const refusal of refusals(calls)) {
    const { result, well } = await play(start, event, refusal);
    if (!well) problems.push(`failed: ${describe(refusal, calls)}`);
    const reached = await settled(result.state, result.endMs);
    const { localApp, localUnit } = relationOf(reached, 'database-peers');
    const open = reached.world.patroni.members.filter((member) => 'pendingRestart' in member);
    const ended = open.length === 0 && localApp['config_hash'] === localUnit['config_hash'];
    if (!ended) problems.push(`left: ${describe(refusal, calls)}`);
  }

  expect(calls.some((call) => call.includes('POST'))).toBe(true);
  expect(problems).toEqual([]);
}, 120_000);
