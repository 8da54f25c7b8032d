/**
 * The cloud's folder below each cgroup hierarchy. The processes of the node are in `node` below it,
 * pods below `kubepods`: whatever belongs to the cloud can be found here, even when every other
 * record is lost. Both versions of cgroups are known; with version 1 there are many hierarchies.
 */

import { mkdir, readdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { hasErrorCode, isMissing, readTextIfPresent } from './files.ts';
import { type ProcessId, readStat, sendSignal } from './process-id.ts';
import { waitUntil } from './wait.ts';

const mountPoint = '/sys/fs/cgroup';
const controllersOfPods = ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids'];

/** Makes the folders and puts the process, and so all its children, into them. */
export async function enterCgroup(name: string, process: ProcessId): Promise<void> {
  for (const hierarchy of await listHierarchies()) {
    const folder = path.join(hierarchy, name);
    await mkdir(path.join(folder, 'node'), { recursive: true });
    await (hierarchy === mountPoint ? passControllersOn(folder) : copyCpuset(folder));
    await writeFile(path.join(folder, 'node', 'cgroup.procs'), `${process.pid}`);
  }
}

/** Kills every process that is left and removes the folders. */
export async function removeCgroup(name: string): Promise<void> {
  for (const hierarchy of await listHierarchies()) {
    const folder = path.join(hierarchy, name);
    await waitUntil(async () => await emptyCgroup(folder), {
      what: `processes are left in "${folder}"`,
      timeoutMs: 20_000,
      intervalMs: 50,
    });
  }
}

/** The names of hierarchies that still have a folder of the cloud. */
export async function listCgroups(name: string): Promise<readonly string[]> {
  const folders = (await listHierarchies()).map((hierarchy) => path.join(hierarchy, name));
  const present = await Promise.all(folders.map(isFolder));
  return folders.filter((_, index) => present[index]);
}

async function listHierarchies(): Promise<readonly string[]> {
  if (await isFile(path.join(mountPoint, 'cgroup.controllers'))) return [mountPoint];
  const folders: string[] = [];
  for (const entry of await readdir(mountPoint, { withFileTypes: true })) {
    const folder = path.join(mountPoint, entry.name);
    if (entry.isDirectory() && (await isFile(path.join(folder, 'cgroup.procs'))))
      folders.push(folder);
  }
  return folders;
}

/** Version 2: a folder's children may only use what the folder passes on. */
async function passControllersOn(folder: string): Promise<void> {
  const present = (await readFile(path.join(mountPoint, 'cgroup.controllers'), 'utf8'))
    .trim()
    .split(' ');
  const wanted = controllersOfPods.filter((controller) => present.includes(controller));
  const change = wanted.map((controller) => `+${controller}`).join(' ');
  await writeFile(path.join(mountPoint, 'cgroup.subtree_control'), change);
  await writeFile(path.join(folder, 'cgroup.subtree_control'), change);
}

/** Version 1: a new cpuset has no processors and no memory, and takes no process until it has. */
async function copyCpuset(folder: string): Promise<void> {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    const above = await readTextIfPresent(path.join(folder, '..', file));
    if (above === undefined) return;
    await writeFile(path.join(folder, file), above);
    await writeFile(path.join(folder, 'node', file), above);
  }
}

/** Kills what is in a folder and below, and removes the folders that are empty; true when all are. */
async function emptyCgroup(folder: string): Promise<boolean> {
  if (!(await isFolder(folder))) return true;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory() && !(await emptyCgroup(path.join(folder, entry.name)))) return false;
  }
  const processes = await listProcesses(folder);
  for (const process of processes) await sendSignal(process, 'SIGKILL');
  return processes.length === 0 && (await removeFolder(folder));
}

async function listProcesses(folder: string): Promise<readonly ProcessId[]> {
  const text = (await readTextIfPresent(path.join(folder, 'cgroup.procs'))) ?? '';
  const pids = text.split('\n').filter((line) => line !== '');
  const processes = await Promise.all(pids.map(async (pid) => await readStat(Number(pid))));
  return processes.filter((process) => process !== undefined);
}

async function removeFolder(folder: string): Promise<boolean> {
  try {
    await rmdir(folder);
    return true;
  } catch (error) {
    if (isMissing(error)) return true;
    if (hasErrorCode(error, 'EBUSY')) return false;
    throw error;
  }
}

async function isFolder(folder: string): Promise<boolean> {
  return (await readKind(folder)) === 'folder';
}

async function isFile(file: string): Promise<boolean> {
  return (await readKind(file)) === 'file';
}

async function readKind(file: string): Promise<'folder' | 'file' | 'missing'> {
  try {
    return (await stat(file)).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    if (isMissing(error)) return 'missing';
    throw error;
  }
}
