/**
 * The network of a pod, cut at its interface on the node: what comes from it and what goes to it is
 * dropped, on connections that exist as well. Only the kubelet's probes pass, which on a real node
 * come from inside: without them the container would be restarted, which is another fault. Every
 * rule carries a mark, by which it is found again.
 */

import { execa } from 'execa';

import { settings } from '../../cloud/settings.ts';

/** Where Pebble answers the kubelet: of a controller, of a charm and of its workload. */
const probePorts = '38811:38813';

export interface Diversion {
  readonly address: string;
  /** Where the probes are answered on the node: see probe-answerer.ts. */
  readonly port: number;
  readonly mark: string;
}

const tables = ['raw', 'mangle', 'nat'] as const;

/** Cuts a pod off; returns the number of rules. */
export async function cutNetwork(address: string, mark: string): Promise<number> {
  const link = await findLink(address);
  const comment = ['-m', 'comment', '--comment', mark];
  const rules = [
    ['raw', 'PREROUTING', '-i', link, ...comment, '-j', 'DROP'],
    ['mangle', 'POSTROUTING', '-o', link, ...comment, '-j', 'DROP'],
    [
      'raw',
      'PREROUTING',
      '-i',
      link,
      '-p',
      'tcp',
      '--sport',
      probePorts,
      ...comment,
      '-j',
      'ACCEPT',
    ],
    [
      'mangle',
      'POSTROUTING',
      '-o',
      link,
      '-p',
      'tcp',
      '--dport',
      probePorts,
      ...comment,
      '-j',
      'ACCEPT',
    ],
  ];
  // The last to be inserted is the first to be asked.
  for (const [table = '', chain = '', ...rule] of rules) {
    await iptables(['-t', table, '-I', chain, ...rule]);
  }
  return rules.length;
}

/** Sends the kubelet's probes of a pod to a program on the node. */
export async function divertProbes({ address, port, mark }: Diversion): Promise<number> {
  const target = `${settings.node.address}:${port}`;
  const match = [
    '-d',
    address,
    '-p',
    'tcp',
    '--dport',
    probePorts,
    '-m',
    'comment',
    '--comment',
    mark,
  ];
  await iptables(['-t', 'nat', '-I', 'OUTPUT', ...match, '-j', 'DNAT', '--to-destination', target]);
  return 1;
}

/** Removes every rule with a mark; returns how many there were. */
export async function mendNetwork(mark: string): Promise<number> {
  let count = 0;
  for (const table of tables) {
    for (const rule of await listRules(table, mark)) {
      await iptables(['-t', table, ...rule]);
      count += 1;
    }
  }
  return count;
}

/** The words that delete each rule of a table that has the mark. */
async function listRules(table: string, mark: string): Promise<readonly (readonly string[])[]> {
  const { stdout } = await iptables(['-t', table, '-S']);
  return stdout
    .split('\n')
    .map((line) => line.replaceAll('"', '').split(' '))
    .filter(([verb, ...words]) => verb === '-A' && words.includes(mark))
    .map(([, ...words]) => ['-D', ...words]);
}

async function findLink(address: string): Promise<string> {
  const { stdout } = await execa('ip', ['route', 'show', address]);
  const [, link] = / dev (\S+)/.exec(stdout) ?? [];
  if (link === undefined) throw new Error(`cannot find the interface of ${address}`);
  return link;
}

/** Waits for the lock that kube-proxy may hold. */
async function iptables(args: readonly string[]): Promise<{ readonly stdout: string }> {
  return await execa('iptables', ['-w', '10', ...args]);
}
