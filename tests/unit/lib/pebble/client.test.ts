// What the contract suite cannot make a real daemon do: answers of other versions, refusals, and
// silence. Everything else is in tests/contract.

import { expect, test } from '@jest/globals';

import { systemClock } from '../../../../lib/base/clock.ts';
import { messageChain } from '../../../../lib/base/error.ts';
import { createPebble } from '../../../../lib/pebble/client.ts';
import { pebbleErrorCodes } from '../../../../lib/pebble/errors.ts';
import type { Pebble } from '../../../../lib/pebble/pebble.ts';
import { createFakeHttp, type FakeAnswer } from '../../../support/fake-http.ts';

function connect(...answers: readonly FakeAnswer[]) {
  const { http, requests } = createFakeHttp(...answers);
  const socketPath = '/charm/containers/postgresql/pebble.socket';
  const pebble = createPebble({ container: 'postgresql', socketPath, clock: systemClock, http });
  return { pebble, requests };
}

const sync = (result: unknown): FakeAnswer => ({ status: 200, body: { type: 'sync', result } });
const failure = (status: number, message: string, kind?: string): FakeAnswer => ({
  status,
  body: { type: 'error', 'status-code': status, result: { message, kind } },
});
const started: FakeAnswer = {
  status: 202,
  body: { type: 'async', 'status-code': 202, change: '7', result: null },
};

test('the codes are those that others branch on', () => {
  expect(pebbleErrorCodes).toEqual([
    'unreachable',
    'timeout',
    'not-found',
    'permission-denied',
    'change-failed',
    'no-space',
    'api',
  ]);
});

test.each([
  { summary: 'nobody listens', answer: { fails: 'refused' }, code: 'unreachable' },
  { summary: 'the connection breaks', answer: { fails: 'broken' }, code: 'unreachable' },
  { summary: 'no answer comes', answer: { fails: 'timeout' }, code: 'timeout' },
  {
    summary: 'login is required',
    answer: failure(401, 'x', 'login-required'),
    code: 'permission-denied',
  },
  { summary: 'access is denied', answer: failure(403, 'access denied'), code: 'permission-denied' },
  { summary: 'the address is unknown', answer: failure(404, 'invalid'), code: 'not-found' },
  { summary: 'the request is bad', answer: failure(400, 'bad'), code: 'api' },
  { summary: 'Pebble fails', answer: failure(500, 'internal'), code: 'api' },
  { summary: 'the answer is no JSON', answer: { status: 200, body: 'oops' }, code: 'api' },
  { summary: 'the answer has no envelope', answer: { status: 200, body: {} }, code: 'api' },
  { summary: 'the result has another form', answer: sync([{ name: 1 }]), code: 'api' },
  {
    summary: 'the error has another form',
    answer: { status: 400, body: { type: 'error' } },
    code: 'api',
  },
] satisfies { summary: string; answer: FakeAnswer; code: string }[])(
  'listing services fails as $code when $summary',
  async ({ answer, code }) => {
    const { pebble } = connect(answer);

    await expect(pebble.services()).rejects.toMatchObject({
      name: 'PebbleError',
      code,
      message: expect.stringMatching(/^cannot list services: /),
    });
  },
);

test.each([
  'write /data/restore.json.3109473347~: no space left on device',
  'mkdir /data/pgdata: disk quota exceeded',
])('a full volume has a code of its own: %s', async (message) => {
  const error = { kind: 'generic-file-error', message };
  const { pebble } = connect(sync([{ path: '/data/pgdata', error }]));

  await expect(pebble.makeDir('/data/pgdata')).rejects.toMatchObject({ code: 'no-space' });
});

test('an error keeps status and kind', async () => {
  const { pebble } = connect(failure(400, 'no', 'generic-file-error'));

  await expect(pebble.list('/')).rejects.toMatchObject({
    fields: { status: 400, kind: 'generic-file-error' },
    message: 'cannot list "/": no',
  });
});

test('a failed change tells which task failed and keeps its log', async () => {
  const log = [
    '2026-01-01T00:00:00Z INFO Most recent service output:\n    FATAL: no space',
    '2026-01-01T00:00:01Z ERROR exited quickly with code 1',
  ];
  const tasks = [
    { id: '1', summary: 'Start service "ok"', status: 'Done' },
    { id: '2', summary: 'Start service "postgresql"', status: 'Error', log },
  ];
  const { pebble } = connect(started, sync({ id: '7', err: 'cannot …', tasks }));

  await expect(pebble.start('postgresql')).rejects.toMatchObject({
    code: 'change-failed',
    message: 'cannot start "postgresql": Start service "postgresql": exited quickly with code 1',
    fields: { change: '7', log: log.join('\n') },
  });
});

