// Writes ZIP archives that come out the same byte for byte from the same entries: sorted by name,
// one fixed time, Unix modes. Entries arrive deflated, so that the large Node.js binary is deflated
// once and written into many archives; the libraries at hand deflate each time.
// Source: PKWARE's APPNOTE.TXT, sections 4.3 to 4.5. Archives and entries above 4 GB do not occur.

import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipEntry {
  readonly name: string;
  /** Permission bits, for instance 0o755. */
  readonly mode: number;
  readonly deflated: Buffer;
  readonly sizeBytes: number;
  readonly crc: number;
}

export interface FileContent {
  readonly name: string;
  readonly mode: number;
  readonly content: Buffer;
}

const localSignature = 0x04034b50;
const centralSignature = 0x02014b50;
const endSignature = 0x06054b50;
const deflateMethod = 8;
const neededVersion = 20;
/** Made by a Unix system, so that readers take the permission bits from the attributes. */
const madeBy = (3 << 8) | neededVersion;
/** 1980-01-01 00:00, the first that the format can tell. */
const fixedDate = (1 << 5) | 1;
const utf8Names = 1 << 11;
const regularFile = 0o100000;

export function deflateEntry(file: FileContent): ZipEntry {
  return {
    name: file.name,
    mode: file.mode,
    deflated: deflateRawSync(file.content, { level: 9, memLevel: 9 }),
    sizeBytes: file.content.length,
    crc: crc32(file.content),
  };
}

/** The archive, in pieces to be written one after another. */
export function renderZip(entries: readonly ZipEntry[]): readonly Buffer[] {
  const sorted = entries.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  const pieces: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const entry of sorted) {
    const header = Buffer.concat([renderLocalHeader(entry), Buffer.from(entry.name)]);
    directory.push(renderCentralHeader(entry, offset), Buffer.from(entry.name));
    pieces.push(header, entry.deflated);
    offset += header.length + entry.deflated.length;
  }
  const central = Buffer.concat(directory);
  return [...pieces, central, renderEnd(sorted.length, central.length, offset)];
}

function renderLocalHeader(entry: ZipEntry): Buffer {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(localSignature, 0);
  writeCommon(entry, header, 4);
  return header;
}

function renderCentralHeader(entry: ZipEntry, offset: number): Buffer {
  const header = Buffer.alloc(46);
  header.writeUInt32LE(centralSignature, 0);
  header.writeUInt16LE(madeBy, 4);
  writeCommon(entry, header, 6);
  header.writeUInt32LE(((regularFile | entry.mode) << 16) >>> 0, 38);
  header.writeUInt32LE(offset, 42);
  return header;
}

/** The fields that both headers have, in the same order. */
function writeCommon(entry: ZipEntry, header: Buffer, at: number): void {
  header.writeUInt16LE(neededVersion, at);
  header.writeUInt16LE(utf8Names, at + 2);
  header.writeUInt16LE(deflateMethod, at + 4);
  header.writeUInt16LE(0, at + 6);
  header.writeUInt16LE(fixedDate, at + 8);
  header.writeUInt32LE(entry.crc, at + 10);
  header.writeUInt32LE(entry.deflated.length, at + 14);
  header.writeUInt32LE(entry.sizeBytes, at + 18);
  header.writeUInt16LE(Buffer.byteLength(entry.name), at + 22);
}

function renderEnd(count: number, centralBytes: number, centralOffset: number): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(endSignature, 0);
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(centralBytes, 12);
  end.writeUInt32LE(centralOffset, 16);
  return end;
}
