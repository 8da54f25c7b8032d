/**
 * The charm of Juju's own controller application. Juju wants one with the right name and the peer
 * relation of its database; the controller does all the work itself, so its hooks do nothing.
 */

import { crc32 } from 'node:zlib';

interface ArchiveFile {
  readonly name: string;
  readonly text: string;
  readonly mode: number;
}

const controllerCharm: readonly ArchiveFile[] = [
  {
    name: 'metadata.yaml',
    mode: 0o644,
    text: `name: juju-controller
summary: controller of the local cloud
description: The controller needs a charm; this one leaves everything to the controller.
peers:
  dbcluster:
    interface: dbcluster
`,
  },
  {
    name: 'manifest.yaml',
    mode: 0o644,
    text: `bases:
  - name: ubuntu
    channel: "24.04"
    architectures: [amd64, arm64]
`,
  },
  {
    name: 'config.yaml',
    mode: 0o644,
    text: `options:
  controller-url:
    type: string
    default: ""
    description: Set by the controller.
  identity-provider-url:
    type: string
    default: ""
    description: Set by the controller.
  is-juju:
    type: boolean
    default: true
    description: Set by the controller.
`,
  },
  { name: 'dispatch', mode: 0o755, text: '#!/bin/sh\nexit 0\n' },
];

/** The charm as an archive, ready to be written to a file. */
export function renderControllerCharm(): Buffer {
  return renderArchive(controllerCharm);
}

/** A zip archive of small files, not compressed. Equal files make equal archives. */
export function renderArchive(files: readonly ArchiveFile[]): Buffer {
  const bodies: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const file of files) {
    const content = Buffer.from(file.text);
    const local = Buffer.concat([localHeader(file, content), content]);
    directory.push(directoryHeader(file, content, offset));
    bodies.push(local);
    offset += local.length;
  }
  const index = Buffer.concat(directory);
  return Buffer.concat([
    ...bodies,
    index,
    endRecord({ count: files.length, size: index.length, offset }),
  ]);
}

const zipVersion = 20;
const unixVersion = (3 << 8) | zipVersion;
const firstOfJanuary1980 = 0x0021;
const regularFile = 0o100000;

function localHeader(file: ArchiveFile, content: Buffer): Buffer {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(zipVersion, 4);
  writeShared(header, { at: 10, file, content });
  return Buffer.concat([header, Buffer.from(file.name)]);
}

function directoryHeader(file: ArchiveFile, content: Buffer, offset: number): Buffer {
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(unixVersion, 4);
  header.writeUInt16LE(zipVersion, 6);
  writeShared(header, { at: 12, file, content });
  header.writeUInt32LE(((regularFile | file.mode) << 16) >>> 0, 38);
  header.writeUInt32LE(offset, 42);
  return Buffer.concat([header, Buffer.from(file.name)]);
}

/** Time, date, checksum, both sizes and the length of the name: equal in both headers. */
function writeShared(
  header: Buffer,
  place: { at: number; file: ArchiveFile; content: Buffer },
): void {
  const { at, file, content } = place;
  header.writeUInt16LE(firstOfJanuary1980, at + 2);
  header.writeUInt32LE(crc32(content), at + 4);
  header.writeUInt32LE(content.length, at + 8);
  header.writeUInt32LE(content.length, at + 12);
  header.writeUInt16LE(Buffer.byteLength(file.name), at + 16);
}

function endRecord(index: { count: number; size: number; offset: number }): Buffer {
  const record = Buffer.alloc(22);
  record.writeUInt32LE(0x06054b50, 0);
  record.writeUInt16LE(index.count, 8);
  record.writeUInt16LE(index.count, 10);
  record.writeUInt32LE(index.size, 12);
  record.writeUInt32LE(index.offset, 16);
  return record;
}
