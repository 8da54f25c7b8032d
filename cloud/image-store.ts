/**
 * Unpacked images, kept between clouds. Importing and unpacking takes long, so it is done once per
 * set of images into a store that no pod ever uses. A new cloud gets a copy whose big files are
 * hard links: they are never written to again, and the copy goes away with its cloud.
 */

import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';

import { execa } from 'execa';

import type { Artifacts } from './build/artifacts.ts';
import { startComponent, stopComponent } from './component-process.ts';
import type { Component } from './components.ts';
import { hasErrorCode, isMissing } from './files.ts';
import { type Inside, runInside } from './inside.ts';
import { waitUntil } from './wait.ts';

export interface ImageStoreOptions {
  readonly inside: Inside;
  readonly artifacts: Artifacts;
  readonly containerd: Component;
  readonly logFile: string;
}

/** True when the images of these artifacts were unpacked before. */
export async function hasImageStore(options: ImageStoreOptions): Promise<boolean> {
  return await exists(await storeFolder(options));
}

/** Unpacks the images into a store; half a store, from an interrupted run, is thrown away. */
export async function createImageStore(options: ImageStoreOptions): Promise<void> {
  const { inside, artifacts, containerd, logFile } = options;
  const root = rootFolder(inside);
  await rm(root, { recursive: true, force: true });
  await mkdir(root, { recursive: true });
  await startComponent(inside, containerd);
  await waitForContainerd(inside);
  for (const archive of listArchives(artifacts)) {
    const command = ['ctr', '--namespace', 'k8s.io', 'images', 'import', archive];
    await runInside(inside, command, { logFile });
  }
  await stopComponent(inside, containerd.name);
  const store = await storeFolder(options);
  await removeOtherStores(inside, store);
  try {
    await rename(root, store);
  } catch (error) {
    // Another instance was quicker: its store is as good.
    if (!hasErrorCode(error, 'ENOTEMPTY', 'EEXIST')) throw error;
    await rm(root, { recursive: true, force: true });
  }
}

/** Gives the cloud its own copy of the store. */
export async function linkImageStore(options: ImageStoreOptions): Promise<void> {
  const root = rootFolder(options.inside);
  await rm(root, { recursive: true, force: true });
  await mkdir(path.dirname(root), { recursive: true });
  await execa('cp', ['--archive', '--link', await storeFolder(options), root]);
  for (const database of await findDatabases(root)) {
    await copyFile(database, `${database}.new`);
    await rename(`${database}.new`, database);
  }
}

export async function waitForContainerd(inside: Inside): Promise<void> {
  await waitUntil(async () => (await runInside(inside, ['ctr', 'version'])) !== '', {
    what: 'containerd does not answer',
    timeoutMs: 30_000,
  });
}

/** The metadata is all that a running containerd writes to in place. */
async function findDatabases(root: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const plugin of await readdir(root)) {
    const folder = path.join(root, plugin);
    const files = await readdir(folder);
    found.push(
      ...files.filter((file) => file.endsWith('.db')).map((file) => path.join(folder, file)),
    );
  }
  return found;
}

async function storeFolder({ inside, artifacts }: ImageStoreOptions): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(artifacts.imageNames));
  for (const archive of listArchives(artifacts)) {
    const { size, mtimeMs } = await stat(archive);
    hash.update(`${path.basename(archive)} ${size} ${mtimeMs}\n`);
  }
  const key = hash.digest('hex').slice(0, 16);
  await mkdir(inside.layout.imageStores, { recursive: true });
  return path.join(inside.layout.imageStores, key);
}

function listArchives({ images }: Artifacts): readonly string[] {
  return [images.pause, images.jujud, images.charmBase, images.workload];
}

async function removeOtherStores(inside: Inside, keep: string): Promise<void> {
  for (const name of await readdir(inside.layout.imageStores)) {
    const store = path.join(inside.layout.imageStores, name);
    if (store !== keep) await rm(store, { recursive: true, force: true });
  }
}

function rootFolder(inside: Inside): string {
  return path.join(inside.layout.containerd, 'root');
}

async function exists(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
