/**
 * The local cloud for tests and demos: runs clients inside it and says where its S3 server is. Works
 * the same from inside and from outside of the cloud, and from every checkout.
 */

import path from 'node:path';

import { execa } from 'execa';

import { getLayout } from './layout.ts';
import { loadS3Info, type S3Info } from './object-storage.ts';

export type { S3Info } from './object-storage.ts';

export interface RunOptions {
  /** Standard input; none when absent. */
  readonly input?: string;
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** Return a failed run instead of throwing. */
  readonly allowFailure?: boolean;
}

export interface RunResult {
  readonly exitCode: number;
  /** Without the last line end. */
  readonly stdout: string;
  readonly stderr: string;
}

export class CloudCommandError extends Error {
  readonly code = 'cloud-command-failed';
  readonly result: RunResult;

  constructor(what: string, result: RunResult) {
    super(`cannot run "${what}" in the cloud: exit code ${result.exitCode}\n${result.stderr}`);
    this.name = 'CloudCommandError';
    this.result = result;
  }
}

/** What a shell and `timeout` say about a command that has no exit code of its own. */
const exitCodes = { timedOut: 124, killed: 128 } as const;

const enter = path.join(import.meta.dirname, 'enter');

/** Runs any command with the cloud's network, names and clients. */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const ended = await execa(enter, [command, ...args], {
    reject: false,
    input: options.input ?? '',
    cwd: options.cwd ?? process.cwd(),
    env: options.env ?? {},
    timeout: options.timeoutMs ?? 0,
  });
  const result = {
    exitCode: ended.exitCode ?? exitCodes[ended.timedOut ? 'timedOut' : 'killed'],
    stdout: ended.stdout,
    stderr: ended.stderr,
  };
  if (result.exitCode !== 0 && options.allowFailure !== true) {
    throw new CloudCommandError([command, ...args.slice(0, 2)].join(' '), result);
  }
  return result;
}

/** Runs the Juju client. */
export async function juju(args: readonly string[], options?: RunOptions): Promise<RunResult> {
  return await run('juju', args, options);
}

/** Runs the Kubernetes client as administrator. */
export async function kubectl(args: readonly string[], options?: RunOptions): Promise<RunResult> {
  return await run('kubectl', args, options);
}

/** Where the S3 server is, its root keys and the authority of its certificate. */
export async function s3Info(): Promise<S3Info> {
  return await loadS3Info(getLayout());
}
