import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';

import { afterEach, expect, test } from '@jest/globals';

import { connectWebSocket } from '../../../../lib/base/websocket.ts';
import type { Message } from '../../../../lib/base/websocket-frames.ts';
import { makeTemporaryFolder } from '../../../support/child-server.ts';
import { acceptWebSocket, readClientFrames } from '../../../support/websocket-server.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

interface Upgrading {
  readonly key: string;
  readonly socket: Duplex;
}

/** A server on a unix socket that leaves the answer to the test. */
async function serve(onUpgrade: (upgrading: Upgrading) => void): Promise<string> {
  const folder = await makeTemporaryFolder('websocket');
  const socketPath = join(folder.path, 'socket');
  const sockets: Duplex[] = [];
  const server = createServer((_request, response) => {
    response.writeHead(404).end('no such thing');
  });
  server.on('upgrade', (request, socket) => {
    sockets.push(socket);
    onUpgrade({ key: request.headers['sec-websocket-key'] ?? '', socket });
  });
  server.listen(socketPath);
  await once(server, 'listening');
  cleanups.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
    await folder.remove();
  });
  return socketPath;
}

function accept({ key, socket }: Upgrading, first: Uint8Array = Buffer.alloc(0)): void {
  acceptWebSocket({ headers: { 'sec-websocket-key': key } }, socket, { first });
}

function openingAt(socketPath: string) {
  const url = 'http://localhost/socket';
  return { url, socketPath, timeoutMs: 1000, onMessage: () => undefined };
}

async function connect(
  socketPath: string,
  onMessage: (message: Message) => void = () => undefined,
) {
  return await connectWebSocket({ ...openingAt(socketPath), onMessage });
}

const hello = Buffer.from([0x81, 5, ...Buffer.from('hello')]);

test('receives what comes together with the answer and what comes later', async () => {
  const received: string[] = [];
  const socketPath = await serve((upgrading) => {
    accept(upgrading, hello);
    upgrading.socket.write(hello.subarray(0, 3));
    upgrading.socket.end(hello.subarray(3));
  });

  const connection = await connect(socketPath, ({ kind, data }) => {
    received.push(`${kind} ${data.toString()}`);
  });

  expect(await connection.closed).toBeUndefined();
  expect(received).toEqual(['text hello', 'text hello']);
});

test('sends text and bytes, answers pings, and says goodbye when told or asked', async () => {
  const sent: Buffer[] = [];
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const socketPath = await serve((upgrading) => {
    accept(upgrading, Buffer.from([0x89, 1, 0x70]));
    upgrading.socket.on('data', (bytes: Buffer) => sent.push(bytes));
    upgrading.socket.on('end', resolve);
  });

  const connection = await connect(socketPath);
  connection.send('text');
  connection.send(Buffer.from('bytes'));
  connection.close();
  await Promise.all([ended, connection.closed]);

  const frames = readClientFrames(Buffer.concat(sent));
  const opcodes = frames.map(({ opcode, payload }) => `${opcode}:${payload.toString()}`);
  expect(opcodes).toEqual(['10:p', '1:text', '2:bytes', `8:${Buffer.from([3, 232]).toString()}`]);
});

test('answers a goodbye and closes', async () => {
  const { promise: answer, resolve } = Promise.withResolvers<Buffer>();
  const socketPath = await serve((upgrading) => {
    accept(upgrading, Buffer.from([0x88, 2, 3, 232]));
    upgrading.socket.on('data', resolve);
  });

  const connection = await connect(socketPath);

  expect(await connection.closed).toBeUndefined();
  expect((await answer).readUInt8(0)).toBe(0x88);
});

test('can be dropped without a goodbye', async () => {
  const received: Buffer[] = [];
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const socketPath = await serve((upgrading) => {
    accept(upgrading);
    upgrading.socket.on('data', (bytes: Buffer) => received.push(bytes));
    upgrading.socket.on('close', resolve);
    upgrading.socket.on('end', () => upgrading.socket.end());
  });

  const connection = await connect(socketPath);
  connection.drop();
  connection.send('too late');
  await Promise.all([connection.closed, ended]);

  expect(received).toEqual([]);
});

test('tells when the server breaks the protocol', async () => {
  const socketPath = await serve((upgrading) => {
    accept(upgrading, Buffer.from([0x83, 0]));
  });

  const connection = await connect(socketPath);

  expect(await connection.closed).toMatchObject({ message: 'unexpected frame with opcode 3' });
});

test('tells what the listener threw, and calls it no more', async () => {
  let calls = 0;
  const socketPath = await serve((upgrading) => {
    accept(upgrading, Buffer.concat([hello, hello]));
  });

  const connection = await connect(socketPath, () => {
    calls += 1;
    throw new Error('planned');
  });

  expect(await connection.closed).toMatchObject({ message: 'planned' });
  expect(calls).toBe(1);
});

test.each([
  {
    summary: 'another key',
    code: 'broken',
    answer: ({ socket }: Upgrading) => accept({ key: 'another', socket }),
  },
  {
    summary: 'an ordinary answer',
    code: 'broken',
    answer: ({ socket }: Upgrading) => {
      socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
    },
  },
  {
    summary: 'a closed connection',
    code: 'broken',
    answer: ({ socket }: Upgrading) => {
      socket.destroy();
    },
  },
  { summary: 'silence', code: 'timeout', answer: () => undefined },
])('fails as $code after $summary', async ({ code, answer }) => {
  const socketPath = await serve(answer);
  const url = 'http://localhost/socket';

  const connecting = connectWebSocket({
    url,
    socketPath,
    timeoutMs: 100,
    onMessage: () => undefined,
  });

  await expect(connecting).rejects.toMatchObject({ name: 'HttpError', code });
});

test('an ordinary answer comes with the failure', async () => {
  const socketPath = await serve(({ socket }) => {
    socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 4\r\n\r\nwhy?');
  });

  await expect(connect(socketPath)).rejects.toMatchObject({
    response: { status: 403, body: Buffer.from('why?') },
  });
});

test('tells what the messages mean as the server has chosen', async () => {
  const protocols = ['second', 'first'];
  const socketPath = await serve(({ key, socket }) => {
    acceptWebSocket({ headers: { 'sec-websocket-key': key } }, socket, { protocol: 'first' });
  });

  const connection = await connectWebSocket({ ...openingAt(socketPath), protocols });
  connection.drop();

  expect(connection.protocol).toBe('first');
});

test.each([
  { summary: 'no choice', protocol: undefined },
  { summary: 'a choice of its own', protocol: 'third' },
])('fails as broken when the server makes $summary', async ({ protocol }) => {
  const socketPath = await serve(({ key, socket }) => {
    const chosen = protocol === undefined ? {} : { protocol };
    acceptWebSocket({ headers: { 'sec-websocket-key': key } }, socket, chosen);
  });

  const connecting = connectWebSocket({ ...openingAt(socketPath), protocols: ['first'] });

  await expect(connecting).rejects.toMatchObject({ code: 'broken' });
});

test('what is sent after the end is said to be lost', async () => {
  const socketPath = await serve((upgrading) => {
    accept(upgrading);
    upgrading.socket.end();
  });
  const connection = await connect(socketPath);
  await connection.closed;

  const lost = new Promise((resolve) => {
    connection.send('too late', resolve);
  });

  expect(await lost).toMatchObject({ message: 'the connection is closed' });
});

test('fails as refused without a socket', async () => {
  await expect(connect('/no/such/socket')).rejects.toMatchObject({ code: 'refused' });
});
