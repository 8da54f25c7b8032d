/**
 * Processes of a pod, found through its cgroup and by nothing else, so that no other pod's and none
 * of the machine's can be meant. A signal from the node reaches the first process of a container,
 * too, which is safe from everybody inside.
 */

import { readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { hasErrorCode, isMissing } from '../../cloud/files.ts';
import { getLayout } from '../../cloud/layout.ts';
import type { ContainerId, Program } from './agent-requests.ts';

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly executable: string;
  readonly command: readonly string[];
}

const mountPoint = '/sys/fs/cgroup';
const interpreter = /\/python3(\.\d+)?$/;
/** As the charm names its folder. */
const watcherFolder = /\/watcher-[0-9a-f]+$/;

/** Sends a signal to one program of a container; returns to how many processes. */
export async function signalProgram(
  container: ContainerId,
  program: Program,
  signal: 'SIGKILL' | 'SIGSTOP',
): Promise<number> {
  const pod = await findPodFolder(container.podUid);
  if (pod === undefined) throw new Error(`cannot find the cgroup of pod ${container.podUid}`);
  const folder = path.join(pod, container.containerId);
  const processes = await readProcesses(await listPids(folder));
  const chosen = chooseProcesses(processes, program);
  if (chosen.length === 0) throw new Error(`cannot signal ${program}: it does not run`);
  return chosen.filter(({ pid }) => send(pid, signal)).length;
}

/** Parents first: a postmaster that sees its children die would start to recover. */
function chooseProcesses(processes: readonly Process[], program: Program): readonly Process[] {
  const ids = new Set(processes.map(({ pid }) => pid));
  switch (program) {
    case 'pebble':
      return processes.filter((one) => !ids.has(one.parent) && one.executable.endsWith('/pebble'));
    case 'patroni':
      return processes.filter(
        ({ executable, command }) =>
          interpreter.test(executable) && command[1]?.endsWith('/patroni') === true,
      );
    case 'watcher':
      return processes.filter(
        ({ executable, command }) =>
          interpreter.test(executable) && command.some((word) => watcherFolder.test(word)),
      );
    case 'postgresql': {
      const servers = processes.filter(({ executable }) => executable.endsWith('/bin/postgres'));
      const own = new Set(servers.map(({ pid }) => pid));
      return servers.toSorted(
        (one, other) => Number(own.has(one.parent)) - Number(own.has(other.parent)),
      );
    }
  }
}

/** Wakes whatever was stopped in a pod; fine to call when there is no such pod any more. */
export async function continueAll(podUid: string): Promise<number> {
  const pod = await findPodFolder(podUid);
  if (pod === undefined) return 0;
  let count = 0;
  for (const folder of await listFolders(pod)) {
    for (const pid of await listPids(folder)) if (send(pid, 'SIGCONT')) count += 1;
  }
  return count;
}

/** Stops all processes of a pod, or of one container, at once in the kernel: none can notice. */
export async function freezePod(podUid: string, containerId = ''): Promise<number> {
  const pod = await findPodFolder(podUid);
  if (pod === undefined) throw new Error(`cannot find the cgroup of pod ${podUid}`);
  const { file, frozen } = await getFreezer();
  await writeFile(path.join(pod, containerId, file), frozen);
  return 1;
}

/** Lets a pod and all its containers go on; fine to call when it is gone or runs. */
export async function thawPod(podUid: string): Promise<number> {
  const pod = await findPodFolder(podUid);
  if (pod === undefined) return 0;
  const { file, thawed } = await getFreezer();
  const folders = [...(await listFolders(pod)), pod];
  for (const folder of folders) await writeFile(path.join(folder, file), thawed);
  return folders.length;
}

async function getFreezer() {
  return (await isUnified())
    ? { root: mountPoint, file: 'cgroup.freeze', frozen: '1', thawed: '0' }
    : {
        root: path.join(mountPoint, 'freezer'),
        file: 'freezer.state',
        frozen: 'FROZEN',
        thawed: 'THAWED',
      };
}

async function isUnified(): Promise<boolean> {
  return (await readdir(mountPoint)).includes('cgroup.controllers');
}

/** The kubelet sorts pods by their quality of service; those that ask for all they use are on top. */
async function findPodFolder(podUid: string): Promise<string | undefined> {
  const { root } = await getFreezer();
  const pods = path.join(root, getLayout().cgroup, 'kubepods');
  for (const parent of [pods, path.join(pods, 'burstable'), path.join(pods, 'besteffort')]) {
    const folder = path.join(parent, `pod${podUid}`);
    if ((await listFolders(parent)).includes(folder)) return folder;
  }
  return undefined;
}

async function listFolders(folder: string): Promise<readonly string[]> {
  const entries = await ifPresent(readdir(folder, { withFileTypes: true }), []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => path.join(folder, name));
}

async function listPids(folder: string): Promise<readonly number[]> {
  const text = await ifPresent(readFile(path.join(folder, 'cgroup.procs'), 'utf8'), '');
  return text
    .split('\n')
    .map(Number)
    .filter((pid) => pid > 0);
}

async function readProcesses(pids: readonly number[]): Promise<readonly Process[]> {
  const processes = await Promise.all(
    pids.map(async (pid) => await ifPresent(readProcess(pid), undefined)),
  );
  return processes.filter((one) => one !== undefined);
}

async function readProcess(pid: number): Promise<Process> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const [, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    pid,
    parent: Number(parent),
    executable: await readlink(`/proc/${pid}/exe`),
    command: (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0'),
  };
}

/** What is there, or `absent` when the file or the process has gone meanwhile. */
async function ifPresent<T>(reading: Promise<T>, absent: T): Promise<T> {
  try {
    return await reading;
  } catch (error) {
    if (isMissing(error) || hasErrorCode(error, 'ESRCH')) return absent;
    throw error;
  }
}

function send(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if (hasErrorCode(error, 'ESRCH')) return false;
    throw error;
  }
}
