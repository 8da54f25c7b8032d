/** Starts the writer in the cloud and keeps what it says: in memory, and in a file. */

import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

import { execa } from 'execa';

import type { WriterSettings } from './writer-settings.ts';
import { type Ack, parseAck } from './writes.ts';

export interface Writer {
  /** All that have been acknowledged so far, in the order of time. */
  readonly acks: readonly Ack[];
  /** Why the last attempt failed. */
  lastFailure(): string;
  /** The first number that has not been tried. */
  nextId(): number;
  /** Ends the writer; everything it said has been read when this returns. */
  stop(): Promise<void>;
}

const enter = path.join(import.meta.dirname, '..', '..', 'cloud', 'enter');
const program = path.join(import.meta.dirname, 'writer.ts');
const stopTimeoutMs = 10_000;

export function startWriter(settings: WriterSettings, logFile: string): Writer {
  const acks: Ack[] = [];
  let failure = 'nothing was tried yet';
  const child = execa(enter, [process.execPath, program], {
    reject: false,
    buffer: false,
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
  });
  const log = createWriteStream(logFile, { flags: 'w' });
  const lines = createInterface({ input: child.stdout });
  const closed = new Promise<void>((resolve) => {
    lines.once('close', resolve);
  });
  lines.on('line', (line) => {
    log.write(`${line}\n`);
    const ack = parseAck(line);
    if (ack !== undefined) acks.push(ack);
    else if (line.startsWith('fail ')) failure = line.split(' ').slice(2).join(' ');
  });
  child.stdin.write(`${JSON.stringify(settings)}\n`);
  return {
    acks,
    lastFailure: () => failure,
    // One number may be under way for each failure; a gap in the numbers costs nothing.
    nextId: () => (acks.at(-1)?.id ?? settings.firstId) + reserve,
    stop: async () => {
      child.stdin.end();
      const late = await Promise.race([closed, sleep(stopTimeoutMs, 'late', { ref: false })]);
      if (late === 'late') child.kill('SIGKILL');
      await child;
      log.end();
    },
  };
}

/** More numbers than the writer can have tried since its last acknowledgement. */
const reserve = 1_000_000;
