/**
 * Names a process so that it cannot be mistaken for another one: its id together with the time it
 * started, as in the kernel's `stat` line. An id alone is handed out again after its process ended.
 */

import { readFile } from 'node:fs/promises';

import { isMissing } from './files.ts';

export interface ProcessId {
  readonly pid: number;
  /** Clock ticks between the start of the machine and the start of the process. */
  readonly startTicks: number;
}

export interface ProcessStat extends ProcessId {
  /** `Z` and `X` are processes that ended. */
  readonly state: string;
}

/** Reads a line of `/proc/PID/stat`. The command's name may hold spaces and parentheses. */
export function parseStat(line: string): ProcessStat {
  const pid = Number.parseInt(line, 10);
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  const startTicks = Number(fields[19]);
  if (!Number.isInteger(pid) || state === undefined || !Number.isInteger(startTicks)) {
    throw new Error(`cannot read process state "${line.trim()}"`);
  }
  return { pid, startTicks, state };
}

/** The process with an id as it is now; `proc` is the process folder to look in. */
export async function readStat(pid: number, proc = '/proc'): Promise<ProcessStat | undefined> {
  try {
    return parseStat(await readFile(`${proc}/${pid}/stat`, 'utf8'));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Whether this very process still runs. */
export async function isRunning(id: ProcessId, proc = '/proc'): Promise<boolean> {
  const now = await readStat(id.pid, proc);
  return now !== undefined && now.startTicks === id.startTicks && !'ZX'.includes(now.state);
}

/** Sends a signal to this very process; nothing when it ended. */
export async function sendSignal(id: ProcessId, signal: NodeJS.Signals): Promise<void> {
  if (!(await isRunning(id))) return;
  try {
    process.kill(id.pid, signal);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
