/** What the cloud's commands have in common: `--help`, options, needing root, and how they fail. */

import { type ParseArgsConfig, parseArgs } from 'node:util';

import type { LockHolder } from './lock.ts';

export interface CommandLine {
  readonly usage: string;
  /** Names of options that take a value. */
  readonly options?: readonly string[];
  readonly positionals?: { readonly min: number; readonly max: number };
}

export interface ParsedCommandLine {
  readonly values: Readonly<Record<string, string | undefined>>;
  readonly positionals: readonly string[];
}

/** Runs a command: prints its usage, its error or whatever it prints itself, and sets the exit code. */
export async function runCommand(
  line: CommandLine,
  work: (given: ParsedCommandLine) => Promise<void>,
): Promise<void> {
  process.once('SIGINT', () => {
    process.stderr.write('\ninterrupted: cloud/up goes on from here, cloud/down clears up\n');
    process.exit(130);
  });
  try {
    const given = parseCommandLine(line, process.argv.slice(2));
    if (given === 'help') {
      process.stdout.write(line.usage);
      return;
    }
    if (process.getuid?.() !== 0) throw new Error('cannot touch the local cloud: it needs root');
    await work(given);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}

/** What to tell somebody who waits for the lock. */
export function describeWait(holder: LockHolder | undefined): string {
  const who = holder === undefined ? 'another process' : `process ${holder.pid} (${holder.doing})`;
  return `waiting: ${who} changes the cloud`;
}

/** Reads the arguments; anything unknown is an error that names it. */
export function parseCommandLine(
  line: CommandLine,
  args: readonly string[],
): ParsedCommandLine | 'help' {
  const { min, max } = line.positionals ?? { min: 0, max: 0 };
  const options: NonNullable<ParseArgsConfig['options']> = {
    help: { type: 'boolean', short: 'h' },
  };
  for (const name of line.options ?? []) options[name] = { type: 'string' };
  const { values, positionals } = parseArgs({
    args: [...args],
    options,
    allowPositionals: max > 0,
  });
  if (values['help'] === true) return 'help';
  if (positionals.length < min || positionals.length > max) {
    throw new Error(`cannot read the command line\n${line.usage}`);
  }
  const given: Record<string, string> = {};
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === 'string') given[name] = value;
  }
  return { values: given, positionals };
}
