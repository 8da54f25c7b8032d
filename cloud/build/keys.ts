/**
 * Keys of cache entries: a hash over every input of a build. Two equal inputs give one key on every
 * machine, whatever the order of their fields.
 */

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/** Sixteen hexadecimal digits over the inputs, which are what JSON can say. */
export function computeKey(inputs: object): string {
  return createHash('sha256').update(JSON.stringify(inputs, sortFields)).digest('hex').slice(0, 16);
}

/** The content of every file below a folder, by relative path: the input that a source tree is. */
export async function readSources(folder: string): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sources: Record<string, string> = {};
  for (const entry of entries) {
    // Tests are compiled into nothing.
    if (!entry.isFile() || entry.name.endsWith('_test.go')) continue;
    const file = path.join(entry.parentPath, entry.name);
    sources[path.relative(folder, file)] = await readFile(file, 'utf8');
  }
  return sources;
}

function sortFields(_field: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1)),
  );
}
