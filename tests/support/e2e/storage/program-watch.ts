/** Sees programs of all containers as soon as they start; runs on the node. */

import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const intervalMs = 10;

/** Waits for a process whose command line has all these words. */
export async function waitForProgram(
  words: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  // A process may become another program: only its words tell.
  while (!signal.aborted) {
    for (const pid of await readdir('/proc')) {
      if (/^\d+$/.test(pid) && (await hasWords(pid, words))) return true;
    }
    await sleep(intervalMs);
  }
  return false;
}

async function hasWords(pid: string, words: readonly string[]): Promise<boolean> {
  try {
    const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
    return words.every((word) => command.includes(word));
  } catch {
    return false; // It has ended.
  }
}
