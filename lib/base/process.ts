// The one way to start a process: arguments as an array, no shell, a deadline over the whole run,
// captured output. Execa does the work; it is imported at the start, so that what is not used of it
// stays out of the bundle, and every hook runs tools anyway. It waits for the process without serving
// anything else: what charms run are hook tools, which take some milliseconds each, and streams would
// cost as much again (docs/decisions/0002-runtime-dependencies.md). Leaves the meaning of an exit code
// to the caller.

import { execaSync } from 'execa';

import { CodedError } from './error.ts';

export interface ProcessCall {
  /** A name on PATH or an absolute path. */
  readonly command: string;
  readonly args: readonly string[];
  /** Written to standard input, which is closed afterwards; without it the input is empty. */
  readonly stdin?: string;
  /** Added to the own environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** SIGKILL after this time. */
  readonly timeoutMs: number;
}

export interface ProcessResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one process to its end; any exit code is a result. Rejects with `ProcessError`. */
export type ProcessPort = (call: ProcessCall) => Promise<ProcessResult>;

/** Why there is no exit code. */
export type ProcessErrorCode =
  | 'missing'
  | 'not-permitted'
  | 'too-large'
  | 'timeout'
  | 'killed'
  | 'broken';

/**
 * The process did not run to its end: `missing` (no such command), `not-permitted`, `too-large`
 * (an argument is longer than the kernel takes), `timeout`, `killed` (by a signal), `broken`
 * (anything else). Arguments and output are left out, and so is Execa's error as a cause, which
 * repeats both: they may hold more than a log may show.
 */
export class ProcessError extends CodedError {
  override readonly code: ProcessErrorCode;
  /** The message without the command. */
  readonly reason: string;

  constructor(command: string, code: ProcessErrorCode, reason: string) {
    super(`cannot run "${command}": ${reason}`, { code, fields: { command } });
    this.code = code;
    this.reason = reason;
  }
}

const startFailures: ReadonlyMap<string, ProcessErrorCode> = new Map([
  ['ENOENT', 'missing'],
  ['ENOTDIR', 'missing'],
  ['EACCES', 'not-permitted'],
  ['EPERM', 'not-permitted'],
  ['E2BIG', 'too-large'],
]);

const reasons: Readonly<Record<Exclude<ProcessErrorCode, 'timeout' | 'killed'>, string>> = {
  missing: 'no such command',
  'not-permitted': 'not permitted',
  'too-large': 'its arguments are too long',
  broken: 'it could not be started',
};

/** Starts real processes. */
export const runProcess: ProcessPort = async (call) => await Promise.resolve(runToEnd(call));

function runToEnd(call: ProcessCall): ProcessResult {
  const result = execaSync(call.command, call.args, {
    reject: false,
    stripFinalNewline: false,
    timeout: call.timeoutMs,
    // Nothing else could end one that does not heed SIGTERM.
    killSignal: 'SIGKILL',
    ...(call.stdin === undefined ? { stdin: 'ignore' } : { input: call.stdin }),
    ...(call.env === undefined ? {} : { env: call.env }),
    ...(call.cwd === undefined ? {} : { cwd: call.cwd }),
  });
  if (result.exitCode !== undefined) {
    return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr };
  }
  if (result.timedOut) {
    throw new ProcessError(call.command, 'timeout', `no end within ${call.timeoutMs} ms`);
  }
  if (result.signal !== undefined) {
    throw new ProcessError(call.command, 'killed', `ended by ${result.signal}`);
  }
  throw toStartError(call.command, result.code);
}

function toStartError(command: string, systemCode: string | undefined): ProcessError {
  const code = startFailures.get(systemCode ?? '') ?? 'broken';
  if (code === 'timeout' || code === 'killed') return new ProcessError(command, 'broken', code);
  return new ProcessError(command, code, `${reasons[code]} (${systemCode ?? 'unknown'})`);
}
