import { crc32 } from 'node:zlib';

import { expect, test } from '@jest/globals';

import { renderArchive, renderControllerCharm } from '../../../cloud/controller-charm.ts';

interface Entry {
  readonly name: string;
  readonly mode: number;
  readonly text: string;
}

/** Reads an archive the way a reader does: from its end, through its directory. */
function readArchive(archive: Buffer): readonly Entry[] {
  const end = archive.length - 22;
  expect(archive.readUInt32LE(end)).toBe(0x06054b50);
  const entries: Entry[] = [];
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left -= 1) {
    expect(archive.readUInt32LE(at)).toBe(0x02014b50);
    const nameLength = archive.readUInt16LE(at + 28);
    const name = archive.toString('utf8', at + 46, at + 46 + nameLength);
    const local = archive.readUInt32LE(at + 42);
    const content = local + 30 + archive.readUInt16LE(local + 26);
    const body = archive.subarray(content, content + archive.readUInt32LE(at + 24));
    expect(crc32(body)).toBe(archive.readUInt32LE(at + 16));
    entries.push({ name, mode: archive.readUInt32LE(at + 38) >>> 16, text: body.toString() });
    at += 46 + nameLength;
  }
  return entries;
}

test('an archive is read back with names, modes and contents', () => {
  const files = [
    { name: 'a.yaml', mode: 0o644, text: 'name: ä\n' },
    { name: 'dispatch', mode: 0o755, text: '' },
  ];

  const entries = readArchive(renderArchive(files));

  expect(entries).toEqual([
    { name: 'a.yaml', mode: 0o100644, text: 'name: ä\n' },
    { name: 'dispatch', mode: 0o100755, text: '' },
  ]);
});

test('the charm of the controller has what Juju asks for', () => {
  const entries = readArchive(renderControllerCharm());

  expect(entries.map(({ name, mode }) => [name, mode])).toEqual([
    ['metadata.yaml', 0o100644],
    ['manifest.yaml', 0o100644],
    ['config.yaml', 0o100644],
    ['dispatch', 0o100755],
  ]);
});
