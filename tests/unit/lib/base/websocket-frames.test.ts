import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import {
  createFrameReader,
  createMessageReader,
  encodeClose,
  encodeFrame,
  FrameError,
  type Incoming,
  opcodes,
} from '../../../../lib/base/websocket-frames.ts';

/** A frame as a server sends it: without a mask. */
function serverFrame(opcode: number, payload: Uint8Array, { final = true } = {}): Buffer {
  const first = (final ? 0x80 : 0) | opcode;
  const head = Buffer.alloc(payload.length < 126 ? 2 : payload.length < 65_536 ? 4 : 10);
  head[0] = first;
  if (head.length === 2) head[1] = payload.length;
  if (head.length === 4) {
    head[1] = 126;
    head.writeUInt16BE(payload.length, 2);
  }
  if (head.length === 10) {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(payload.length), 2);
  }
  return Buffer.concat([head, payload]);
}

function readAll(pieces: readonly Uint8Array[]): readonly Incoming[] {
  const readFrames = createFrameReader();
  const readMessage = createMessageReader();
  return pieces.flatMap((piece) => readFrames(piece)).flatMap((frame) => readMessage(frame) ?? []);
}

/** The bytes in pieces of the given sizes, which repeat. */
function cut(bytes: Buffer, sizes: readonly number[]): readonly Buffer[] {
  const pieces: Buffer[] = [];
  for (let start = 0, index = 0; start < bytes.length; index += 1) {
    const size = sizes[index % sizes.length] ?? 1;
    pieces.push(bytes.subarray(start, start + size));
    start += size;
  }
  return pieces;
}

/** Texts compare faster than bytes. */
function describeAll(incoming: readonly Incoming[]): readonly string[] {
  return incoming.map((one) =>
    'data' in one ? `${one.kind} ${one.data.toString('hex')}` : one.kind,
  );
}

describe('reading', () => {
  test('gives every message, however the bytes arrive and the messages are split', () => {
    const message = fc.record({
      kind: fc.constantFrom('text' as const, 'binary' as const),
      fragments: fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 4 }),
      ping: fc.boolean(),
    });
    const sizes = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 5 });

    fc.assert(
      fc.property(fc.array(message), sizes, (messages, pieceSizes) => {
        const bytes = messages.flatMap(({ kind, fragments, ping }) =>
          fragments.flatMap((fragment, index) => {
            const opcode = index === 0 ? opcodes[kind] : opcodes.continuation;
            const final = index === fragments.length - 1;
            // Control frames may come between the fragments of a message.
            const between = ping ? [serverFrame(opcodes.ping, Buffer.from('p'))] : [];
            return [...between, serverFrame(opcode, fragment, { final })];
          }),
        );

        const incoming = readAll(cut(Buffer.concat(bytes), pieceSizes));

        const expected = messages.map(({ kind, fragments }) => ({
          kind,
          data: Buffer.concat(fragments),
        }));
        expect(describeAll(incoming.filter(({ kind }) => kind !== 'ping'))).toEqual(
          describeAll(expected),
        );
      }),
    );
  });

  test.each([0, 1, 125, 126, 127, 65_535, 65_536, 300_000])('knows a length of %i', (length) => {
    const payload = Buffer.alloc(length, 'x');

    const incoming = readAll(cut(serverFrame(opcodes.binary, payload), [1, 70_000]));

    const [only, ...more] = incoming;
    expect(only?.kind === 'binary' && only.data.equals(payload)).toBe(true);
    expect(more).toEqual([]);
  });

  test('knows pings, pongs and goodbyes', () => {
    const incoming = readAll([
      serverFrame(opcodes.ping, Buffer.from('are you there')),
      serverFrame(opcodes.pong, Buffer.from('ignored')),
      serverFrame(opcodes.close, encodeClose(1011)),
      serverFrame(opcodes.close, Buffer.alloc(0)),
    ]);

    expect(incoming).toEqual([
      { kind: 'ping', data: Buffer.from('are you there') },
      { kind: 'close', code: 1011 },
      { kind: 'close', code: 1005 },
    ]);
  });

  const some = Buffer.from('some');
  const masked = Buffer.from([0x82, 0x81, 0, 0, 0, 0, 1]);
  const huge = Buffer.from([0x82, 127, 0, 0, 1, 0, 0, 0, 0, 0]);
  test.each([
    { summary: 'a masked frame', frames: [masked] },
    { summary: 'an extension', frames: [Buffer.from([0xc2, 0])] },
    { summary: 'a frame of a terabyte', frames: [huge] },
    { summary: 'an unknown control frame', frames: [serverFrame(11, some)] },
    { summary: 'an unknown data frame', frames: [serverFrame(3, some)] },
    { summary: 'a control frame in pieces', frames: [serverFrame(9, some, { final: false })] },
    { summary: 'a long control frame', frames: [serverFrame(9, Buffer.alloc(126))] },
    { summary: 'a continuation of nothing', frames: [serverFrame(0, some)] },
    {
      summary: 'a message inside a message',
      frames: [serverFrame(1, some, { final: false }), serverFrame(1, some)],
    },
  ])('refuses $summary', ({ frames }) => {
    expect(() => readAll(frames)).toThrow(FrameError);
  });
});

describe('writing', () => {
  test('masks the payload and tells its length', () => {
    const payload = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.integer({ min: 65_530, max: 65_540 }).map((length) => new Uint8Array(length).fill(7)),
    );
    const mask = fc.uint8Array({ minLength: 4, maxLength: 4 });

    fc.assert(
      fc.property(payload, mask, (bytes, key) => {
        const before = Uint8Array.from(bytes);

        const frame = encodeFrame(opcodes.binary, bytes, key);

        const plain = serverFrame(opcodes.binary, bytes);
        const headBytes = plain.length - bytes.length;
        expect(frame.readUInt8(0)).toBe(plain.readUInt8(0));
        expect(frame.readUInt8(1)).toBe(plain.readUInt8(1) | 0x80);
        expect(frame.subarray(2, headBytes)).toEqual(plain.subarray(2, headBytes));
        expect(frame.subarray(headBytes, headBytes + 4)).toEqual(Buffer.from(key));
        const unmasked = frame
          .subarray(headBytes + 4)
          .map((byte, index) => byte ^ (key[index % 4] ?? 0));
        expect(Buffer.from(unmasked).equals(bytes)).toBe(true);
        expect(before.every((byte, index) => byte === bytes[index])).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});
