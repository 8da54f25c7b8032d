// Frames of the WebSocket protocol as bytes: making those of a client, taking apart those of a
// server, joining fragments into messages. Pure; `websocket.ts` moves the bytes.
// Source: RFC 6455, sections 5 and 7.

export const opcodes = {
  continuation: 0,
  text: 1,
  binary: 2,
  close: 8,
  ping: 9,
  pong: 10,
} as const;

export interface Frame {
  readonly opcode: number;
  /** Whether this is the last (or only) frame of its message. */
  readonly final: boolean;
  readonly payload: Buffer;
}

export interface Message {
  readonly kind: 'text' | 'binary';
  readonly data: Buffer;
}

/** What the server sent: a message, or something that the connection itself must answer. */
export type Incoming =
  | Message
  | { readonly kind: 'ping'; readonly data: Buffer }
  | { readonly kind: 'close'; readonly code: number };

/** The server broke the protocol. */
export class FrameError extends Error {}

// More than any message of a server that we talk to; a length beyond it is garbage.
const maximumBytes = 64 * 1024 * 1024;

/** One whole frame as a client sends it, masked. */
export function encodeFrame(opcode: number, payload: Uint8Array, mask: Uint8Array): Buffer {
  const head = Buffer.concat([Buffer.from([0x80 | opcode]), encodeLength(payload.length), mask]);
  const frame = Buffer.concat([head, payload]);
  applyMask(frame.subarray(head.length), mask);
  return frame;
}

/** The payload of a close frame. */
export function encodeClose(code: number): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return payload;
}

/** Takes bytes in pieces of any size and gives whole frames as they become complete. */
export function createFrameReader(): (bytes: Uint8Array) => readonly Frame[] {
  let pieces: Uint8Array[] = [];
  let pendingBytes = 0;
  let neededBytes = 2;
  return (bytes) => {
    pieces.push(bytes);
    pendingBytes += bytes.length;
    // Joining only when a frame is complete keeps large frames linear.
    if (pendingBytes < neededBytes) return [];
    let pending = Buffer.concat(pieces);
    const frames: Frame[] = [];
    for (;;) {
      const { frame, endsAt } = readFrame(pending);
      neededBytes = endsAt;
      if (frame === undefined) break;
      frames.push(frame);
      pending = pending.subarray(endsAt);
    }
    pieces = [pending];
    pendingBytes = pending.length;
    return frames;
  };
}

/** Joins fragments and gives what each frame completes, if anything. */
export function createMessageReader(): (frame: Frame) => Incoming | undefined {
  let started: Message['kind'] | undefined;
  let fragments: Buffer[] = [];
  return ({ opcode, final, payload }) => {
    if (opcode >= 8) return readControl(opcode, final, payload);
    const kind = kinds.get(opcode) ?? started;
    if (kind === undefined || kinds.has(opcode) === (started !== undefined)) {
      throw new FrameError(`unexpected frame with opcode ${opcode}`);
    }
    fragments.push(payload);
    started = final ? undefined : kind;
    if (!final) return undefined;
    const data = Buffer.concat(fragments);
    fragments = [];
    return { kind, data };
  };
}

const kinds: ReadonlyMap<number, Message['kind']> = new Map([
  [opcodes.text, 'text'],
  [opcodes.binary, 'binary'],
]);

function readControl(opcode: number, final: boolean, payload: Buffer): Incoming | undefined {
  if (!final || payload.length > 125) throw new FrameError('a control frame in pieces');
  if (opcode === opcodes.ping) return { kind: 'ping', data: payload };
  if (opcode === opcodes.pong) return undefined;
  if (opcode !== opcodes.close) throw new FrameError(`unknown opcode ${opcode}`);
  // 1005 stands for a close frame without a code.
  return { kind: 'close', code: payload.length >= 2 ? payload.readUInt16BE() : 1005 };
}

/** The frame at the beginning, if it is whole, and how many bytes must be there to know more. */
function readFrame(bytes: Buffer): { readonly frame?: Frame; readonly endsAt: number } {
  if (bytes.length < 2) return { endsAt: 2 };
  const first = bytes.readUInt8(0);
  const second = bytes.readUInt8(1);
  if ((first & 0x70) !== 0) throw new FrameError('an extension that was not agreed on');
  if ((second & 0x80) !== 0) throw new FrameError('a masked frame from the server');
  const headBytes = { 126: 4, 127: 10 }[second] ?? 2;
  if (bytes.length < headBytes) return { endsAt: headBytes };
  const length = headBytes === 2 ? second : readLength(bytes, headBytes);
  if (length > maximumBytes) throw new FrameError(`a frame of ${length} bytes`);
  const endsAt = headBytes + length;
  if (bytes.length < endsAt) return { endsAt };
  const payload = bytes.subarray(headBytes, endsAt);
  return { frame: { opcode: first & 0x0f, final: (first & 0x80) !== 0, payload }, endsAt };
}

function readLength(bytes: Buffer, headBytes: number): number {
  return headBytes === 4 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
}

function encodeLength(length: number): Buffer {
  if (length < 126) return Buffer.from([0x80 | length]);
  const bytes = Buffer.alloc(length < 65_536 ? 3 : 9, 0x80 | (length < 65_536 ? 126 : 127));
  if (length < 65_536) bytes.writeUInt16BE(length, 1);
  else bytes.writeBigUInt64BE(BigInt(length), 1);
  return bytes;
}

function applyMask(bytes: Uint8Array, mask: Uint8Array): void {
  for (let index = 0; index < bytes.length; index += 1) {
    bytes[index] = (bytes[index] ?? 0) ^ (mask[index & 3] ?? 0);
  }
}
