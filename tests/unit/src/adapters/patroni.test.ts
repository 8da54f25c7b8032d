import { expect, test } from '@jest/globals';

import { Secret } from '../../../../lib/base/secret.ts';
import {
  createPatroni,
  fetchClusterFromAny,
  isPatroniConflict,
  isPatroniOutage,
} from '../../../../src/adapters/patroni.ts';
import { createFakeHttp, type FakeAnswer } from '../../../support/fake-http.ts';

function setUp(...answers: readonly FakeAnswer[]) {
  const fake = createFakeHttp(...answers);
  const patroni = createPatroni({
    http: fake.http,
    host: 'pg-0.pg-endpoints',
    scheme: 'https',
    password: new Secret('planted-password'),
    ca: 'CA',
  });
  return { ...fake, patroni };
}

const cluster = {
  scope: 'patroni-pg',
  members: [
    {
      name: 'pg-0',
      role: 'leader',
      state: 'running',
      api_url: 'https://pg-0:8008/patroni',
      host: 'pg-0.pg-endpoints',
      port: 5432,
      timeline: 3,
    },
    {
      name: 'pg-1',
      role: 'sync_standby',
      state: 'streaming',
      host: 'pg-1.pg-endpoints',
      timeline: 3,
      lag: 0,
      tags: { nosync: true },
      pending_restart: true,
    },
    { name: 'pg-2', role: 'a new role', state: 'a new state', lag: 'unknown' },
  ],
  pause: true,
};

test('the cluster is read without the password', async () => {
  const { patroni, requests } = setUp({ status: 200, body: cluster });

  expect(await patroni.cluster()).toEqual({
    paused: true,
    members: [
      {
        name: 'pg-0',
        role: 'leader',
        state: 'running',
        host: 'pg-0.pg-endpoints',
        timeline: 3,
        tags: {},
        pendingRestart: false,
      },
      {
        name: 'pg-1',
        role: 'sync_standby',
        state: 'streaming',
        host: 'pg-1.pg-endpoints',
        timeline: 3,
        lagBytes: 0,
        tags: { nosync: true },
        pendingRestart: true,
      },
      { name: 'pg-2', role: 'replica', state: 'unknown', tags: {}, pendingRestart: false },
    ],
  });
  expect(requests).toEqual([
    { method: 'GET', url: 'https://pg-0.pg-endpoints:8008/cluster', ca: 'CA', timeoutMs: 5_000 },
  ]);
});

const healths = [
  {
    summary: 'a leader of Patroni 3',
    answer: { state: 'running', role: 'master', timeline: 1, server_version: 140012 },
    health: {
      state: 'running',
      role: 'primary',
      timeline: 1,
      serverVersion: 140012,
      pendingRestart: false,
    },
  },
  {
    summary: 'a leader of Patroni 4',
    answer: {
      state: 'running',
      role: 'primary',
      pending_restart: true,
      database_system_identifier: '7',
      patroni: { version: '4.0.5', name: 'pg-0' },
      replication: [
        { application_name: 'pg-1', state: 'streaming', sync_state: 'sync' },
        { application_name: 'pg-2', state: 'catchup', sync_state: 'async' },
      ],
    },
    health: {
      state: 'running',
      role: 'primary',
      followers: ['pg-1'],
      pendingRestart: true,
      systemIdentifier: '7',
      patroniVersion: '4.0.5',
    },
  },
  {
    summary: 'a member that has to be restarted',
    answer: {
      state: 'running',
      role: 'primary',
      postmaster_start_time: '2026-01-31 12:00:00.123456+00:00',
      pending_restart: true,
      pending_restart_reason: {
        max_connections: { old_value: '100', new_value: '200' },
        shared_buffers: { old_value: '128MB', new_value: '1GB' },
      },
    },
    health: {
      state: 'running',
      role: 'primary',
      startTime: '2026-01-31 12:00:00.123456+00:00',
      pendingRestart: true,
      pendingChanges: {
        max_connections: { from: '100', to: '200' },
        shared_buffers: { from: '128MB', to: '1GB' },
      },
    },
  },
  {
    summary: 'a replica that replicates',
    answer: {
      state: 'running',
      role: 'replica',
      replication_state: 'streaming',
      xlog: { received_location: 83886344, replayed_location: 83886080, paused: false },
    },
    health: {
      state: 'running',
      role: 'replica',
      replicationState: 'streaming',
      replayed: 83886080,
      pendingRestart: false,
    },
  },
  {
    summary: 'a member that says little',
    answer: {},
    health: { state: 'unknown', role: 'unknown', pendingRestart: false },
  },
];

test.each(healths)('$summary is understood, whatever its status', async ({ answer, health }) => {
  const { patroni } = setUp({ status: 503, body: answer });

  expect(await patroni.health()).toEqual(health);
});

test('roles are answered by status', async () => {
  const { patroni, requests } = setUp({ status: 200 }, { status: 503 }, { status: 200 });

  expect(await patroni.isLeader()).toBe(true);
  expect(await patroni.isLeader()).toBe(false);
  expect(await patroni.isReplica(100)).toBe(true);

  expect(requests[2]?.url).toBe('https://pg-0.pg-endpoints:8008/replica?lag=100');
});

