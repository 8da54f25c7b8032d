// Removes from a program what is never loaded: symbols, debug information and the section table,
// for any processor (the `strip` of one machine refuses the programs of another). All that the
// loader reads, the program headers and the segments they name, stays where it is.
// Source: the ELF-64 object file format; little-endian, as all processors that we pack for.

const magic = 0x7f454c46;
const class64LittleEndian = 0x0201;
const loadSegment = 1;

/** The program up to the end of its last segment. */
export function stripElf(program: Buffer): Buffer {
  if (program.readUInt32BE(0) !== magic || program.readUInt16BE(4) !== class64LittleEndian) {
    throw new Error('cannot strip program: not a 64-bit little-endian ELF file');
  }
  const tableOffset = Number(program.readBigUInt64LE(0x20));
  const rowBytes = program.readUInt16LE(0x36);
  const rowCount = program.readUInt16LE(0x38);
  let end = tableOffset + rowBytes * rowCount;
  for (let row = 0; row < rowCount; row += 1) {
    const at = tableOffset + row * rowBytes;
    if (program.readUInt32LE(at) !== loadSegment) continue;
    end = Math.max(end, Number(program.readBigUInt64LE(at + 8) + program.readBigUInt64LE(at + 32)));
  }
  const stripped = Buffer.from(program.subarray(0, end));
  stripped.writeBigUInt64LE(0n, 0x28); // Where the section table was,
  stripped.writeUInt16LE(0, 0x3c); // how many rows it had,
  stripped.writeUInt16LE(0, 0x3e); // and which of them held the names.
  return stripped;
}
