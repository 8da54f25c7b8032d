/**
 * The folder of built things. An entry is a folder `<name>-<key>`; it is filled beside its final
 * place and renamed when complete, so an entry that exists is whole. Whoever builds an entry holds
 * its lock, so two checkouts never build the same thing at once, and a temporary folder whose lock
 * is free belongs to nobody and is removed.
 */

import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';

import { isMissing, isPresent } from './file-presence.ts';
import { tryWithLock, withLock } from './lock.ts';
import { getCacheHome } from './machine.ts';

export interface EntryId {
  readonly name: string;
  /** Sixteen hexadecimal digits over everything that the content depends on; see `keys.ts`. */
  readonly key: string;
}

export interface EntryListing extends EntryId {
  readonly folder: string;
  readonly sizeBytes: number;
}

export interface Cache {
  readonly root: string;
  logFile(name: string): string;
  /** The entry's folder when it is complete. */
  find(id: EntryId): Promise<string | undefined>;
  /** The entry's folder; `build` fills the folder that it is given when there is none yet. */
  ensure(id: EntryId, build: (folder: string) => Promise<void>): Promise<string>;
  list(): Promise<readonly EntryListing[]>;
  /** Removes an entry, unless somebody is building it. */
  remove(id: EntryId): Promise<void>;
  /** Removes what interrupted builds left behind. */
  removeLeftovers(): Promise<void>;
}

const entryPattern = /^(?<name>.+)-(?<key>[0-9a-f]{16})$/;
const temporaryPattern = /^(?<entry>.+-[0-9a-f]{16})\.tmp-/;

/** The cache in a folder; in this user's cache folder when none is given. */
export function openCache(root = path.join(getCacheHome(), 'charmed-postgresql-k8s')): Cache {
  const lockFile = (entry: string) => path.join(root, 'locks', `${entry}.lock`);
  const logFile = (name: string) => path.join(root, 'logs', `${name}.log`);

  async function find(id: EntryId): Promise<string | undefined> {
    const folder = path.join(root, entryName(id));
    return (await isPresent(folder)) ? folder : undefined;
  }

  async function ensure(id: EntryId, build: (folder: string) => Promise<void>): Promise<string> {
    const present = await find(id);
    if (present !== undefined) return present;
    const entry = entryName(id);
    return await withLock(lockFile(entry), async () => {
      const builtMeanwhile = await find(id);
      if (builtMeanwhile !== undefined) return builtMeanwhile;
      await removeTemporaries(root, entry);
      const temporary = await mkdtemp(path.join(root, `${entry}.tmp-`));
      await build(temporary);
      const folder = path.join(root, entry);
      await rename(temporary, folder);
      return folder;
    });
  }

  async function remove(id: EntryId): Promise<void> {
    await tryWithLock(lockFile(entryName(id)), async () => {
      await rm(path.join(root, entryName(id)), { recursive: true, force: true });
    });
  }

  async function removeLeftovers(): Promise<void> {
    const names = await readFolder(root);
    const entries = new Set(
      names.flatMap((name) => temporaryPattern.exec(name)?.groups?.['entry'] ?? []),
    );
    for (const entry of entries) {
      await tryWithLock(lockFile(entry), async () => await removeTemporaries(root, entry));
    }
  }

  async function list(): Promise<readonly EntryListing[]> {
    const listings: EntryListing[] = [];
    for (const name of (await readFolder(root)).toSorted()) {
      const groups = entryPattern.exec(name)?.groups;
      if (groups?.['name'] === undefined || groups['key'] === undefined) continue;
      const folder = path.join(root, name);
      const sizeBytes = await measure(folder);
      listings.push({ name: groups['name'], key: groups['key'], folder, sizeBytes });
    }
    return listings;
  }

  return { root, logFile, find, ensure, list, remove, removeLeftovers };
}

export function entryName(id: EntryId): string {
  return `${id.name}-${id.key}`;
}

async function removeTemporaries(root: string, entry: string): Promise<void> {
  await mkdir(root, { recursive: true });
  for (const name of await readFolder(root)) {
    if (name.startsWith(`${entry}.tmp-`))
      await rm(path.join(root, name), { recursive: true, force: true });
  }
}

async function measure(folder: string): Promise<number> {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  let sizeBytes = 0;
  for (const file of files) {
    if (file.isFile()) sizeBytes += (await stat(path.join(file.parentPath, file.name))).size;
  }
  return sizeBytes;
}

async function readFolder(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
