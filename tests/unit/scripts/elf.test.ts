import { existsSync, readFileSync } from 'node:fs';

import { describe, expect, test } from '@jest/globals';

import { loaderOf, stripElf } from '../../../scripts/elf.ts';

const headerBytes = 64;
const rowBytes = 56;
const load = 1;
const interpreter = 3;
const note = 4;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly sizeBytes: number;
}

test('a program ends with its last loaded segment', () => {
  const program = makeProgram([
    { type: load, offset: 0, sizeBytes: 200 },
    { type: load, offset: 300, sizeBytes: 50 },
    { type: note, offset: 380, sizeBytes: 10 },
  ]);

  const stripped = stripElf(program);

  expect(stripped.length).toBe(350);
  expect(stripped.subarray(headerBytes)).toEqual(program.subarray(headerBytes, 350));
});

test('a stripped program claims no sections', () => {
  const stripped = stripElf(makeProgram([{ type: load, offset: 0, sizeBytes: 200 }]));

  expect(stripped.readBigUInt64LE(0x28)).toBe(0n);
  expect(stripped.readUInt32LE(0x3c)).toBe(0);
});

test('the table of segments is kept even where no segment covers it', () => {
  const stripped = stripElf(makeProgram([{ type: load, offset: 0, sizeBytes: 10 }]));

  expect(stripped.length).toBe(headerBytes + rowBytes);
});

test('the loader of a program is what its segment of that kind names', () => {
  const program = makeProgram([
    { type: load, offset: 0, sizeBytes: 200 },
    { type: interpreter, offset: 350, sizeBytes: 20 },
  ]);
  program.write('/lib/ld-linux-x.so.1\0', 350);
  const named = makeProgram([{ type: interpreter, offset: 350, sizeBytes: 21 }]);
  named.write('/lib/ld-linux-x.so.1\0', 350);

  expect(loaderOf(program)).toBe('/lib/ld-linux-x.so.1');
  expect(loaderOf(named)).toBe('/lib/ld-linux-x.so.1');
  expect(() => loaderOf(makeProgram([{ type: load, offset: 0, sizeBytes: 10 }]))).toThrow(
    'it names none',
  );
});

test('the loader of the Node.js that runs this is on this machine', () => {
  expect(existsSync(loaderOf(readFileSync(process.execPath)))).toBe(true);
});

describe('what is no 64-bit little-endian program is refused', () => {
  test.each([
    { summary: 'a script', content: Buffer.from('#!/bin/sh\n') },
    { summary: 'a 32-bit program', content: Buffer.from('7f454c460101', 'hex') },
    { summary: 'a big-endian program', content: Buffer.from('7f454c460202', 'hex') },
  ])('$summary', ({ content }) => {
    expect(() => stripElf(content)).toThrow('cannot read program');
  });
});

/** 400 bytes with a header, a table of segments, and a section table said to be at 390. */
function makeProgram(segments: readonly Segment[]): Buffer {
  const program = Buffer.alloc(400, 0xaa);
  program.write('7f454c460201', 0, 'hex');
  program.writeBigUInt64LE(BigInt(headerBytes), 0x20);
  program.writeBigUInt64LE(390n, 0x28);
  program.writeUInt16LE(rowBytes, 0x36);
  program.writeUInt16LE(segments.length, 0x38);
  for (const [row, { type, offset, sizeBytes }] of segments.entries()) {
    const at = headerBytes + row * rowBytes;
    program.writeUInt32LE(type, at);
    program.writeBigUInt64LE(BigInt(offset), at + 8);
    program.writeBigUInt64LE(BigInt(sizeBytes), at + 32);
  }
  return program;
}
