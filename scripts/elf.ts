// What packing has to do with a program of any processor (the tools of one machine refuse the programs of
// another): to find its loader, and to remove what is never loaded: symbols, debug information and the
// section table. All that the loader reads, the program headers and the segments they name, stays
// where it is.
// Source: the ELF-64 object file format; little-endian, as all processors that we pack for.

const magic = 0x7f454c46;
const class64LittleEndian = 0x0201;
const loadSegment = 1;
const interpreterSegment = 3;

/** The program up to the end of its last segment. */
export function stripElf(program: Buffer): Buffer {
  const segments = readSegments(program);
  const table =
    Number(program.readBigUInt64LE(0x20)) + program.readUInt16LE(0x36) * segments.length;
  const loaded = segments.filter(({ type }) => type === loadSegment);
  const end = Math.max(table, ...loaded.map(({ start, bytes }) => start + bytes));
  const stripped = Buffer.from(program.subarray(0, end));
  stripped.writeBigUInt64LE(0n, 0x28); // Where the section table was,
  stripped.writeUInt16LE(0, 0x3c); // how many rows it had,
  stripped.writeUInt16LE(0, 0x3e); // and which of them held the names.
  return stripped;
}

/** Path of the loader that the program asks the kernel for, which is another one on each processor. */
export function loaderOf(program: Buffer): string {
  const found = readSegments(program).find(({ type }) => type === interpreterSegment);
  if (found === undefined) throw new Error('cannot find the loader of the program: it names none');
  const { start, bytes } = found;
  return program.toString('utf8', start, start + bytes).replace(/\0+$/, '');
}

interface Segment {
  readonly type: number;
  /** Where it is in the file. */
  readonly start: number;
  readonly bytes: number;
}

function readSegments(program: Buffer): readonly Segment[] {
  if (program.readUInt32BE(0) !== magic || program.readUInt16BE(4) !== class64LittleEndian) {
    throw new Error('cannot read program: not a 64-bit little-endian ELF file');
  }
  const tableOffset = Number(program.readBigUInt64LE(0x20));
  const rowBytes = program.readUInt16LE(0x36);
  return Array.from({ length: program.readUInt16LE(0x38) }, (_, row) => {
    const at = tableOffset + row * rowBytes;
    return {
      type: program.readUInt32LE(at),
      start: Number(program.readBigUInt64LE(at + 8)),
      bytes: Number(program.readBigUInt64LE(at + 32)),
    };
  });
}
