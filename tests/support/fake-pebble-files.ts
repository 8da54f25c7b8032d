// The files of the in-memory Pebble: pure functions from one tree to the next, with the refusals
// of the real one.

import { posix } from 'node:path';

import { fromApiFailure, PebbleError } from '../../lib/pebble/errors.ts';
import type { FileInfo, Ownership, PushOptions } from '../../lib/pebble/pebble.ts';
import {
  directoryEntry,
  type FileEntry,
  fileEntry,
  type PebbleState,
  parentOf,
} from './pebble-state.ts';

export type Tree = PebbleState['files'];

interface Owner {
  readonly user: string;
  readonly group: string;
}

/** The text of a file; `undefined` when there is none. */
export function readFile(files: Tree, path: string): string | undefined {
  const what = `read ${JSON.stringify(path)}`;
  checkAbsolute(what, path);
  const entry = findEntry(what, files, path);
  if (entry === undefined) return undefined;
  if (entry.type !== 'file') throw refused(what, `can only read a regular file: "${path}"`);
  return Buffer.from(entry.content).toString('utf8');
}

/** The tree with a file written. */
export function writeFile(
  state: PebbleState,
  file: {
    readonly path: string;
    readonly content: string | Uint8Array;
    readonly options: PushOptions;
  },
): Tree {
  const { path, content, options } = file;
  const what = `write ${JSON.stringify(path)}`;
  checkAbsolute(what, path);
  const owner = findOwner(what, state, options);
  const target = clean(path);
  const parent = parentOf(target);
  const files =
    options.makeDirs === true
      ? addDirectories(what, state.files, { path: parent, entry: directoryEntry(owner) })
      : state.files;
  const holder = findEntry(what, files, parent);
  if (holder === undefined) throw missing(what, path);
  if (holder.type !== 'directory') throw refused(what, `open ${path}: not a directory`);
  if (files[target]?.type === 'directory') throw refused(what, `rename ${path}: file exists`);
  const mode = readMode(what, options.mode, '0644');
  return { ...files, [target]: fileEntry(content, { ...owner, mode }) };
}

/** The entries of a directory, or a file itself. */
export function listFiles(files: Tree, path: string, pattern?: string): readonly FileInfo[] {
  const what = `list ${JSON.stringify(path)}`;
  checkAbsolute(what, path);
  const entry = findEntry(what, files, path);
  if (entry === undefined) throw missing(what, path);
  const paths = entry.type === 'file' ? [clean(path)] : childrenOf(files, clean(path));
  const matches = pattern === undefined ? () => true : toMatcher(pattern);
  return paths
    .filter((one) => matches(posix.basename(one)))
    .toSorted()
    .flatMap((one) => describeFile(files, one) ?? []);
}

/** One entry; `undefined` when there is none. */
export function describeFile(files: Tree, path: string): FileInfo | undefined {
  const what = `look at ${JSON.stringify(path)}`;
  checkAbsolute(what, path);
  const entry = findEntry(what, files, path);
  if (entry === undefined) return undefined;
  const { type, mode, user, group } = entry;
  const cleaned = clean(path);
  return {
    path: cleaned,
    name: posix.basename(cleaned) || '/',
    type,
    ...(type === 'file' ? { sizeBytes: Buffer.byteLength(entry.content) } : {}),
    mode,
    user,
    group,
  };
}

/** The tree with a directory made. */
export function makeDirectory(state: PebbleState, path: string, options: PushOptions): Tree {
  const what = `make directory ${JSON.stringify(path)}`;
  checkAbsolute(what, path);
  const owner = findOwner(what, state, options);
  const entry = directoryEntry({ ...owner, mode: readMode(what, options.mode, '0755') });
  const present = findEntry(what, state.files, path);
  if (options.makeDirs === true) return addDirectories(what, state.files, { path, entry });
  if (present !== undefined) throw refused(what, `mkdir ${path}: file exists`);
  if (findEntry(what, state.files, posix.dirname(clean(path))) === undefined)
    throw missing(what, path);
  return { ...state.files, [clean(path)]: entry };
}

/** The tree without an entry. */
export function removeEntry(files: Tree, path: string, recursive: boolean): Tree {
  const what = `remove ${JSON.stringify(path)}`;
  checkAbsolute(what, path);
  const cleaned = clean(path);
  if (findEntry(what, files, path) === undefined) {
    if (recursive) return files;
    throw missing(what, path);
  }
  if (!recursive && childrenOf(files, cleaned).length > 0) {
    throw refused(what, `remove ${path}: directory not empty`);
  }
  const kept = Object.entries(files).filter(
    ([one]) => one !== cleaned && !one.startsWith(`${cleaned}/`),
  );
  return Object.fromEntries(kept);
}

function addDirectories(
  what: string,
  files: Tree,
  wanted: { readonly path: string; readonly entry: FileEntry },
): Tree {
  const path = clean(wanted.path);
  const present = findEntry(what, files, path);
  if (present?.type === 'file') throw refused(what, `mkdir ${path}: not a directory`);
  if (present !== undefined) return files;
  const above = addDirectories(what, files, { path: parentOf(path), entry: wanted.entry });
  return { ...above, [path]: wanted.entry };
}

function findEntry(what: string, files: Tree, path: string): FileEntry | undefined {
  const cleaned = clean(path);
  for (let parent = parentOf(cleaned); parent !== '/'; parent = parentOf(parent)) {
    if (files[parent]?.type === 'file') throw refused(what, `stat ${path}: not a directory`);
  }
  return files[cleaned];
}

function childrenOf(files: Tree, path: string): readonly string[] {
  return Object.keys(files).filter((one) => one !== '/' && parentOf(one) === path);
}

function findOwner(what: string, state: PebbleState, ownership: Ownership): Owner {
  const { user, group } = ownership;
  if (user === undefined && group === undefined) return { user: 'root', group: 'root' };
  if (user === undefined) throw refused(what, 'must specify user, not just group');
  const primary = state.users[user];
  if (primary === undefined) throw refused(what, `unknown user ${user}`);
  if (group !== undefined && !Object.values(state.users).includes(group)) {
    throw refused(what, `unknown group ${group}`);
  }
  return { user, group: group ?? primary };
}

function readMode(what: string, mode: string | undefined, usual: string): string {
  if (mode === undefined) return usual;
  if (!/^0?[0-7]{3}$/.test(mode)) throw refused(what, `mode ${mode} is not of the form 0644`);
  return `0${mode.slice(-3)}`;
}

/** File name patterns: `*`, `?` and `[a-z]`. */
function toMatcher(pattern: string): (name: string) => boolean {
  const source = pattern.replaceAll(/[.+^${}()|\\]/g, String.raw`\$&`);
  const expression = new RegExp(`^${source.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's');
  return (name) => expression.test(name);
}

function clean(path: string): string {
  const normal = posix.normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

function checkAbsolute(what: string, path: string): void {
  if (!path.startsWith('/')) throw refused(what, `paths must be absolute, got "${path}"`);
}

function missing(what: string, path: string): PebbleError {
  const message = `open ${path}: no such file or directory`;
  return fromApiFailure(what, { message, kind: 'not-found' });
}

function refused(what: string, message: string): PebbleError {
  return fromApiFailure(what, { message, kind: 'generic-file-error' });
}
