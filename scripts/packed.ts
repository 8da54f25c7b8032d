// Which archives need no new packing: beside each lies a note of the inputs that it was made of and
// of what was reported then.

import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import * as v from 'valibot';

import { computeKey, readSources } from '../cloud/build/keys.ts';
import type { Architecture } from './carried-node.ts';
import { type Charm, repository } from './charms.ts';

const scripts = path.join(repository, 'scripts');

const noteSchema = v.object({ key: v.string(), report: v.string() });
export type PackNote = v.InferOutput<typeof noteSchema>;

/**
 * A key over everything that the content of an archive depends on, except for the commit: when the
 * sources are the same, the archive of an earlier commit is right.
 */
export async function computePackKey(charm: Charm, architecture: Architecture): Promise<string> {
  const shared = ['package-lock.json', 'dispatch', 'LICENSE'];
  const own = ['metadata.yaml', 'config.yaml', 'actions.yaml', 'icon.svg', 'README.md'];
  return computeKey({
    architecture,
    shared: await readFiles(repository, shared),
    own: await readFiles(charm.folder, own),
    src: await readSources(path.join(charm.folder, 'src')),
    lib: await readSources(path.join(repository, 'lib')),
    scripts: await readFiles(scripts, (await readdir(scripts)).filter(isModule).toSorted()),
  });
}

/** The report of an archive that was packed with this key. */
export async function findPacked(archive: string, key: string): Promise<string | undefined> {
  const file = noteFile(archive);
  if (!existsSync(archive) || !existsSync(file)) return undefined;
  const note = v.safeParse(noteSchema, JSON.parse(await readFile(file, 'utf8')));
  return note.success && note.output.key === key ? note.output.report : undefined;
}

export async function notePacked(archive: string, note: PackNote): Promise<string> {
  await writeFile(noteFile(archive), `${JSON.stringify(note)}\n`);
  return note.report;
}

function isModule(name: string): boolean {
  return name.endsWith('.ts');
}

function noteFile(archive: string): string {
  return `${archive}.packed.json`;
}

async function readFiles(
  folder: string,
  names: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const present = names.filter((name) => existsSync(path.join(folder, name)));
  const pairs = present.map(
    async (name) => [name, await readFile(path.join(folder, name), 'utf8')] as const,
  );
  return Object.fromEntries(await Promise.all(pairs));
}
