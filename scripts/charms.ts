// The charms of this repository: the one at its root and those in charms/. Their names are those
// of their metadata.

import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

import * as v from 'valibot';
import { parse } from 'yaml';

export interface Charm {
  readonly name: string;
  /** Absolute path of the folder that holds metadata.yaml. */
  readonly folder: string;
  /** Absolute path of the first module. */
  readonly entry: string;
}

export const repository = path.join(import.meta.dirname, '..');
export const distFolder = path.join(repository, 'dist');

const metadataSchema = v.object({ name: v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]*$/)) });

/** All charms, or those with the given names. */
export async function findCharms(names: readonly string[] = []): Promise<readonly Charm[]> {
  const others = path.join(repository, 'charms');
  const folders = [repository];
  for (const name of (await readdir(others)).toSorted()) folders.push(path.join(others, name));
  const charms: Charm[] = [];
  for (const folder of folders) {
    const entry = path.join(folder, 'src', 'main.ts');
    const metadata = path.join(folder, 'metadata.yaml');
    if (!existsSync(entry) || !existsSync(metadata)) continue;
    charms.push({
      ...v.parse(metadataSchema, parse(await readFile(metadata, 'utf8'))),
      folder,
      entry,
    });
  }
  const unknown = names.filter((name) => charms.every((charm) => charm.name !== name));
  if (unknown.length > 0) throw new Error(`cannot find charm ${unknown.join(', ')}`);
  return names.length === 0 ? charms : charms.filter((charm) => names.includes(charm.name));
}