test('a failed change without tasks keeps what Pebble says', async () => {
  const { pebble } = connect(started, sync({ id: '7', err: 'internal', tasks: [] }));

  await expect(pebble.replan()).rejects.toMatchObject({
    code: 'change-failed',
    message: 'cannot replan: internal',
  });
});

test('a change is waited for in one request, a little longer than Pebble waits', async () => {
  const { pebble, requests } = connect(started, sync({ id: '7' }));

  await pebble.restart('postgresql');

  expect(requests[1]).toMatchObject({
    method: 'GET',
    url: 'http://127.0.0.1/v1/changes/7/wait?timeout=30000ms',
    timeoutMs: 35_000,
  });
});

test('a change that is not over in time is a timeout', async () => {
  const { pebble } = connect(started, failure(504, 'timed out waiting for change'));

  await expect(pebble.stop('postgresql')).rejects.toMatchObject({
    code: 'timeout',
    message: 'cannot stop "postgresql": not done within 30000 ms',
    fields: { change: '7' },
  });
});

test('a change without an id is not understood', async () => {
  const { pebble } = connect(sync(null));

  await expect(pebble.replan()).rejects.toMatchObject({ code: 'api' });
});

test('whether it answers is never an error', async () => {
  expect(await connect({ fails: 'refused' }).pebble.canConnect()).toBe(false);
  expect(await connect(failure(500, 'starting')).pebble.canConnect()).toBe(false);
  expect(await connect(sync({ version: 'v1' })).pebble.canConnect()).toBe(true);
});

test.each([
  { status: 502, healthy: false },
  { status: 200, healthy: true },
])('health is what the answer says, whatever its status ($status)', async ({ status, healthy }) => {
  const { pebble } = connect({ status, body: { type: 'sync', result: { healthy } } });

  expect(await pebble.health('ready')).toBe(healthy);
});

test.each([
  { summary: 'a file without parts', read: async (pebble: Pebble) => await pebble.pull('/file') },
  {
    summary: 'a plan that is a text',
    read: async (pebble: Pebble) => await pebble.plan(),
    body: 'text',
  },
  {
    summary: 'a plan of odd services',
    read: async (pebble: Pebble) => await pebble.plan(),
    body: 'services: {a: 1}',
  },
])('$summary is not understood', async ({ read, body = '' }) => {
  const { pebble } = connect(sync(body));

  await expect(read(pebble)).rejects.toMatchObject({ code: 'api' });
});

test('a plan may have what we do not know', async () => {
  const { pebble } = connect(
    sync('services:\n  a:\n    override: replace\n    workload: x\nworkloads: {x: {}}\n'),
  );

  expect((await pebble.plan()).services).toEqual({ a: { override: 'replace', workload: 'x' } });
});

test('log lines are read, and refused when the request was', async () => {
  const lines =
    '{"time":"t","service":"s","message":"one"}\n{"time":"t","service":"s","message":"two"}\n';

  expect(await connect({ status: 200, body: lines }).pebble.logs('s', 2)).toEqual(['one', 'two']);
  await expect(connect(failure(400, 'bad')).pebble.logs('s', 2)).rejects.toMatchObject({
    code: 'api',
    message: 'cannot read the log of "s": bad',
  });
});

test('a path with a line break is refused before anything is sent', async () => {
  const { pebble, requests } = connect();

  await expect(pebble.push('/a\r\nX: y', '')).rejects.toMatchObject({ code: 'api' });
  expect(requests).toEqual([]);
});

test('no error shows what was given to a program or written to a file', async () => {
  const secret = 'planted';
  const environment = { PASSWORD: secret };
  const options = { timeoutMs: 1000, stdin: secret, environment };
  const calls: ((pebble: Pebble) => Promise<unknown>)[] = [
    async (pebble) => await pebble.exec(['psql', secret], options),
    async (pebble) => {
      await pebble.push('/file', secret);
    },
    async (pebble) => {
      await pebble.notify('example.com/key', { secret });
    },
    async (pebble) => {
      await pebble.addLayer('x', { services: { a: { override: 'merge', environment } } });
    },
  ];
  const answers: readonly FakeAnswer[] = [{ fails: 'refused' }, failure(400, 'bad'), sync(1)];

  for (const call of calls) {
    for (const answer of answers) {
      const error = await call(connect(answer).pebble).catch((reason: unknown) => reason);
      expect(messageChain(error) + JSON.stringify(error)).not.toContain(secret);
    }
  }
});
