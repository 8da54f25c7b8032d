/**
 * Runs other programs for the build: arguments as an array, no shell, output into a log file or
 * captured. A failed command throws a CommandError; nothing here decides what that means.
 */

import { appendFile, mkdir } from 'node:fs/promises';
import path from 'node:path';

import { execa } from 'execa';

import { type Environment, getEnvironment } from './machine.ts';

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  /** The whole environment of the program; that of this process when absent. */
  readonly env?: Environment;
  readonly signal?: AbortSignal;
  /** A program and its arguments that start the command; errors do not mention them. */
  readonly wrapper?: readonly string[];
}

export interface LoggedCommand extends Command {
  /** Standard output and error are appended to this file. */
  readonly logFile: string;
}

export class CommandError extends Error {
  readonly code: 'command-failed' | 'command-stopped';
  readonly file: string;
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;

  constructor(command: Command, failure: CommandFailure) {
    const how = failure.isCanceled
      ? 'stopped because another step failed'
      : (failure.originalMessage ?? `exit code ${failure.exitCode ?? failure.signal ?? 'unknown'}`);
    super(`cannot run "${command.file} ${command.args.slice(0, 2).join(' ')}": ${how}`);
    this.name = 'CommandError';
    this.code = failure.isCanceled ? 'command-stopped' : 'command-failed';
    this.file = command.file;
    this.exitCode = failure.exitCode;
    this.stdout = textOf(failure.stdout);
    this.stderr = textOf(failure.stderr);
  }
}

interface CommandFailure {
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  readonly originalMessage?: string | undefined;
  readonly stdout?: unknown;
  readonly stderr?: unknown;
  readonly isCanceled: boolean;
}

function textOf(output: unknown): string {
  return typeof output === 'string' ? output : '';
}

/** Runs a program to its end with its output in a log file. */
export async function runLogged(command: LoggedCommand): Promise<void> {
  await mkdir(path.dirname(command.logFile), { recursive: true });
  await appendFile(command.logFile, `$ ${command.file} ${command.args.join(' ')}\n`);
  const output = { file: command.logFile, append: true } as const;
  const [file, args] = renderArguments(command);
  const result = await execa(file, args, {
    ...options(command),
    buffer: false,
    stdout: output,
    stderr: output,
  });
  if (result.failed) throw new CommandError(command, result);
}

/**
 * The same, for a program that mounts things or starts many processes: none of them outlives this
 * process or is seen outside, however this process ends.
 */
export async function runIsolated(command: LoggedCommand): Promise<void> {
  const isolation = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const wrapper = ['setpriv', '--pdeathsig', 'KILL', 'unshare', ...isolation];
  await runLogged({ ...command, wrapper });
}

/** Runs a program to its end and returns its standard output without the last line end. */
export async function captureOutput(command: Command): Promise<string> {
  const [file, args] = renderArguments(command);
  const result = await execa(file, args, options(command));
  if (result.failed) throw new CommandError(command, result);
  return result.stdout;
}

function renderArguments({ wrapper, file, args }: Command): readonly [string, readonly string[]] {
  const [wrapperFile, ...wrapperArgs] = wrapper ?? [];
  return wrapperFile === undefined ? [file, args] : [wrapperFile, [...wrapperArgs, file, ...args]];
}

function options(command: Command) {
  return {
    reject: false,
    stdin: 'ignore',
    extendEnv: false,
    env: { ...(command.env ?? getEnvironment()) },
    ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
    ...(command.signal === undefined ? {} : { cancelSignal: command.signal }),
  } as const;
}
