import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { join } from 'node:path';

import { afterEach, expect, test } from '@jest/globals';

import { messageChain } from '../../../../lib/base/error.ts';
import { createHttp, HttpError, jsonContent, parseJsonBody } from '../../../../lib/base/http.ts';
import type { HttpRequest } from '../../../../lib/base/http-port.ts';
import { makeCertificate } from '../../../support/certificate.ts';
import { makeTemporaryFolder } from '../../../support/child-server.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function listen(server: Server, address: string | number = 0): Promise<string> {
  server.listen(address);
  await once(server, 'listening');
  cleanups.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? `localhost:${bound.port}` : 'localhost';
}

async function serve(listener: RequestListener): Promise<string> {
  return `http://${await listen(createServer(listener))}`;
}

async function makeFolder(): Promise<string> {
  const folder = await makeTemporaryFolder('http');
  cleanups.push(async () => {
    await folder.remove();
  });
  return folder.path;
}

async function get(url: string, more: Partial<HttpRequest> = {}) {
  return await createHttp()({ method: 'GET', url, timeoutMs: 2000, ...more });
}

test('sends method, path, headers and body, and gives status, headers and body', async () => {
  const base = await serve((request, response) => {
    request.setEncoding('utf8').on('data', (body: string) => {
      response.writeHead(418, { 'X-Echo': request.headers['x-sent'], 'Set-Cookie': ['a', 'b'] });
      response.end(`${request.method} ${request.url} ${body} ${request.headers['content-length']}`);
    });
  });

  const { status, headers, body } = await get(`${base}/path?query=1`, {
    method: 'PUT',
    headers: { 'X-Sent': 'value' },
    body: 'größe',
  });

  expect(status).toBe(418);
  expect(headers).toMatchObject({ 'x-echo': 'value', 'set-cookie': 'a, b' });
  expect(body.toString()).toBe('PUT /path?query=1 größe 7');
});

test('keeps bytes as they are', async () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index);
  const base = await serve((request, response) => request.pipe(response));

  const { body } = await get(base, { method: 'POST', body: bytes });

  expect(body.equals(bytes)).toBe(true);
});

test('talks to unix sockets', async () => {
  const socketPath = join(await makeFolder(), 'socket');
  await listen(
    createServer((request, response) => response.end(request.url)),
    socketPath,
  );

  const { body } = await get('http://anything/path', { socketPath });

  expect(body.toString()).toBe('/path');
});

test('uses one connection for calls after one another', async () => {
  const ports = new Set<number | undefined>();
  const base = await serve((request, response) => {
    ports.add(request.socket.remotePort);
    response.end();
  });
  const http = createHttp();

  await http({ method: 'GET', url: base, timeoutMs: 2000 });
  await http({ method: 'GET', url: base, timeoutMs: 2000 });

  expect(ports.size).toBe(1);
});

test.each([
  { method: 'GET', outcome: 200 },
  { method: 'POST', outcome: 'broken' },
] as const)('a connection closed meanwhile makes $method end as $outcome', async (row) => {
  let count = 0;
  const base = await serve((request, response) => {
    count += 1;
    if (count === 2) request.socket.destroy();
    else response.end();
  });
  await get(base);

  const outcome = await get(base, { method: row.method }).then(
    ({ status }) => status,
    (error: unknown) => error instanceof HttpError && error.code,
  );

  expect(outcome).toBe(row.outcome);
});

test.each([
  { summary: 'refused', url: 'http://127.0.0.1:1/', code: 'refused' },
  { summary: 'refused on all addresses', url: 'http://localhost:1/', code: 'refused' },
  { summary: 'without a socket', url: 'http://x/', socketPath: '/no/such/socket', code: 'refused' },
  { summary: 'to a name that does not exist', url: 'http://no.invalid/', code: 'unresolved' },
  { summary: 'to no address', url: 'nonsense', code: 'broken' },
  { summary: 'of another kind', url: 'ftp://localhost/', code: 'broken' },
])('a call $summary fails as $code', async ({ url, code, ...more }) => {
  await expect(get(url, more)).rejects.toMatchObject({ name: 'HttpError', code });
});

test.each([
  { summary: 'does not begin', listener: () => undefined },
  { summary: 'does not end', listener: (_request, response) => response.write('x') },
] satisfies { summary: string; listener: RequestListener }[])(
  'an answer that $summary fails as timeout',
  async ({ listener }) => {
    const base = await serve(listener);

    await expect(get(base, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'timeout' });
  },
);

test('an answer that is cut short fails as broken', async () => {
  const base = await serve((_request, response) => {
    response.writeHead(200, { 'content-length': '10' });
    response.write('x', () => response.destroy());
  });

  await expect(get(base)).rejects.toMatchObject({ code: 'broken' });
});

test('an answer that is not HTTP fails as broken', async () => {
  const server = createServer();
  server.on('connection', (socket) => socket.end('hello\r\n\r\n'));
  const address = await listen(server);

  await expect(get(`http://${address}/`)).rejects.toMatchObject({ code: 'broken' });
});

test('trusts the given authority and no other', async () => {
  const certificate = await makeCertificate(await makeFolder());
  const server = createSecureServer(
    {
      cert: await readFile(certificate.certificateFile),
      key: await readFile(certificate.keyFile),
    },
    (_request, response) => response.end('secure'),
  );
  const address = await listen(server);
  const other = await makeCertificate(await makeFolder());

  const { body } = await get(`https://${address}/`, { ca: certificate.pem });

  expect(body.toString()).toBe('secure');
  await expect(get(`https://${address}/`)).rejects.toMatchObject({ code: 'untrusted' });
  await expect(get(`https://${address}/`, { ca: other.pem })).rejects.toMatchObject({
    code: 'untrusted',
  });
});

test('a certificate for another name fails as untrusted', async () => {
  const certificate = await makeCertificate(await makeFolder());
  const server = createSecureServer({
    cert: await readFile(certificate.certificateFile),
    key: await readFile(certificate.keyFile),
  });
  const address = (await listen(server)).replace('localhost', '127.0.0.2');

  await expect(get(`https://${address}/`, { ca: certificate.pem })).rejects.toMatchObject({
    code: 'untrusted',
  });
});

test('a failure names neither user, password nor query', async () => {
  const url = 'http://user:planted@127.0.0.1:1/path?token=planted';

  const error = await get(url, { headers: { authorization: 'planted' }, body: 'planted' }).then(
    () => undefined,
    (reason: unknown) => reason,
  );

  expect(messageChain(error)).toContain('cannot GET http://127.0.0.1:1/path: ');
  expect(JSON.stringify(error) + messageChain(error)).not.toContain('planted');
});

test('values travel as JSON', () => {
  const content = jsonContent({ key: 'ü' });

  expect(content).toEqual({
    headers: { 'content-type': 'application/json' },
    body: '{"key":"ü"}',
  });
  expect(parseJsonBody({ status: 200, headers: {}, body: Buffer.from(content.body) })).toEqual({
    key: 'ü',
  });
});

test.each(['', '{', 'no', '{"a":1}x'])('%j is no JSON', (text) => {
  expect(parseJsonBody({ status: 200, headers: {}, body: Buffer.from(text) })).toBeUndefined();
});
