/**
 * Shows a run while it goes on: one line for each finished phase with its time, and below it what
 * is being waited for (rewritten in place on a terminal; elsewhere printed when it changes). Keeps
 * the times for the report.
 */

import { performance } from 'node:perf_hooks';

import type { Phase } from './report.ts';
import { clock } from './timeline.ts';

export interface Progress {
  /** Runs `work` as a named phase; work that shows its own progress keeps the screen to itself. */
  phase<T>(name: string, work: () => Promise<T>, shows?: 'its own progress'): Promise<T>;
  /** Says what is being waited for right now. */
  readonly waiting: (text: string) => void;
  /** Prints lines that stay. */
  readonly note: (text: string) => void;
  /** Every phase that has finished, in order. */
  readonly phases: readonly Phase[];
}

/** Where progress goes: a terminal can have its last line rewritten. */
export interface Screen {
  readonly isTerminal: boolean;
  readonly columns: number;
  write(text: string): void;
}

export interface ProgressOptions {
  readonly screen: Screen;
  readonly nowMs: () => number;
}

const refreshMs = 1000;
const eraseLine = '\r\u001B[K';

export function createProgress(options: ProgressOptions = standardOutput()): Progress {
  const { screen, nowMs } = options;
  const phases: Phase[] = [];
  const startedMs = nowMs();
  let current: { readonly name: string; readonly sinceMs: number; waiting: string } | undefined;

  const printLine = (text: string): void => {
    screen.write(`${screen.isTerminal ? eraseLine : ''}${text}\n`);
  };
  const showCurrent = (): void => {
    if (current === undefined || !screen.isTerminal) return;
    const what = current.waiting === '' ? '' : `: ${current.waiting}`;
    const text = `   … ${seconds(nowMs() - current.sinceMs)} s  ${current.name}${what}`;
    screen.write(`${eraseLine}${text.slice(0, screen.columns - 1)}`);
  };

  return {
    phases,
    note: (text) => {
      for (const line of text.split('\n')) printLine(line === '' ? '' : `          ${line}`);
    },
    waiting: (text) => {
      if (current === undefined || current.waiting === text) return;
      current.waiting = text;
      if (screen.isTerminal) showCurrent();
      else printLine(`          … ${text}`);
    },
    phase: async (name, work, shows) => {
      const sinceMs = nowMs();
      current = { name, sinceMs, waiting: '' };
      const rewrites = screen.isTerminal && shows === undefined;
      if (rewrites) showCurrent();
      else printLine(`${clock((sinceMs - startedMs) / 1000).padStart(8)}  ${name}`);
      const timer = rewrites ? setInterval(showCurrent, refreshMs) : undefined;
      try {
        const result = await work();
        const spentMs = nowMs() - sinceMs;
        phases.push({ name, seconds: Math.round(spentMs / 100) / 10 });
        printLine(`ok ${seconds(spentMs).padStart(6)} s  ${name}`);
        return result;
      } catch (error) {
        printLine(`failed ${seconds(nowMs() - sinceMs)} s  ${name}`);
        throw error;
      } finally {
        clearInterval(timer);
        current = undefined;
      }
    },
  };
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}

function standardOutput(): ProgressOptions {
  const screen: Screen = {
    isTerminal: process.stdout.isTTY === true,
    columns: process.stdout.columns ?? 100,
    write: (text) => {
      process.stdout.write(text);
    },
  };
  return { screen, nowMs: () => performance.now() };
}
