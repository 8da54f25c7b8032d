// A WebSocket client over a unix socket, for Pebble's exec. Why not a ready one: Node's own cannot
// use unix sockets without a further package and costs 25 ms to load; this needs the part of the
// protocol that a client without extensions needs. Leaves the meaning of messages to the caller.
// Source: RFC 6455.

import { createHash, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';

import { messageOf } from './error.ts';
import { HttpError, toHttpError } from './http.ts';
import {
  createFrameReader,
  createMessageReader,
  encodeClose,
  encodeFrame,
  type Message,
  opcodes,
} from './websocket-frames.ts';

export interface WebSocketOptions {
  /** `http://localhost/path` */
  readonly url: string;
  readonly socketPath: string;
  /** For the opening only. */
  readonly timeoutMs: number;
  readonly onMessage: (message: Message) => void;
}

export interface WebSocketConnection {
  /** Sends text or bytes as one message. */
  send(data: string | Uint8Array): void;
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

/** Opens a connection; rejects with `HttpError`. */
export async function connectWebSocket(options: WebSocketOptions): Promise<WebSocketConnection> {
  const { socket, head } = await upgrade(options);
  return attach(socket, head, options.onMessage);
}

interface Upgraded {
  readonly socket: Socket;
  /** Bytes that came together with the answer. */
  readonly head: Buffer;
}

async function upgrade(options: WebSocketOptions): Promise<Upgraded> {
  const { request: start } = await import('node:http');
  const request = { method: 'GET' as const, url: options.url };
  const key = randomBytes(16).toString('base64');
  return await new Promise<Upgraded>((resolve, reject) => {
    const fail = (reason: string) => {
      reject(new HttpError({ code: 'broken', request, reason }));
    };
    const outgoing = start(options.url, {
      socketPath: options.socketPath,
      agent: false,
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': key,
      },
    });
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
      answer.resume();
      fail(`status ${answer.statusCode ?? 0} instead of a WebSocket`);
    });
    outgoing.on('upgrade', (answer, socket, head) => {
      clearTimeout(deadline);
      if (answer.headers['sec-websocket-accept'] === expectedAccept(key)) resolve({ socket, head });
      else fail('the server did not accept our key');
    });
    outgoing.end();
  });
}

function expectedAccept(key: string): string {
  // The constant is part of the protocol.
  const text = `${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  return createHash('sha1').update(text).digest('base64');
}

function attach(
  socket: Socket,
  head: Buffer,
  onMessage: WebSocketOptions['onMessage'],
): WebSocketConnection {
  const readFrames = createFrameReader();
  const readMessage = createMessageReader();
  const send = (opcode: number, payload: Uint8Array) => {
    if (socket.writable) socket.write(encodeFrame(opcode, payload, randomBytes(4)));
  };
  const close = (code: number) => {
    send(opcodes.close, encodeClose(code));
    // Pebble leaves its end open.
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
    send: (data) => {
      if (typeof data === 'string') send(opcodes.text, Buffer.from(data));
      else send(opcodes.binary, data);
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
