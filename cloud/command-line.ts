/** What the cloud's commands have in common: `--help`, options, needing root, and how they fail. */

import { parseArgs } from 'node:util';

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

/** Reads the arguments; anything unknown is an error that names it. */
export function parseCommandLine(line: CommandLine, args: readonly string[]): ParsedCommandLine | 'help' {
  const { min, max } = line.positionals ?? { min: 0, max: 0 };
  const options = Object.fromEntries((line.options ?? []).map((name) => [name, { type: 'string' as const }]));
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { ...options, help: { type: 'boolean', short: 'h' } },
    allowPositionals: max > 0,
  });
  const { help, ...rest } = values;
  if (help === true) return 'help';
  if (positionals.length < min || positionals.length > max) {
    throw new Error(`cannot read the command line\n${line.usage}`);
  }
  return { values: rest as Record<string, string | undefined>, positionals };
}
