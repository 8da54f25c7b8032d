// A WebSocket client, for running programs through Pebble and through Kubernetes. Why not a ready
// one: Node's own cannot use unix sockets or own authorities without a further package and costs
// 25 ms to load; this needs the part of the protocol that a client without extensions needs. Leaves
// the meaning of messages to the caller.
// Source: RFC 6455.

import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

import { messageOf } from './error.ts';
import { flattenHeaders, HttpError, toHttpError } from './http.ts';
import type { HttpResponse } from './http-port.ts';
import {
  createFrameReader,
  createMessageReader,
  encodeClose,
  encodeFrame,
  type Message,
  opcodes,
} from './websocket-frames.ts';

export interface WebSocketOptions {
  /** `http://localhost/path`; with `https:` the connection is encrypted. */
  readonly url: string;
  readonly socketPath?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** PEM of the authorities to trust instead of the system's. */
  readonly ca?: string;
  /** What the messages may mean, best first; the server has to take one of them. */
  readonly protocols?: readonly string[];
  /** For the opening only. */
  readonly timeoutMs: number;
  readonly onMessage: (message: Message) => void;
}

export interface WebSocketConnection {
  /** The one of `protocols` that the server has taken. */
  readonly protocol: string | undefined;
  /** Sends text or bytes as one message; calls back when the system has taken it, or failed to. */
  send(data: string | Uint8Array, taken?: (error?: Error | null) => void): void;
  /** Says goodbye and closes. */
  close(): void;
  /** Drops the connection without a goodbye, as if the process had died. */
  drop(): void;
  /**
   * Settles when nothing more will come; never rejects. Gives what went wrong while receiving: the
   * server broke the protocol or `onMessage` threw. A connection that breaks counts as closed.
   */
  readonly closed: Promise<Error | undefined>;
}

type Taken = (error?: Error | null) => void;

/** Opens a connection; rejects with `HttpError`, with the server's answer if that is what it gave. */
export async function connectWebSocket(options: WebSocketOptions): Promise<WebSocketConnection> {
  const { protocol, ...upgraded } = await upgrade(options);
  return { protocol, ...attach(upgraded, options.onMessage) };
}

interface Upgraded {
  readonly protocol: string | undefined;
  readonly socket: Socket;
  /** Bytes that came together with the answer. */
  readonly head: Buffer;
}

async function upgrade(options: WebSocketOptions): Promise<Upgraded> {
  const { request: start } = options.url.startsWith('https:')
    ? await import('node:https')
    : await import('node:http');
  const request = { method: 'GET' as const, url: options.url };
  const key = randomBytes(16).toString('base64');
  return await new Promise<Upgraded>((resolve, reject) => {
    const fail = (reason: string) => {
      reject(new HttpError({ code: 'broken', request, reason }));
    };
    const outgoing = start(options.url, describeUpgrade(options, key));
    const deadline = setTimeout(() => {
      const reason = `no answer within ${options.timeoutMs} ms`;
      outgoing.destroy(new HttpError({ code: 'timeout', request, reason }));
    }, options.timeoutMs);
    outgoing.on('close', () => {
      clearTimeout(deadline);
    });
    outgoing.on('error', (error) => {
      reject(toHttpError(request, error));
    });
    outgoing.on('response', (answer) => {
      readRefusal(answer).then(
        (response) => {
          const reason = `status ${response.status} instead of a WebSocket`;
          reject(new HttpError({ code: 'broken', request, reason, response }));
        },
        (error: unknown) => {
          fail(messageOf(error));
        },
      );
    });
    outgoing.on('upgrade', (answer, socket, head) => {
      clearTimeout(deadline);
      const protocol = answer.headers['sec-websocket-protocol'];
      const problem = findProblem(options, key, answer);
      if (problem === undefined) {
        resolve({ protocol, socket, head });
      } else {
        socket.destroy();
        fail(problem);
      }
    });
    outgoing.end();
  });
}

function describeUpgrade(options: WebSocketOptions, key: string) {
  const { socketPath, ca, protocols = [] } = options;
  return {
    agent: false,
    headers: {
      ...options.headers,
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': key,
      ...(protocols.length === 0 ? {} : { 'sec-websocket-protocol': protocols.join(', ') }),
    },
    ...(socketPath === undefined ? {} : { socketPath }),
    ...(ca === undefined ? {} : { ca }),
  };
}

async function readRefusal(answer: IncomingMessage): Promise<HttpResponse> {
  const chunks: Buffer[] = [];
  answer.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(answer, 'end');
  return {
    status: answer.statusCode ?? 0,
    headers: flattenHeaders(answer.headers),
    body: Buffer.concat(chunks),
  };
}

function findProblem(
  { protocols = [] }: WebSocketOptions,
  key: string,
  { headers }: IncomingMessage,
): string | undefined {
  if (headers['sec-websocket-accept'] !== expectedAccept(key)) {
    return 'the server did not accept our key';
  }
  const protocol = headers['sec-websocket-protocol'];
  if (protocol === undefined ? protocols.length === 0 : protocols.includes(protocol)) {
    return undefined;
  }
  return `the server speaks ${protocol ?? 'no protocol'} instead of ${protocols.join(' or ')}`;
}

function expectedAccept(key: string): string {
  // The constant is part of the protocol.
  const text = `${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  return createHash('sha1').update(text).digest('base64');
}

function attach(
  { socket, head }: Pick<Upgraded, 'socket' | 'head'>,
  onMessage: WebSocketOptions['onMessage'],
): Omit<WebSocketConnection, 'protocol'> {
  const readFrames = createFrameReader();
  const readMessage = createMessageReader();
  const send = (opcode: number, payload: Uint8Array, taken: Taken = () => {}) => {
    if (socket.writable) socket.write(encodeFrame(opcode, payload, randomBytes(4)), taken);
    else taken(new Error('the connection is closed'));
  };
  const close = (code: number) => {
    send(opcodes.close, encodeClose(code));
    // The server may leave its end open.
    socket.destroySoon();
  };
  const receive = (bytes: Buffer) => {
    for (const frame of readFrames(bytes)) {
      const incoming = readMessage(frame);
      if (incoming === undefined) continue;
      if (incoming.kind === 'ping') send(opcodes.pong, incoming.data);
      else if (incoming.kind === 'close') close(1000);
      else onMessage(incoming);
    }
  };
  let failure: Error | undefined;
  const tryReceive = (bytes: Buffer) => {
    try {
      if (failure === undefined) receive(bytes);
    } catch (error) {
      failure = error instanceof Error ? error : new Error(messageOf(error));
      socket.destroy();
    }
  };
  const closed = new Promise<Error | undefined>((resolve) => {
    socket.on('close', () => {
      resolve(failure);
    });
  });
  socket.on('error', () => {
    socket.destroy();
  });
  socket.on('data', tryReceive);
  tryReceive(head);
  return {
    send: (data, taken) => {
      if (typeof data === 'string') send(opcodes.text, Buffer.from(data), taken);
      else send(opcodes.binary, data, taken);
    },
    close: () => {
      close(1000);
    },
    drop: () => {
      socket.destroy();
    },
    closed,
  };
}