test('the configuration is read and patched, nulls included', async () => {
  const { patroni, requests } = setUp(
    { status: 200, body: { ttl: 30 } },
    { status: 200, body: { ttl: 20 } },
  );

  expect(await patroni.config()).toEqual({ ttl: 30 });
  expect(await patroni.patchConfig({ ttl: 20, standby_cluster: null })).toEqual({ ttl: 20 });

  expect(requests[1]).toMatchObject({
    method: 'PATCH',
    headers: {
      'content-type': 'application/json',
      authorization: `Basic ${Buffer.from('patroni:planted-password').toString('base64')}`,
    },
    body: '{"ttl":20,"standby_cluster":null}',
  });
});

test('commands are posted', async () => {
  const { patroni, requests } = setUp(
    { status: 200, body: 'ok' },
    { status: 202, body: 'reload scheduled' },
    { status: 200, body: 'ok' },
    { status: 200, body: 'ok' },
  );

  await patroni.restart();
  await patroni.reload();
  await patroni.reinitialize();
  await patroni.switchover({ leader: 'pg-0', candidate: 'pg-1' });

  expect(
    requests.map(({ method, url, body }) => `${method} ${new URL(url).pathname} ${String(body)}`),
  ).toEqual([
    'POST /restart {}',
    'POST /reload {}',
    'POST /reinitialize {"force":true}',
    'POST /switchover {"leader":"pg-0","candidate":"pg-1"}',
  ]);
});

const failures = [
  {
    summary: 'a candidate that is no synchronous standby',
    answer: { status: 412, body: 'candidate name does not match with sync_standby' },
    error: { code: 'not-sync-standby', fields: { status: 412 } },
  },
  {
    summary: 'another failed precondition',
    answer: { status: 412, body: 'leader name does not match' },
    error: { code: 'failed', fields: { status: 412 } },
  },
  {
    summary: 'a wrong password',
    answer: { status: 401, body: '' },
    error: { code: 'unauthorised' },
  },
  {
    summary: 'a failed switchover',
    answer: { status: 503, body: 'Failed' },
    error: { code: 'failed' },
  },
  { summary: 'nobody there', answer: { fails: 'refused' }, error: { code: 'unreachable' } },
  {
    summary: 'a stranger',
    answer: { fails: 'untrusted' },
    error: { fields: { reason: 'untrusted' } },
  },
] as const;

test.each(failures)(
  '$summary is told from the others, without the password',
  async ({ answer, error }) => {
    const { patroni } = setUp(answer);

    const thrown = await patroni.switchover({ leader: 'pg-0' }).catch((reason: unknown) => reason);

    expect(thrown).toMatchObject(error);
    expect(`${String(thrown)}${JSON.stringify(thrown)}`).not.toContain('planted-password');
  },
);

test('a member that does not have to be restarted says so', async () => {
  const answer = { status: 503, body: 'restart conditions are not satisfied' };
  const { patroni, requests } = setUp(answer);

  await expect(patroni.restart({ onlyPending: true })).rejects.toMatchObject({
    code: 'not-pending',
  });
  expect(requests[0]?.body).toBe('{"restart_pending":true}');
});

test('an answer that is not what was asked for is a failure', async () => {
  const { patroni } = setUp(
    { status: 200, body: '<html>' },
    { status: 200, body: { members: [{}] } },
  );

  await expect(patroni.cluster()).rejects.toMatchObject({ code: 'failed' });
  await expect(patroni.cluster()).rejects.toMatchObject({ code: 'failed' });
});

test('an address of the sixth version stands in brackets', async () => {
  const { http, requests } = createFakeHttp({ status: 200 });

  await createPatroni({ http, host: 'fd00::1', port: 9, scheme: 'http' }).isLeader();

  expect(requests[0]?.url).toBe('http://[fd00::1]:9/leader');
});

test('whoever answers first tells about the cluster', async () => {
  const down = setUp({ fails: 'timeout' }).patroni;
  const up = setUp({ status: 200, body: { members: [] } }).patroni;

  expect(await fetchClusterFromAny([down, up])).toEqual({ members: [], paused: false });
});

test('when nobody answers, the first error is given', async () => {
  const first = setUp({ fails: 'timeout' }).patroni;
  const second = setUp({ fails: 'refused' }).patroni;

  await expect(fetchClusterFromAny([first, second])).rejects.toMatchObject({
    code: 'unreachable',
    fields: { reason: 'timeout' },
  });
  await expect(fetchClusterFromAny([])).rejects.toMatchObject({ code: 'unreachable' });
});

/** What a refused change of the configuration rejects with. */
async function refusalOf(answer: FakeAnswer): Promise<unknown> {
  const { patroni } = setUp(answer);
  return await patroni.patchConfig({ ttl: 20 }).then(
    () => undefined,
    (error: unknown) => error,
  );
}

test.each([
  { status: 409, body: 'Conflict' },
  { status: 500, body: 'Internal error' },
  { status: 503, body: 'DCS is not accessible' },
])('a change that is refused with $status may go well later', async (answer) => {
  const error = await refusalOf(answer);

  expect(isPatroniOutage(error)).toBe(true);
  expect(isPatroniConflict(error)).toBe(answer.status === 409);
});

test.each([
  { status: 400, body: 'Bad Request' },
  { status: 401, body: 'not authenticated' },
  { status: 412, body: 'no leader' },
  { status: 200, body: 'no JSON' },
])('one that is refused with $status ($body) will not', async (answer) => {
  expect(isPatroniOutage(await refusalOf(answer))).toBe(false);
});

test('what is no answer of Patroni is none that may go well later', () => {
  expect(isPatroniOutage(new TypeError('no function'))).toBe(false);
});
