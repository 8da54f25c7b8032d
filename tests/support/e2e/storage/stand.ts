/**
 * Runs inside the cloud, between its pods and an S3 server. The first line of its standard input says
 * which one; each further line is one request, and gets one line as its answer. When the input ends, so
 * does everything that it has started.
 */

import { createInterface } from 'node:readline';

import * as v from 'valibot';

import { type RunningServer, startOwnServer } from './own-server.ts';
import { waitForProgram } from './program-watch.ts';
import { type Proxy, startProxy } from './proxy.ts';
import {
  type Answer,
  type Change,
  type Effect,
  type Request,
  requestSchema,
  setUpSchema,
} from './requests.ts';

let own: RunningServer | undefined;
let fired = false;
let watching = new AbortController();

async function setUp(text: string): Promise<Proxy> {
  const { host, target } = v.parse(setUpSchema, JSON.parse(text));
  if ('host' in target) return await startProxy(host, target);
  own = await startOwnServer(target);
  return await startProxy(host, own.address);
}

function requireOwn(): RunningServer {
  if (own === undefined) throw new Error('there is no server of its own');
  return own;
}

/** What is waited for, and had not come, is forgotten. */
function arm(proxy: Proxy, effect: Effect): () => void {
  watching.abort();
  watching = new AbortController();
  const { signal } = watching;
  fired = false;
  return () => {
    if (signal.aborted) return;
    fired = true;
    void proxy[effect]();
  };
}

async function act(proxy: Proxy, request: Request): Promise<void> {
  switch (request.kind) {
    case 'look':
      return;
    case 'behave':
      await proxy[request.how]();
      return;
    case 'throttle':
      proxy.throttle(request.bytesPerSecond);
      return;
    case 'when-moved':
      proxy.whenMoved(request.direction, request.bytes, arm(proxy, request.effect));
      return;
    case 'when-runs':
      void watch(request.words, arm(proxy, request.effect));
      return;
    case 'server':
      await changeServer(requireOwn(), request.change);
  }
}

async function changeServer(server: RunningServer, change: Change): Promise<void> {
  switch (change.kind) {
    case 'users':
      await server.setUsers(change.users);
      return;
    case 'fill':
    case 'free':
      await server[change.kind]();
      return;
    case 'hide':
    case 'show':
      await server[change.kind](change.bucket);
  }
}

async function watch(words: readonly string[], fire: () => void): Promise<void> {
  if (await waitForProgram(words, watching.signal)) fire();
}

async function main(): Promise<void> {
  let proxy: Proxy | undefined;
  try {
    for await (const line of createInterface({ input: process.stdin })) {
      if (proxy === undefined) proxy = await setUp(line);
      else await act(proxy, v.parse(requestSchema, JSON.parse(line)));
      const answer: Answer = { port: proxy.port, sent: proxy.moved('up'), fired };
      process.stdout.write(`${JSON.stringify(answer)}\n`);
    }
  } finally {
    await own?.stop();
  }
}

await main();
process.exit(0);
