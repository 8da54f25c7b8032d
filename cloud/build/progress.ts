/**
 * Shows what is being done: one line for each finished step with its time, a line about what is
 * still running (rewritten in place on a terminal, once a minute elsewhere), and for a failed step
 * where its log is and how the log ends. Steps may overlap; this file does not order them.
 */

import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';

import { isMissing } from './file-presence.ts';
import { readClockMs } from './machine.ts';
import { CommandError } from './process.ts';

export interface Progress {
  /** Runs `work` as a named step. `logFile` starts empty; what the work runs should append to it. */
  step<T>(name: string, logFile: string, work: () => Promise<T>): Promise<T>;
  /** Prints one line between the steps. */
  note(text: string): void;
}

/** A failed step, with the end of its log in the message. */
export class StepError extends Error {
  readonly code = 'step-failed';
  readonly step: string;
  readonly logFile: string;

  constructor(step: string, logFile: string, report: { tail: string; cause: unknown }) {
    const reason = report.cause instanceof Error ? report.cause.message : String(report.cause);
    const tail = report.tail === '' ? '' : `\n${report.tail.replaceAll(/^/gm, '  | ')}`;
    super(`cannot finish step "${step}": ${reason}\n  log: ${logFile}${tail}`, {
      cause: report.cause,
    });
    this.name = 'StepError';
    this.step = step;
    this.logFile = logFile;
  }
}

/** Where progress goes: a terminal can have its last line rewritten. */
export interface Screen {
  readonly isTerminal: boolean;
  write(text: string): void;
}

interface RunningStep {
  readonly name: string;
  readonly startedMs: number;
}

const tailLines = 20;
const refreshMs = { terminal: 1000, file: 60_000 };

/** Progress on a screen; on this process's standard output when none is given. */
export function createProgress(screen: Screen = standardOutput()): Progress {
  const running = new Set<RunningStep>();
  const eraseLine = screen.isTerminal ? '\r\u001b[K' : '';
  let timer: NodeJS.Timeout | undefined;

  function printLine(text: string): void {
    screen.write(`${eraseLine}${text}\n`);
  }

  function showRunning(): void {
    if (running.size === 0) return;
    const names = [...running].map((step) => `${step.name} ${elapsedSeconds(step.startedMs)} s`);
    if (screen.isTerminal) screen.write(`${eraseLine}   … ${names.join(', ')}`.slice(0, 160));
    else printLine(`   … ${names.join(', ')}`);
  }

  function keepShowing(): void {
    if (running.size > 0) {
      timer ??= setInterval(showRunning, screen.isTerminal ? refreshMs.terminal : refreshMs.file);
    } else {
      clearInterval(timer);
      timer = undefined;
    }
  }

  return {
    note: printLine,
    async step(name, logFile, work) {
      const step = { name, startedMs: readClockMs() };
      await mkdir(path.dirname(logFile), { recursive: true });
      await rm(logFile, { force: true });
      running.add(step);
      keepShowing();
      try {
        const result = await work();
        printLine(`ok ${elapsedSeconds(step.startedMs).padStart(6)} s  ${name}`);
        return result;
      } catch (cause) {
        printLine(`${describeFailure(cause)} ${elapsedSeconds(step.startedMs)} s  ${name}`);
        if (cause instanceof StepError) throw cause;
        throw new StepError(name, logFile, { tail: await readTail(logFile), cause });
      } finally {
        running.delete(step);
        keepShowing();
      }
    },
  };
}

function describeFailure(cause: unknown): string {
  const isStopped = cause instanceof CommandError && cause.code === 'command-stopped';
  return isStopped ? 'stopped' : 'failed';
}

function elapsedSeconds(sinceMs: number): string {
  return ((readClockMs() - sinceMs) / 1000).toFixed(1);
}

async function readTail(file: string): Promise<string> {
  try {
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
    return lines.slice(-tailLines).join('\n');
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}

function standardOutput(): Screen {
  return {
    isTerminal: process.stdout.isTTY === true,
    write: (text) => {
      process.stdout.write(text);
    },
  };
}
