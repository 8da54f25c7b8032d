// Files of the container through Pebble: read, write, list, make directories, remove.

import * as v from 'valibot';

import { deadlines } from './deadlines.ts';
import { type Answer, type Connection, notUnderstood, parseAnswer } from './envelope.ts';
import { fromApiFailure, isPebbleError, PebbleError } from './errors.ts';
import { parseMultipart, renderMultipart } from './multipart.ts';
import type { FileInfo, Ownership, PushOptions } from './pebble.ts';

const pathResultsSchema = v.array(
  v.object({
    path: v.string(),
    error: v.optional(v.object({ message: v.string(), kind: v.optional(v.string()) })),
  }),
);

const fileInfoSchema = v.object({
  path: v.string(),
  name: v.string(),
  type: v.fallback(
    v.picklist(['file', 'directory', 'symlink', 'socket', 'named-pipe', 'device', 'unknown']),
    'unknown',
  ),
  size: v.optional(v.number()),
  permissions: v.string(),
  user: v.optional(v.string()),
  group: v.optional(v.string()),
});

/** The file's text, or `undefined` when there is none. */
export async function pullFile(connection: Connection, path: string): Promise<string | undefined> {
  const what = `read ${JSON.stringify(path)}`;
  const response = await connection.exchange({
    what,
    path: '/v1/files',
    query: { action: 'read', path },
    headers: { accept: 'multipart/form-data' },
  });
  const parts = parseMultipart(response.headers['content-type'] ?? '', response.body);
  const metadata = parts?.find((part) => part.name === 'response');
  if (parts === undefined || metadata === undefined) throw notUnderstood(what, response.status);
  const body = Buffer.from(metadata.content);
  try {
    checkPathResults(what, parseAnswer(what, { ...response, body }, pathResultsSchema));
  } catch (error) {
    if (isPebbleError(error, 'not-found')) return undefined;
    throw error;
  }
  const file = parts.find((part) => part.name === 'files');
  if (file === undefined) throw notUnderstood(what, response.status);
  return Buffer.from(file.content).toString('utf8');
}

export interface PushedFile {
  readonly path: string;
  readonly content: string | Uint8Array;
  readonly options: PushOptions;
}

/** Writes a file atomically. */
export async function pushFile(connection: Connection, file: PushedFile): Promise<void> {
  const { path, content, options } = file;
  const what = `write ${JSON.stringify(path)}`;
  // The path travels in a header line.
  if (/[\r\n]/.test(path)) {
    throw new PebbleError(`cannot ${what}: a line break in a path`, { code: 'api' });
  }
  const metadata = {
    action: 'write',
    files: [{ path, 'make-dirs': options.makeDirs ?? false, ...describeOwnership(options) }],
  };
  const { contentType, body } = renderMultipart([
    {
      name: 'request',
      contentType: 'application/json',
      content: toBytes(JSON.stringify(metadata)),
    },
    { name: 'files', filename: path, content: toBytes(content) },
  ]);
  const headers = { 'content-type': contentType };
  const request = { what, path: '/v1/files', headers, body };
  checkPathResults(what, await connection.call(request, pathResultsSchema));
}

/** The entries of a directory that match the pattern, in order of their names. */
export async function listFiles(
  connection: Connection,
  path: string,
  pattern: string | undefined,
): Promise<readonly FileInfo[]> {
  const request = {
    what: `list ${JSON.stringify(path)}`,
    path: '/v1/files',
    query: { action: 'list', path, pattern },
  };
  return (await connection.call(request, v.array(fileInfoSchema))).result.map(toFileInfo);
}

/** The entry itself, with symbolic links followed; `undefined` when there is none. */
export async function statFile(
  connection: Connection,
  path: string,
): Promise<FileInfo | undefined> {
  const request = {
    what: `look at ${JSON.stringify(path)}`,
    path: '/v1/files',
    query: { action: 'list', path, itself: 'true' },
  };
  try {
    const { result } = await connection.call(request, v.array(fileInfoSchema));
    return result.map(toFileInfo)[0];
  } catch (error) {
    if (isPebbleError(error, 'not-found')) return undefined;
    throw error;
  }
}

/** Makes a directory; with `makeDirs` also its parents, and one that exists is fine and left alone. */
export async function makeDirectory(
  connection: Connection,
  path: string,
  options: PushOptions,
): Promise<void> {
  const what = `make directory ${JSON.stringify(path)}`;
  const dir = { path, 'make-parents': options.makeDirs ?? false, ...describeOwnership(options) };
  const request = { what, path: '/v1/files', json: { action: 'make-dirs', dirs: [dir] } };
  checkPathResults(what, await connection.call(request, pathResultsSchema));
}

/** Removes a file, an empty directory, or with `recursive` a whole tree. */
export async function removePath(
  connection: Connection,
  path: string,
  options: { readonly recursive: boolean },
): Promise<void> {
  const what = `remove ${JSON.stringify(path)}`;
  const { recursive } = options;
  const request = {
    what,
    path: '/v1/files',
    json: { action: 'remove', paths: [{ path, recursive }] },
    timeoutMs: recursive ? deadlines.removeTreeMs : deadlines.requestMs,
  };
  checkPathResults(what, await connection.call(request, pathResultsSchema));
}

function checkPathResults(
  what: string,
  answer: Answer<v.InferOutput<typeof pathResultsSchema>>,
): void {
  for (const { error } of answer.result) {
    if (error === undefined) continue;
    const { message, kind } = error;
    throw fromApiFailure(what, { message, ...(kind === undefined ? {} : { kind }) });
  }
}

function describeOwnership(ownership: Ownership): Readonly<Record<string, string | undefined>> {
  const { user, group, mode } = ownership;
  return { user, group, permissions: mode === undefined ? undefined : toPermissions(mode) };
}

/** Pebble wants exactly three octal digits. */
function toPermissions(mode: string): string {
  if (!/^0?[0-7]{3}$/.test(mode)) {
    throw new PebbleError(`cannot use mode ${JSON.stringify(mode)}: not of the form 0644`, {
      code: 'api',
    });
  }
  return mode.slice(-3);
}

function toFileInfo(entry: v.InferOutput<typeof fileInfoSchema>): FileInfo {
  const { path, name, type, size, permissions, user, group } = entry;
  return {
    path,
    name,
    type,
    ...(size === undefined ? {} : { sizeBytes: size }),
    mode: `0${permissions}`,
    ...(isKnown(user) ? { user } : {}),
    ...(isKnown(group) ? { group } : {}),
  };
}

/** Pebble gives an empty name for an id that the image does not list. */
function isKnown(name: string | undefined): name is string {
  return name !== undefined && name !== '';
}

function toBytes(content: string | Uint8Array): Uint8Array {
  return typeof content === 'string' ? Buffer.from(content) : content;
}
