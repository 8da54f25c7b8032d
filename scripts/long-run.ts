/**
 * The frame of a program that works on a model of the cloud for a long time: progress goes to
 * standard error, so that standard output holds the results alone; what the run has left is cleared
 * away at its end, however it ends, Ctrl-C included; an error becomes one line and the usage.
 */

import { createJuju, type Juju } from './demo/juju.ts';

export interface LongRun {
  /** The cloud's client. Once the run is interrupted nothing gets a model to work with any more. */
  readonly juju: Juju;
  /** The same client for clearing away, which an interruption doesn't stop. */
  readonly lastJuju: Juju;
  /** A line of progress; what was just said is not said again. */
  readonly say: (text: string) => void;
  /** What has to be done at the end, the latest first. */
  readonly atEnd: (clear: () => Promise<void>) => void;
}

export interface LongProgram {
  readonly name: string;
  readonly usage: string;
  /** The program itself, with its command line. */
  readonly main: (args: readonly string[], run: LongRun) => Promise<void>;
}

/** Runs a program to its end; exit code 1 after an error, 130 after an interruption. */
export async function runLong({ name, usage, main }: LongProgram): Promise<void> {
  const juju = createJuju('local');
  const say = createVoice();
  const ends: (() => Promise<void>)[] = [];
  let interrupted = false;

  const clearAway = async (): Promise<void> => {
    for (const clear of ends.splice(0).toReversed()) {
      await clear().catch((error: unknown) => {
        say(`not cleared away: ${describeError(error)}`);
        process.exitCode = 1;
      });
    }
  };
  const interrupt = (): void => {
    // make passes the terminal's signal on, so it comes twice.
    if (interrupted) return;
    interrupted = true;
    say('interrupted: clearing away');
    void clearAway().finally(() => {
      process.exit(130);
    });
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt);

  const run: LongRun = {
    juju: async (args, options) => {
      if (interrupted) throw new Error('cannot go on: the run has been interrupted');
      return await juju(args, options);
    },
    lastJuju: juju,
    say,
    atEnd: (clear) => {
      ends.push(clear);
    },
  };
  try {
    await main(process.argv.slice(2), run);
  } catch (error) {
    if (interrupted) return;
    process.stderr.write(`${name}: ${describeError(error)}\n${usage}`);
    process.exitCode = 1;
  } finally {
    if (!interrupted) await clearAway();
  }
}

function createVoice(): LongRun['say'] {
  let last = '';
  return (text) => {
    if (text === last) return;
    last = text;
    process.stderr.write(`${new Date().toISOString().slice(11, 19)}  ${text}\n`);
  };
}

function describeError(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
