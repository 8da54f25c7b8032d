/**
 * Runs programs inside the node: with its mounts, network and process ids, and with an environment
 * that knows the cloud's clients. `enter` does the same for people and for tests.
 */

import path from 'node:path';

import { execa } from 'execa';

import { writeWhole } from './files.ts';
import { kubeconfigFile } from './kubeconfig.ts';
import type { Layout } from './layout.ts';
import { type CloudNode, enterOptions, systemPath } from './node.ts';

export interface Inside {
  readonly layout: Layout;
  readonly node: CloudNode;
  readonly binDir: string;
}

export interface InsideOptions {
  /** Output is appended here instead of being returned. */
  readonly logFile?: string;
  readonly input?: string;
  readonly timeoutMs?: number;
}

/** What the clients need to find the cloud. */
export function describeEnvironment(
  layout: Layout,
  binDir: string,
): Readonly<Record<string, string>> {
  return {
    PATH: `${binDir}:${systemPath}`,
    KUBECONFIG: kubeconfigFile(layout, 'admin'),
    KUBECACHEDIR: path.join(layout.run, 'kubectl-cache'),
    JUJU_DATA: layout.juju,
    LOCAL_CLOUD_INSTANCE: layout.instance,
  };
}

/** Runs a program to its end and returns its standard output; fails when it does. */
export async function runInside(
  inside: Inside,
  command: readonly string[],
  options: InsideOptions = {},
): Promise<string> {
  const output =
    options.logFile === undefined ? 'pipe' : ({ file: options.logFile, append: true } as const);
  const result = await execa('nsenter', [...enterOptions(inside.node), ...command], {
    extendEnv: false,
    env: {
      ...describeEnvironment(inside.layout, inside.binDir),
      HOME: inside.layout.run,
      LANG: 'C.UTF-8',
    },
    stdout: output,
    stderr: output,
    ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
  });
  return typeof result.stdout === 'string' ? result.stdout : '';
}

/** Leaves behind what `enter` reads: how to get in, and the environment of the clients. */
export async function writeEnterFile(inside: Inside): Promise<void> {
  const facts = {
    node_pid: `${inside.node.pid}`,
    node_start: `${inside.node.startTicks}`,
    node_network: inside.node.network,
    node_path: inside.binDir,
  };
  const { PATH: _, ...environment } = describeEnvironment(inside.layout, inside.binDir);
  const lines = [
    ...Object.entries(facts).map(([name, value]) => `${name}=${quoted(value)}`),
    ...Object.entries(environment).map(([name, value]) => `export ${name}=${quoted(value)}`),
  ];
  await writeWhole(inside.layout.enterFile, `${lines.join('\n')}\n`);
}

/** A word for the shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
