/**
 * An instance of the local cloud for tests that take it up and down: its commands, and what of it can
 * be found on the machine. The cloud that other tests share is not touched.
 */

import { readdir, readFile, readlink } from 'node:fs/promises';
import path from 'node:path';

import { execa } from 'execa';

import { getEnvironment } from '../../cloud/build/machine.ts';
import { listCgroups } from '../../cloud/cgroups.ts';
import { getLayout, type Layout } from '../../cloud/layout.ts';
import { parseMountPoints } from '../../cloud/mounts.ts';

export interface Ended {
  readonly exitCode: number | undefined;
  readonly output: string;
}

export interface CloudInstance {
  readonly layout: Layout;
  /** Runs one of the cloud's commands to its end; `killAfterMs` kills it before. */
  command(
    words: readonly string[],
    options?: { readonly killAfterMs?: number; readonly interruptAfterMs?: number },
  ): Promise<Ended>;
  /** Everything of the instance that is on the machine, one line each. */
  listRemains(): Promise<readonly string[]>;
}

const cloudFolder = path.join(import.meta.dirname, '..', '..', 'cloud');

export function openCloudInstance(name: string): CloudInstance {
  const env = { LOCAL_CLOUD_INSTANCE: name };
  const layout = getLayout({ ...getEnvironment(), ...env });
  return {
    layout,
    async command([program = '', ...args], { killAfterMs, interruptAfterMs } = {}) {
      const ended = await execa(path.join(cloudFolder, program), args, {
        env,
        reject: false,
        all: true,
        stdin: 'ignore',
        killSignal: killAfterMs === undefined ? 'SIGINT' : 'SIGKILL',
        timeout: killAfterMs ?? interruptAfterMs ?? 0,
      });
      return { exitCode: ended.exitCode, output: ended.all };
    },
    listRemains: async () => [
      ...(await listProcesses(layout.run)),
      ...(await listMounts(layout.run)),
      ...(await listCgroups(layout.cgroup)).map((folder) => `cgroup ${folder}`),
    ],
  };
}

/** What the machine shows of networks: a cloud must not change it, up or down. */
export async function describeMachineNetwork(): Promise<string> {
  const links = await readdir('/sys/class/net');
  const rules = await execa('iptables-save', ['--table', 'nat'], { reject: false });
  const routes = await readFile('/proc/net/route', 'utf8');
  const chains = rules.stdout.split('\n').filter((line) => line.includes('KUBE'));
  return [...links.toSorted(), ...chains, routes].join('\n');
}

/** Processes that have the instance's folder in their arguments, and namespaces that it is mounted in. */
async function listProcesses(folder: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const [command, mounts] = await Promise.all([
      readOrNothing(`/proc/${pid}/cmdline`),
      readOrNothing(`/proc/${pid}/mountinfo`),
    ]);
    if (command.includes(folder)) found.push(`process ${pid} ${command.replaceAll('\0', ' ')}`);
    if (mounts.includes(folder)) found.push(`mount namespace of process ${pid}`);
  }
  return found;
}

async function listMounts(folder: string): Promise<readonly string[]> {
  const points = parseMountPoints(await readFile('/proc/self/mountinfo', 'utf8'));
  return points.filter((point) => point.startsWith(folder)).map((point) => `mount ${point}`);
}

/** A process may end, or be out of reach, while it is looked at. */
async function readOrNothing(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    return '';
  }
}

/** The network namespace of a process. */
export async function readNetwork(pid: number): Promise<string> {
  return await readlink(`/proc/${pid}/ns/net`);
}
