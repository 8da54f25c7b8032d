// The fakes around the PostgreSQL charm answer its own clients as the real programs would.

import { expect, test } from '@jest/globals';

import { Secret } from '../../../lib/base/secret.ts';
import type { Handler } from '../../../lib/juju/hook.ts';
import { createPatroni, type Patroni } from '../../../src/adapters/patroni.ts';
import type { PostgresqlPorts } from '../../../src/ports.ts';
import { configChanged } from '../../support/scenario/events.ts';
import {
  container,
  type PostgresqlState,
  peer,
  postgresql,
  s3Relation,
  state,
} from '../../support/scenario/postgresql/postgresql.ts';
import type { PatroniMember, PostgresqlWorld } from '../../support/scenario/postgresql/world.ts';
import { type RunResult, run } from '../../support/scenario/run.ts';

const running = { postgresql: container({ running: ['postgresql'] }) };
const primary: PatroniMember = {
  name: 'postgresql-k8s-0',
  role: 'leader',
  state: 'running',
  timeline: 2,
};
const standby: PatroniMember = {
  name: 'postgresql-k8s-1',
  role: 'sync_standby',
  state: 'streaming',
  timeline: 2,
  lagBytes: 512,
};
const pair = { patroni: { members: [primary, standby] } };
const relations = [peer({ units: [1] })];

/** Uses the ports in a hook; gives what that gave, and the run. */
async function use<T>(
  given: PostgresqlState,
  work: (ports: PostgresqlPorts) => Promise<T>,
): Promise<{ readonly seen: T; readonly result: RunResult<PostgresqlWorld> }> {
  const seen: T[] = [];
  const handler: Handler<PostgresqlPorts> = async ({ ports }) => {
    seen.push(await work(ports));
  };
  const charm = postgresql({ handlers: { 'config-changed': handler } });
  const result = await run({ charm, state: given, event: configChanged });
  const [first] = seen;
  if (first === undefined) throw new Error(result.log.map(({ message }) => message).join('\n'));
  return { seen: first, result };
}

function patroniAt(ports: PostgresqlPorts, host = '127.0.0.1'): Patroni {
  return createPatroni({ http: ports.http, host, scheme: 'http', password: new Secret('hush') });
}

