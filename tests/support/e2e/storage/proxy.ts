/**
 * Stands in front of a server and passes bytes on, so that TLS goes through it: until it is told to go
 * slowly, to cut what is connected, to take nobody in, or nobody for long, or to keep everybody waiting.
 */

import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Proxy {
  readonly port: number;
  /** Ends every connection; new ones are taken. */
  cut(): void;
  /** Ends every connection and takes no new one, as where no server runs. */
  refuse(): Promise<void>;
  /** Ends every connection, and new ones at once, as a balancer in front of servers that are down. */
  drop(): void;
  /** Takes connections and passes nothing on, as a server that hangs. */
  pause(): void;
  /** Of all connections together; `Infinity` is as fast as it goes. */
  throttle(bytesPerSecond: number): void;
  /** Everything as it was at first. */
  pass(): Promise<void>;
  /** Bytes that clients have sent (`up`) or got (`down`). */
  moved(direction: Direction): number;
  /** Does this when so many bytes more have been on their way. */
  whenMoved(direction: Direction, bytes: number, act: () => void): void;
}

export type Direction = 'up' | 'down';

export async function startProxy(host: string, target: Address): Promise<Proxy> {
  const toll = createToll();
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.once('close', () => sockets.delete(socket));
  };
  let drops = false;
  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (drops) {
      client.destroy();
      return;
    }
    const upstream = keep(createConnection({ ...target, allowHalfOpen: true }));
    void join(keep(client), upstream, toll);
  });
  const listen = async (port: number): Promise<void> => {
    if (!server.listening) await once(server.listen(port, host), 'listening');
  };
  await listen(0);
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  const { port } = address;
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port,
    cut,
    refuse: async () => {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      cut();
      await closed;
    },
    drop: () => {
      drops = true;
      cut();
    },
    pause: toll.pause,
    throttle: toll.throttle,
    pass: async () => {
      drops = false;
      toll.throttle(Infinity);
      await listen(port);
    },
    moved: toll.moved,
    whenMoved: toll.whenMoved,
  };
}

/** That one side goes away is no error of the proxy. */
async function join(client: Socket, upstream: Socket, toll: Toll): Promise<void> {
  await Promise.allSettled([
    pipeline(client, toll.gate('up'), upstream),
    pipeline(upstream, toll.gate('down'), client),
  ]);
  client.destroy();
  upstream.destroy();
}

interface Toll extends Pick<Proxy, 'pause' | 'throttle' | 'moved' | 'whenMoved'> {
  /** What lets bytes of one direction through. */
  gate(direction: Direction): (chunks: AsyncIterable<Buffer>) => AsyncGenerator<Buffer>;
}

interface Watch {
  readonly direction: Direction;
  readonly at: number;
  readonly act: () => void;
}

/** How often a gate that is closed looks whether it has been opened. */
const closedMs = 50;

function createToll(): Toll {
  let rate = Infinity;
  let freeMs = 0;
  const moved = { up: 0, down: 0 };
  let watch: Watch | undefined;

  const admit = async (bytes: number): Promise<void> => {
    while (rate === 0) await sleep(closedMs);
    const nowMs = performance.now();
    freeMs = Math.max(freeMs, nowMs) + (bytes / rate) * 1000;
    if (freeMs - nowMs > 1) await sleep(freeMs - nowMs);
  };
  const count = (direction: Direction, bytes: number): void => {
    moved[direction] += bytes;
    if (watch?.direction !== direction || moved[direction] < watch.at) return;
    const { act } = watch;
    watch = undefined;
    act();
  };
  return {
    pause: () => {
      rate = 0;
    },
    throttle: (bytesPerSecond) => {
      rate = bytesPerSecond;
    },
    moved: (direction) => moved[direction],
    whenMoved: (direction, bytes, act) => {
      watch = { direction, at: moved[direction] + bytes, act };
    },
    gate: (direction) =>
      async function* pass(chunks) {
        for await (const chunk of chunks) {
          count(direction, chunk.length);
          await admit(chunk.length);
          yield chunk;
        }
      },
  };
}
