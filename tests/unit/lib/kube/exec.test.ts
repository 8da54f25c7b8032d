import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';

import { afterEach, expect, test } from '@jest/globals';

import { createHttp } from '../../../../lib/base/http.ts';
import { createKube } from '../../../../lib/kube/client.ts';
import type { Kube } from '../../../../lib/kube/kube.ts';
import {
  acceptWebSocket,
  binaryFrame,
  goodbyeFrame,
  readClientFrames,
} from '../../../support/websocket-server.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

interface Server {
  readonly kube: Kube;
  readonly requests: readonly IncomingMessage[];
  /** What came on a channel so far. */
  received(channel: number): string;
  readonly closed: Promise<void>;
}

type Behaviour = (socket: Duplex, request: IncomingMessage) => void;

/** An API server that leaves the answer to the test. */
async function serve(behave: Behaviour): Promise<Server> {
  const requests: IncomingMessage[] = [];
  const received: Buffer[] = [];
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const sockets: Duplex[] = [];
  const server = createServer();
  server.on('upgrade', (request, socket) => {
    requests.push(request);
    sockets.push(socket);
    socket.on('data', (bytes: Buffer) => received.push(bytes));
    // A client that is gone ends its side first.
    socket.on('end', () => {
      socket.end();
      resolve();
    });
    behave(socket, request);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const kube = createKube({
    http: createHttp(),
    namespace: 'my-model',
    url: `http://127.0.0.1:${address.port}`,
    credentials: async () => await Promise.resolve({ token: `token-${requests.length}` }),
  });
  return {
    kube,
    requests,
    received: (channel) =>
      readClientFrames(Buffer.concat(received))
        .filter(({ opcode, payload }) => opcode === 2 && payload[0] === channel)
        .map(({ payload }) => payload.subarray(1).toString())
        .join(''),
    closed,
  };
}

const [stdout, stderr, verdict] = [1, 2, 3];
const v5 = 'v5.channel.k8s.io';

function say(channel: number, words: string): Buffer {
  return binaryFrame(Buffer.concat([Buffer.from([channel]), Buffer.from(words)]));
}

const success = say(verdict, '{"status":"Success"}');
const failure = say(
  verdict,
  '{"status":"Failure","details":{"causes":[{"reason":"ExitCode","message":"3"}]}}',
);

/** Accepts, says this, and ends. */
function answering(...frames: readonly Uint8Array[]): Behaviour {
  return (socket, request) => {
    acceptWebSocket(request, socket, { protocol: v5 });
    socket.end(Buffer.concat([...frames, goodbyeFrame]));
  };
}

function refusing(status: string, body: string): Behaviour {
  return (socket) => {
    socket.end(`HTTP/1.1 ${status}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  };
}

const options = { container: 'main', command: ['cat', '-', 'a b&c'], timeoutMs: 1000 };

test('a program is started in the container, word for word, with the token', async () => {
  const { kube, requests } = await serve(answering(success));

  await text(await kube.exec('pg-0', options));

  expect(requests[0]?.url).toBe(
    '/api/v1/namespaces/my-model/pods/pg-0/exec?container=main&stdin=true&stdout=true' +
      '&stderr=true&command=cat&command=-&command=a+b%26c',
  );
  expect(requests[0]?.headers).toMatchObject({
    authorization: 'Bearer token-0',
    'sec-websocket-protocol': 'v5.channel.k8s.io, v4.channel.k8s.io',
  });
});

test('its output arrives, also what came together with the answer', async () => {
  const { kube } = await serve((socket, request) => {
    acceptWebSocket(request, socket, { protocol: v5, first: say(stdout, 'one ') });
    socket.end(Buffer.concat([say(stdout, 'two'), say(stderr, 'aside'), success, goodbyeFrame]));
  });

  expect(await text(await kube.exec('pg-0', options))).toBe('one two');
});

test('its input is sent, and the end of it', async () => {
  const server = await serve((socket, request) => {
    acceptWebSocket(request, socket, { protocol: v5 });
    const answer = () => {
      if (server.received(255) !== '\0') return;
      socket.off('data', answer);
      socket.end(Buffer.concat([success, goodbyeFrame]));
    };
    socket.on('data', answer);
  });

  const stdio = await server.kube.exec('pg-0', options);
  stdio.write('question');
  stdio.end('!');
  stdio.resume();
  await once(stdio, 'close');

  expect(server.received(0)).toBe('question!');
});

test('an older server, which cannot end the input alone, ends all', async () => {
  const server = await serve((socket, request) => {
    acceptWebSocket(request, socket, { protocol: 'v4.channel.k8s.io' });
  });

  const stdio = await server.kube.exec('pg-0', options);
  stdio.end('all');
  stdio.resume();
  await Promise.all([once(stdio, 'close'), server.closed]);

  expect(server.received(0)).toBe('all');
  expect(stdio.errored).toBeNull();
});

const failures: readonly { summary: string; frames: Uint8Array[]; expected: object }[] = [
  {
    summary: 'a program that fails gives its error output and its exit code',
    frames: [say(stderr, 'no such '), say(stderr, 'file\n'), failure],
    expected: { code: 'api', fields: { exitCode: 3 }, message: /: no such file$/ },
  },
  {
    summary: 'a container that is not there gives the reason',
    frames: [say(verdict, '{"status":"Failure","message":"container not found"}')],
    expected: { code: 'api', fields: {}, message: /: container not found$/ },
  },
  {
    summary: 'a verdict that cannot be read is a failure',
    frames: [say(verdict, 'well…')],
    expected: { code: 'api', message: /: no reason is told$/ },
  },
  {
    summary: 'a connection that ends before the verdict is a failure',
    frames: [say(stdout, 'half')],
    expected: { code: 'unreachable' },
  },
  {
    summary: 'a broken protocol is a failure',
    frames: [Buffer.from([0x83, 0])],
    expected: { code: 'unreachable', cause: { message: 'unexpected frame with opcode 3' } },
  },
];

test.each(failures)('$summary', async ({ frames, expected }) => {
  const { kube } = await serve(answering(...frames));

  const reading = text(await kube.exec('pg-0', options));

  const { message = /^cannot run "cat" in container "main"/, ...details } = { ...expected };
  await expect(reading).rejects.toMatchObject({ name: 'KubeError', ...details });
  await expect(reading).rejects.toThrow(message);
});

test('only the end of a long error output is kept', async () => {
  const lines = Array.from({ length: 200 }, () => say(stderr, 'x'.repeat(100)));
  const { kube } = await serve(answering(...lines, say(stderr, 'the end'), failure));

  const error: unknown = await text(await kube.exec('pg-0', options)).catch((e: unknown) => e);

  expect(error).toMatchObject({ message: expect.stringMatching(/x the end$|xthe end$/) });
  expect(String(error).length).toBeLessThan(9000);
});

test('who goes away before the end drops the connection', async () => {
  const server = await serve((socket, request) => {
    acceptWebSocket(request, socket, { protocol: v5 });
  });

  (await server.kube.exec('pg-0', options)).destroy();

  await server.closed;
});

test.each([
  { status: '403 Forbidden', code: 'forbidden' },
  { status: '404 Not Found', code: 'api' },
  { status: '200 OK', code: 'api' },
])('an answer of $status is a failure of kind $code', async ({ status, code }) => {
  const { kube } = await serve(refusing(status, '{"message":"because"}'));

  await expect(kube.exec('pg-0', options)).rejects.toMatchObject({
    code,
    message: 'cannot run a program in pod "pg-0": because',
  });
});

test('a token that is refused is read once more', async () => {
  const { kube, requests } = await serve((socket, request) => {
    const known = request.headers.authorization === 'Bearer token-1';
    const behave = known ? answering(success) : refusing('401 Unauthorized', '{}');
    behave(socket, request);
  });

  await text(await kube.exec('pg-0', options));

  expect(requests).toHaveLength(2);
});

test('silence is unreachable, and so is nobody', async () => {
  const { kube } = await serve(() => undefined);
  const silent = kube.exec('pg-0', { ...options, timeoutMs: 50 });
  await expect(silent).rejects.toMatchObject({
    code: 'unreachable',
    fields: { reason: 'timeout' },
  });

  const nobody = createKube({
    http: createHttp(),
    namespace: 'my-model',
    url: 'http://127.0.0.1:1',
    credentials: async () => await Promise.resolve({ token: 't' }),
  });
  await expect(nobody.exec('pg-0', options)).rejects.toMatchObject({
    code: 'unreachable',
    fields: { reason: 'refused' },
  });
});
