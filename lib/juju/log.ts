// Messages on their way to Juju's log. Each juju-log is a process, so messages are collected and
// consecutive ones of one level go out as one, in order. A message may be as long as one argument
// can be; longer ones are cut in pieces.

import { CodedError } from '../base/error.ts';
import type { Log, LogLevel } from '../base/log.ts';
import { JujuError } from './error.ts';
import { longestArgumentBytes } from './tools/call.ts';
import { jujuLog } from './tools/log.ts';
import type { HookToolPort } from './tools/port.ts';

export interface BufferedLog {
  readonly log: Log;
  /** Adds a DEBUG message if that costs no call of its own. */
  readonly remark: (message: string) => void;
  /** Sends what has been collected. A log that cannot be written fails no hook. */
  readonly flush: () => Promise<void>;
}

interface Batch {
  readonly level: LogLevel;
  readonly message: string;
}

export function createBufferedLog(port: HookToolPort): BufferedLog {
  let batches: Batch[] = [];
  const log: Log = (level, message) => {
    const last = batches.at(-1);
    if (last?.level !== level) batches.push({ level, message });
    else batches[batches.length - 1] = { level, message: `${last.message}\n${message}` };
  };
  return {
    log,
    remark: (message) => {
      if (batches.at(-1)?.level === 'DEBUG') log('DEBUG', message);
    },
    flush: async () => {
      const sending = batches;
      batches = [];
      for (const { level, message } of sending) {
        for (const piece of splitMessage(message, longestArgumentBytes)) {
          if (!(await trySend(port, level, piece))) return;
        }
      }
    },
  };
}

async function trySend(port: HookToolPort, level: LogLevel, message: string): Promise<boolean> {
  try {
    await jujuLog(port, level, message);
    return true;
  } catch (error) {
    if (error instanceof JujuError) return false;
    throw error;
  }
}

/** Pieces of at most so many bytes in UTF-8, cut after the last line break that fits if possible. */
export function splitMessage(message: string, limitBytes: number): readonly string[] {
  const pieces: string[] = [];
  let rest = Buffer.from(message);
  while (rest.length > limitBytes) {
    const breakAt = rest.lastIndexOf('\n', limitBytes);
    const end = breakAt > 0 ? breakAt : characterStart(rest, limitBytes);
    pieces.push(rest.toString('utf8', 0, end));
    rest = rest.subarray(breakAt > 0 ? end + 1 : end);
  }
  return [...pieces, rest.toString('utf8')];
}

/** The nearest position at or before `at` where a character begins. */
function characterStart(bytes: Buffer, at: number): number {
  let position = at;
  while (position > 0 && ((bytes[position] ?? 0) & 0xc0) === 0x80) position -= 1;
  return position;
}

/** Stack, code and hint of an error and of each of its causes, for the log. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  let current: unknown = error;
  while (current !== undefined && parts.length < 10) {
    parts.push(describeOne(current));
    current = current instanceof Error ? current.cause : undefined;
  }
  return parts.join('\ncaused by ');
}

function describeOne(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stack = error.stack ?? `${error.name}: ${error.message}`;
  if (!(error instanceof CodedError)) return stack;
  const hint = error.hint === undefined ? '' : `\nhint: ${error.hint}`;
  return `[${error.code}] ${stack}${hint}`;
}
