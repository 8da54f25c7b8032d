/**
 * Locks between processes. The kernel holds the lock for a small child process (util-linux
 * `flock`) that ends when this process ends, however that happens: there are no stale locks and no
 * process ids to compare.
 */

import { mkdir } from 'node:fs/promises';
import path from 'node:path';

import { execa } from 'execa';

/** Runs `work` while this process alone holds the lock; waits as long as another one holds it. */
export async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  const lock = await acquire(file, []);
  if (lock === undefined) throw new Error(`cannot lock "${file}": flock ended early`);
  return await holding(lock, work);
}

/** Runs `work` when the lock is free at once, and says whether it did. */
export async function tryWithLock(file: string, work: () => Promise<void>): Promise<boolean> {
  const lock = await acquire(file, ['--nonblock']);
  if (lock === undefined) return false;
  await holding(lock, work);
  return true;
}

interface Lock {
  release(): Promise<void>;
}

async function holding<T>(lock: Lock, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await lock.release();
  }
}

async function acquire(file: string, options: readonly string[]): Promise<Lock | undefined> {
  await mkdir(path.dirname(file), { recursive: true });
  const args = ['--exclusive', ...options, file, 'sh', '-c', 'echo held && exec cat'];
  // Detached: a Ctrl-C reaches only this process, which lets go when it ends.
  const spawning = { stdin: 'pipe', buffer: false, reject: false, detached: true } as const;
  const holder = execa('flock', args, spawning);
  const held = await new Promise<boolean>((resolve) => {
    holder.stdout.once('data', () => resolve(true));
    holder.stdout.once('close', () => resolve(false));
  });
  if (!held) {
    await holder;
    return undefined;
  }
  return {
    async release() {
      holder.stdin.end();
      await holder;
    },
  };
}
