import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { type Cache, openCache } from '../../../cloud/build/cache.ts';
import { withLock } from '../../../cloud/build/lock.ts';

const id = { name: 'pebble', key: '0123456789abcdef' };
const entry = 'pebble-0123456789abcdef';

let root: string;
let cache: Cache;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'cache-'));
  cache = openCache(root);
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

async function listFolders(): Promise<readonly string[]> {
  const names = await readdir(root);
  return names.filter((name) => name !== 'locks');
}

test('an entry appears under its name when it is complete', async () => {
  const folder = await cache.ensure(id, async (temporary) => {
    await writeFile(path.join(temporary, 'program'), 'built');
  });

  expect(folder).toBe(path.join(root, entry));
  expect(await readFile(path.join(folder, 'program'), 'utf8')).toBe('built');
  expect(await listFolders()).toEqual([entry]);
});

test('a complete entry is not built again', async () => {
  await cache.ensure(id, async () => undefined);
  let builds = 0;

  await cache.ensure(id, async () => {
    builds += 1;
  });

  expect(builds).toBe(0);
});

test('a failed build leaves no entry, and the next one starts from an empty folder', async () => {
  const failing = cache.ensure(id, async (temporary) => {
    await writeFile(path.join(temporary, 'half'), '');
    throw new Error('no space');
  });
  await expect(failing).rejects.toThrow('no space');
  expect(await cache.find(id)).toBeUndefined();

  const folder = await cache.ensure(id, async () => undefined);

  expect(await readdir(folder)).toEqual([]);
  expect(await listFolders()).toEqual([entry]);
});

test('two builders of one entry build it once', async () => {
  let builds = 0;
  const build = async () => {
    builds += 1;
    await Promise.resolve();
  };

  const folders = await Promise.all([cache.ensure(id, build), openCache(root).ensure(id, build)]);

  expect(folders).toEqual([path.join(root, entry), path.join(root, entry)]);
  expect(builds).toBe(1);
});

test('leftovers go when nobody builds them, and stay while somebody does', async () => {
  const busy = 'juju-00000000000000ff';
  await mkdir(path.join(root, `${entry}.tmp-abandoned`));
  await mkdir(path.join(root, `${busy}.tmp-growing`));

  await withLock(path.join(root, 'locks', `${busy}.lock`), async () => {
    await cache.removeLeftovers();
  });

  expect(await listFolders()).toEqual([`${busy}.tmp-growing`]);
});

test('a list names the complete entries with their sizes', async () => {
  await cache.ensure(id, async (temporary) => {
    await mkdir(path.join(temporary, 'bin'));
    await writeFile(path.join(temporary, 'bin', 'program'), '12345');
  });
  await mkdir(path.join(root, `${entry}.tmp-abandoned`));
  await mkdir(path.join(root, 'logs'));

  expect(await cache.list()).toEqual([{ ...id, folder: path.join(root, entry), sizeBytes: 5 }]);
});
