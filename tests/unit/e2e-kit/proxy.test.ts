// The proxy that end-to-end tests put before the storage, before a server that says how much it got.

import { once } from 'node:events';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { text } from 'node:stream/consumers';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { type Proxy, startProxy } from '../../support/e2e/storage/proxy.ts';

const host = '127.0.0.1';
let server: Server;
let proxy: Proxy;

beforeEach(async () => {
  server = createServer({ allowHalfOpen: true }, (socket) => {
    let bytes = 0;
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      bytes += chunk.length;
    });
    socket.on('end', () => socket.end(`${bytes}`));
  });
  await once(server.listen(0, host), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  proxy = await startProxy(host, { host, port: address.port });
});

afterEach(async () => {
  proxy.cut();
  await proxy.refuse();
  server.close();
});

async function connect(): Promise<Socket> {
  const socket = createConnection({ host, port: proxy.port, allowHalfOpen: true });
  await once(socket, 'connect');
  return socket;
}

/** Sends so many bytes; gives what the server says that it got. */
async function send(bytes: number): Promise<string> {
  const socket = await connect();
  socket.end(Buffer.alloc(bytes));
  return await text(socket);
}

test('everything passes, both ways', async () => {
  expect(await Promise.all([send(3_000_000), send(5)])).toEqual(['3000000', '5']);
  expect([proxy.moved('up'), proxy.moved('down')]).toEqual([3_000_005, 8]);
});

test('what is connected is cut, and new connections pass', async () => {
  const socket = await connect();
  socket.write('half');
  const ended = once(socket.resume(), 'end');
  proxy.whenMoved('up', 1, () => {
    proxy.cut();
  });
  socket.write('of it');

  await expect(ended).rejects.toMatchObject({ code: 'ECONNRESET' });

  expect(await send(7)).toBe('7');
});

test('what comes down is watched, too', async () => {
  let seen = 0;
  proxy.whenMoved('down', 2, () => {
    seen = proxy.moved('down');
  });

  await send(5);
  expect(seen).toBe(0);
  await send(5);

  expect(seen).toBe(2);
});

test('new connections end at once until all passes again', async () => {
  const before = await connect();
  const cut = once(before.resume(), 'end');
  proxy.drop();
  await expect(cut).rejects.toMatchObject({ code: 'ECONNRESET' });
  const during = await connect();

  expect(await text(during)).toBe('');

  await proxy.pass();

  expect(await send(7)).toBe('7');
});

test('nobody is taken in until all passes again', async () => {
  await proxy.refuse();
  await expect(connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' });

  await proxy.pass();

  expect(await send(7)).toBe('7');
});

test('who waits gets everything when it goes on', async () => {
  proxy.pause();
  let answered = false;
  const answer = send(7).then((bytes) => {
    answered = true;
    return bytes;
  });
  const other = await connect();
  other.write('x');
  while (proxy.moved('up') < 8) await new Promise((resolve) => setTimeout(resolve, 5));
  expect(answered).toBe(false);

  await proxy.pass();

  expect(await answer).toBe('7');
  other.destroy();
});

test('all connections together are as fast as was told', async () => {
  proxy.throttle(1_000_000);
  const startedMs = performance.now();

  await Promise.all([send(200_000), send(200_000)]);

  expect(performance.now() - startedMs).toBeGreaterThan(350);
});
