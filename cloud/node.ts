/**
 * The machine of the local cloud: mount, PID, network, UTS and IPC namespaces of its own. The node
 * lives as long as its first process; when that one is killed the kernel ends everything in it and
 * takes the mounts, interfaces and firewall rules along. There is no way out of its network.
 */

import { readFile, readlink } from 'node:fs/promises';

import { execa } from 'execa';

import { enterCgroup, removeCgroup } from './cgroups.ts';
import type { Layout } from './layout.ts';
import { isRunning, type ProcessId, readStat, sendSignal } from './process-id.ts';
import { settings } from './settings.ts';
import { waitUntil } from './wait.ts';

export interface CloudNode extends ProcessId {
  /** A name of the node's network that no other network has while it exists. */
  readonly network: string;
}

/**
 * Waits for a word on its standard input, so that it ends by itself when its starter is killed
 * before the node is on record. Then it does what a first process must: it reaps.
 */
const firstProcess = 'read -r _ || exit 1; while :; do sleep 86400 & wait; done';

/** Where the machine's own programs are. */
export const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Folders that programs write to by habit: writes stay in memory and never reach the machine. */
const shieldedFolders = ['/etc', '/var/lib', '/var/log'];

const prepare = `set -eu
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/netns /run/lock
mkdir /run/cgroup
mount --rbind /sys/fs/cgroup /run/cgroup
mount -t sysfs sysfs /sys
mount --rbind /run/cgroup /sys/fs/cgroup
umount --recursive --lazy /run/cgroup
for folder in ${shieldedFolders.join(' ')}; do
  upper=/run/shield$folder
  mkdir -p "$upper/upper" "$upper/work"
  mount -t overlay -o "lowerdir=$folder,upperdir=$upper/upper,workdir=$upper/work" overlay "$folder"
done
rm -f /etc/resolv.conf
echo 'nameserver ${settings.node.address}' > /etc/resolv.conf
echo '${settings.node.address} ${settings.node.name}' >> /etc/hosts
hostname ${settings.node.name}
ip link set lo up
ip address add ${settings.node.address}/32 dev lo
ip address add ${settings.s3.address}/32 dev lo
ip route add ${settings.node.range} dev lo src ${settings.node.address}
ip route add ${settings.services.range} dev lo src ${settings.node.address}
echo 1 > /proc/sys/net/ipv4/ip_forward
`;

/** Starts the node's first process. `record` must have returned before anything else can start. */
export async function startNode(
  layout: Layout,
  record: (node: CloudNode) => Promise<void>,
): Promise<CloudNode> {
  const namespaces = ['--mount', '--net', '--pid', '--uts', '--ipc'];
  const options = ['--fork', '--mount-proc', '--kill-child'];
  const parent = execa('unshare', [...namespaces, ...options, 'sh', '-c', firstProcess], {
    detached: true,
    cleanup: false,
    cwd: '/',
    extendEnv: false,
    env: { PATH: systemPath },
    reject: false,
    buffer: false,
    stdin: 'pipe',
    stdout: 'ignore',
    stderr: 'ignore',
  });
  if (parent.pid === undefined) throw new Error('cannot start the node: unshare did not start');
  const first = await findChild(parent.pid);
  await enterCgroup(layout.cgroup, first);
  const node = { ...first, network: await readlink(`/proc/${first.pid}/ns/net`) };
  await record(node);
  parent.stdin.end('go\n');
  parent.nodeChildProcess.unref();
  return node;
}

/** Mounts and network of a node that has just been started. */
export async function prepareNode(node: ProcessId, logFile: string): Promise<void> {
  const output = { file: logFile, append: true } as const;
  await execa('nsenter', [...enterOptions(node), 'sh', '-c', prepare], {
    stdin: 'ignore',
    stdout: output,
    stderr: output,
  });
}

/** Ends the node with everything in it. Fine to call when it is gone, or was never recorded. */
export async function stopNode(layout: Layout, node: ProcessId | undefined): Promise<void> {
  if (node !== undefined) {
    await sendSignal(node, 'SIGKILL');
    await waitUntil(async () => !(await isRunning(node)), {
      what: 'the first process of the cloud still runs',
      timeoutMs: 20_000,
      intervalMs: 20,
    });
  }
  await removeCgroup(layout.cgroup);
}

/** Arguments of `nsenter` that lead into the node. */
export function enterOptions(node: ProcessId): readonly string[] {
  return ['--target', `${node.pid}`, '--mount', '--net', '--pid', '--uts', '--ipc', '--'];
}

/** True for a process that runs in the node already. */
export async function isInside(node: CloudNode): Promise<boolean> {
  return (await readlink('/proc/self/ns/net')) === node.network;
}

/** The node as this process sees it, while it runs: inside, its first process is number one. */
export async function findNode(node: CloudNode | undefined): Promise<CloudNode | undefined> {
  if (node === undefined) return undefined;
  if (await isInside(node)) return { ...node, pid: 1 };
  return (await isRunning(node)) ? node : undefined;
}

async function findChild(parent: number): Promise<ProcessId> {
  let child: ProcessId | undefined;
  await waitUntil(
    async () => {
      const children = await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8');
      const pid = Number.parseInt(children, 10);
      if (Number.isInteger(pid)) child = await readStat(pid);
      return child !== undefined;
    },
    { what: 'the first process of the cloud has not appeared', timeoutMs: 10_000, intervalMs: 5 },
  );
  if (child === undefined) throw new Error('cannot start the node: no first process');
  return { pid: child.pid, startTicks: child.startTicks };
}
