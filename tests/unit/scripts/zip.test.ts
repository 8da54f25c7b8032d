import { crc32, inflateRawSync } from 'node:zlib';

import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { deflateEntry, type FileContent, renderZip } from '../../../scripts/zip.ts';

const fileArbitrary = fc.record({
  name: fc.stringMatching(/^[a-zäé][a-z0-9/.-]{0,30}$/),
  mode: fc.constantFrom(0o644, 0o755),
  content: fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
});
const filesArbitrary = fc.uniqueArray(fileArbitrary, { selector: ({ name }) => name });

test('what is put into an archive comes out of it, sorted by name', () => {
  fc.assert(
    fc.property(filesArbitrary, (files) => {
      const read = readZip(render(files));

      const sorted = files.toSorted((one, other) => (one.name < other.name ? -1 : 1));
      expect(read).toEqual(sorted);
    }),
  );
});

test('the order in which files arrive does not change the archive', () => {
  fc.assert(
    fc.property(filesArbitrary, (files) => {
      expect(render(files.toReversed())).toEqual(render(files));
    }),
  );
});

test('an archive without files is an end record', () => {
  expect(render([])).toEqual(Buffer.from('504b0506'.padEnd(44, '0'), 'hex'));
});

function render(files: readonly FileContent[]): Buffer {
  return Buffer.concat(renderZip(files.map(deflateEntry)));
}

/** Reads by way of the central directory, as unpacking programs do. */
function readZip(archive: Buffer): readonly FileContent[] {
  const end = archive.length - 22;
  const count = archive.readUInt16LE(end + 10);
  let at = archive.readUInt32LE(end + 16);
  const files: FileContent[] = [];
  for (let index = 0; index < count; index += 1) {
    const nameBytes = archive.readUInt16LE(at + 28);
    const name = archive.toString('utf8', at + 46, at + 46 + nameBytes);
    const mode = (archive.readUInt32LE(at + 38) >>> 16) & 0o777;
    const content = readContent(archive, archive.readUInt32LE(at + 42));
    expect(content.length).toBe(archive.readUInt32LE(at + 24));
    expect(crc32(content)).toBe(archive.readUInt32LE(at + 16));
    files.push({ name, mode, content });
    at += 46 + nameBytes;
  }
  expect(at).toBe(end);
  return files;
}

function readContent(archive: Buffer, header: number): Buffer {
  const start = header + 30 + archive.readUInt16LE(header + 26) + archive.readUInt16LE(header + 28);
  return inflateRawSync(archive.subarray(start, start + archive.readUInt32LE(header + 18)));
}
