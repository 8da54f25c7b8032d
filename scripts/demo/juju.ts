/**
 * The juju client, as a person would use it: the local cloud's or the one that is installed.
 */

import { execa } from 'execa';

import { juju as runInCloud } from '../../cloud/client.ts';
import type { Options } from './options.ts';

export interface RunOptions {
  readonly input?: string;
  readonly timeoutMs?: number;
  /** Return a failed run instead of throwing. */
  readonly allowFailure?: boolean;
}

export interface RunResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export type Juju = (args: readonly string[], options?: RunOptions) => Promise<RunResult>;

export class JujuError extends Error {
  readonly code = 'juju-failed';
  readonly result: RunResult;

  constructor(args: readonly string[], result: RunResult) {
    const reason = result.stderr.trim() === '' ? result.stdout : result.stderr;
    super(`juju ${args[0] ?? ''}: ${lastLines(reason, 3)}`);
    this.name = 'JujuError';
    this.result = result;
  }
}

/** No command of the client takes longer, unless its caller knows better. */
const defaultTimeoutMs = 120_000;

export function createJuju(where: Options['where']['kind']): Juju {
  const start = where === 'local' ? startInCloud : startInstalled;
  return async (args, options = {}) => {
    const { timeoutMs = defaultTimeoutMs } = options;
    const ended = await start(args, { ...options, timeoutMs });
    const late = ended.exitCode === 124 ? `no answer within ${Math.round(timeoutMs / 1000)} s` : '';
    const result = late === '' ? ended : { ...ended, stderr: `${ended.stderr}\n${late}` };
    if (result.exitCode !== 0 && options.allowFailure !== true) throw new JujuError(args, result);
    return result;
  };
}

async function startInCloud(args: readonly string[], options: RunOptions): Promise<RunResult> {
  return await runInCloud(args, { ...options, allowFailure: true });
}

async function startInstalled(args: readonly string[], options: RunOptions): Promise<RunResult> {
  const ended = await execa('juju', args, {
    reject: false,
    ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
  });
  const stderr = ended.code === 'ENOENT' ? 'there is no juju client on this machine' : ended.stderr;
  return { exitCode: ended.exitCode ?? 124, stdout: ended.stdout ?? '', stderr: stderr ?? '' };
}

function lastLines(text: string, count: number): string {
  return text.trim().split('\n').slice(-count).join(' ');
}
