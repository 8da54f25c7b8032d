// The server's end of a WebSocket, as far as tests need it: the answer to the opening, frames of up to
// 125 bytes in both directions. Written against the standard, not with our own client's parts.
// Source: RFC 6455.

import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

export interface AcceptOptions {
  readonly protocol?: string;
  /** Sent in the same piece as the answer. */
  readonly first?: Uint8Array;
}

/** Answers an opening as the standard says. */
export function acceptWebSocket(
  { headers }: Pick<IncomingMessage, 'headers'>,
  socket: Duplex,
  { protocol, first = Buffer.alloc(0) }: AcceptOptions = {},
): void {
  const key = headers['sec-websocket-key'] ?? '';
  const hash = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
  const head = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${hash.digest('base64')}`,
    ...(protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
  ];
  socket.write(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), first]));
}

/** A short message of bytes. */
export function binaryFrame(payload: Uint8Array): Buffer {
  if (payload.length > 125) throw new Error('too long for this server');
  return Buffer.concat([Buffer.from([0x82, payload.length]), payload]);
}

export const goodbyeFrame = Buffer.from([0x88, 2, 3, 232]);

export interface ClientFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** The short masked frames that a client has sent. */
export function readClientFrames(bytes: Buffer): readonly ClientFrame[] {
  const frames: ClientFrame[] = [];
  for (let start = 0; start < bytes.length; ) {
    const length = bytes.readUInt8(start + 1) & 0x7f;
    const mask = bytes.subarray(start + 2, start + 6);
    const payload = bytes
      .subarray(start + 6, start + 6 + length)
      .map((byte, index) => byte ^ (mask[index % 4] ?? 0));
    frames.push({ opcode: bytes.readUInt8(start) & 0x0f, payload: Buffer.from(payload) });
    start += 6 + length;
  }
  return frames;
}