async function codeOf(attempt: Promise<unknown>): Promise<unknown> {
  try {
    await attempt;
    return 'no error';
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
}

test('the own member leads a cluster of its own once its service runs', async () => {
  const { seen } = await use(state({ containers: running }), async (ports) => {
    const patroni = patroniAt(ports);
    return { members: (await patroni.cluster()).members, health: await patroni.health() };
  });

  expect(seen.members).toMatchObject([
    { name: 'postgresql-k8s-0', role: 'leader', state: 'running' },
  ]);
  expect(seen.health).toMatchObject({ state: 'running', role: 'primary', serverVersion: 170_004 });
});

test('the own member answers nobody and is not listed while its service is down', async () => {
  const { seen } = await use(state({ relations, world: pair }), async (ports) => ({
    own: await codeOf(patroniAt(ports).health()),
    listed: (await patroniAt(ports, 'postgresql-k8s-1.postgresql-k8s-endpoints').cluster()).members,
  }));

  expect(seen.own).toBe('unreachable');
  expect(seen.listed.map(({ name }) => name)).toEqual(['postgresql-k8s-1']);
});

test('a member may start slowly, and another may be frozen', async () => {
  const world = {
    patroni: { starts: 'starting', members: [{ ...standby, role: 'leader', silent: 'timeout' }] },
  } as const;

  const { seen } = await use(state({ containers: running, relations, world }), async (ports) => ({
    own: (await patroniAt(ports).health()).state,
    other: await codeOf(patroniAt(ports, 'postgresql-k8s-1.postgresql-k8s-endpoints').health()),
  }));

  expect(seen).toEqual({ own: 'starting', other: 'unreachable' });
});

test('roles and lag decide who is leader and who is a usable replica', async () => {
  const { seen } = await use(
    state({ containers: running, relations, world: pair }),
    async (ports) => {
      const other = patroniAt(ports, 'postgresql-k8s-1.postgresql-k8s-endpoints');
      return [
        await patroniAt(ports).isLeader(),
        await other.isReplica(512),
        await other.isReplica(511),
      ];
    },
  );

  expect(seen).toEqual([true, true, false]);
});

test('the shared configuration is merged, and null removes', async () => {
  const { seen, result } = await use(state({ containers: running }), async (ports) => {
    return await patroniAt(ports).patchConfig({
      ttl: null,
      postgresql: { parameters: { a: '1' } },
    });
  });

  expect(seen).toEqual({
    loop_wait: 10,
    retry_timeout: 10,
    postgresql: { parameters: { a: '1' } },
  });
  expect(result.state.world.patroni.config).toEqual(seen);
});

test('a switchover needs a synchronous standby, and disturbs', async () => {
  const given = state({ containers: running, relations, world: pair });
  const switchOver = async (candidate: string, from = given) =>
    await use(from, async (ports) => {
      return await codeOf(patroniAt(ports).switchover({ leader: 'postgresql-k8s-0', candidate }));
    });

  const refused = await switchOver('postgresql-k8s-7');
  const done = await switchOver('postgresql-k8s-1');

  expect(refused.seen).toBe('not-sync-standby');
  expect(done.seen).toBe('no error');
  expect(done.result.state.world.patroni.members).toEqual([
    expect.objectContaining({ name: 'postgresql-k8s-1', role: 'leader', timeline: 3 }),
    expect.objectContaining({ name: 'postgresql-k8s-0', role: 'sync_standby', timeline: 3 }),
  ]);
  expect(done.result.disturbances).toEqual([
    'Patroni switched over from postgresql-k8s-0 to postgresql-k8s-1',
  ]);
});

test('a request can be made to fail', async () => {
  const faults = { 'POST /restart': { status: 503, body: 'restart failed' } };

  const { seen } = await use(
    state({ containers: running, world: { patroni: { faults } } }),
    async (ports) => await codeOf(patroniAt(ports).restart()),
  );

  expect(seen).toBe('failed');
});

test('what Patroni does not have fails the run', async () => {
  const unknown = use(state({ containers: running }), async (ports) => {
    const url = 'http://127.0.0.1:8008/replay';
    return await codeOf(ports.http({ method: 'POST', url, timeoutMs: 1_000 }));
  });

  await expect(unknown).rejects.toThrow('Patroni has no POST /replay');
});

test('Kubernetes keeps what is applied, patched and deleted', async () => {
  const { seen, result } = await use(state({ leader: true }), async ({ kube }) => {
    await kube.apply(
      'services',
      { metadata: { name: 'a', labels: { of: 'x' } }, spec: { n: 1 } },
      'me',
    );
    await kube.apply('services', { metadata: { name: 'b', labels: { of: 'y' } } }, 'me');
    await kube.patch('services', 'a', { spec: { n: null, m: 2 } });
    await kube.delete('services', 'b');
    return {
      listed: (await kube.list('services', 'of=x')).map(({ metadata }) => metadata.name),
      missing: await codeOf(kube.patch('services', 'b', {})),
    };
  });

  expect(seen).toEqual({ listed: ['a'], missing: 'api' });
  expect(result.state.world.kube.objects['services/a']).toEqual({
    metadata: { name: 'a', labels: { of: 'x' } },
    spec: { m: 2 },
  });
});

test('Kubernetes refuses a charm that is not trusted', async () => {
  const { seen } = await use(
    state({ world: { kube: { faults: { '*': 'forbidden' } } } }),
    async ({ kube }) => await codeOf(kube.get('pods', 'postgresql-k8s-0')),
  );

  expect(seen).toBe('forbidden');
});

test('a connection needs a member that answers in the pod, and leave to enter it', async () => {
  const connect = async (pod: string, given: PostgresqlState) =>
    (await use(given, async (ports) => await codeOf(ports.connectPostgres({ pod })))).seen;
  const silent = { ...standby, silent: 'timeout' } as const;
  const world = { patroni: { members: [primary, silent] } };
  const given = state({ containers: running, world });
  const distrusted = state({
    containers: running,
    world: { kube: { faults: { '*': 'forbidden' } } },
  });

  expect(await connect('postgresql-k8s-0', given)).toBe('no error');
  expect(await connect('postgresql-k8s-1', given)).toBe('unreachable');
  expect(await connect('postgresql-k8s-0', state())).toBe('unreachable');
  expect(await connect('postgresql-k8s-0', distrusted)).toBe('forbidden');
});

test('users and their passwords are kept', async () => {
  const { result } = await use(state({ containers: running }), async (ports) => {
    const postgres = await ports.connectPostgres({ pod: 'postgresql-k8s-0' });
    await postgres.setUp([
      { name: 'monitoring', password: new Secret('m'), memberOf: ['pg_monitor'] },
    ]);
    await postgres.setPassword('monitoring', new Secret('new'));
    return await postgres.databases();
  });

  expect(result.state.world.postgres.roles['monitoring']).toEqual({
    password: 'new',
    superuser: false,
    memberOf: ['pg_monitor'],
  });
});

test('the object storage lets in whom it knows, and fails as it is told', async () => {
  const settings = (secretKey: string) => ({
    endpoint: 'https://s3.example.com',
    region: 'eu-central-1',
    bucket: 'backups',
    uriStyle: 'path' as const,
    accessKey: new Secret('key'),
    secretKey: new Secret(secretKey),
  });
  const keys = { accessKey: 'key', secretKey: 'right' };
  const { seen, result } = await use(state({ world: { objectStore: { keys } } }), async (ports) => {
    const store = ports.openObjectStore(settings('right'));
    const before = await codeOf(store.get('a'));
    await store.ensureBucket();
    await store.put('a', 'text');
    const wrong = await codeOf(ports.openObjectStore(settings('wrong')).ensureBucket());
    return [before, await store.get('a'), await store.get('b'), wrong];
  });

  expect(seen).toEqual(['no-bucket', 'text', undefined, 'wrong-secret']);
  expect(result.state.world.objectStore.buckets).toEqual({ backups: { a: 'text' } });
});

test('the builders make states that Juju can produce', async () => {
  const given = state({ relations: [...relations, s3Relation()] });

  const { result } = await use(given, async ({ clock }) => await Promise.resolve(clock.nowMs()));

  expect(given.plannedUnits).toBe(2);
  expect(result.exitCode).toBe(0);
});
