/**
 * One change of the cloud at a time. The kernel holds the lock (build/lock.ts), so it ends with its
 * holder however that ends; a note beside it says who the holder is, for the one who waits.
 */

import { rm } from 'node:fs/promises';

import * as v from 'valibot';

import { tryWithLock, withLock } from './build/lock.ts';
import { readTextIfPresent, writeWhole } from './files.ts';
import type { Layout } from './layout.ts';
import { isRunning, type ProcessId, readStat } from './process-id.ts';

const holderSchema = v.object({ pid: v.number(), startTicks: v.number(), doing: v.string() });

export interface LockHolder extends ProcessId {
  readonly doing: string;
}

export interface LockRequest {
  readonly doing: string;
  /** Called once when somebody else holds the lock. */
  onWait(holder: LockHolder | undefined): void;
}

/** Runs `work` while nobody else changes the cloud; waits for whoever does. */
export async function withCloudLock<T>(
  layout: Layout,
  request: LockRequest,
  work: () => Promise<T>,
): Promise<T> {
  const outcomes: { readonly value: T }[] = [];
  const lockedWork = async (): Promise<void> => {
    outcomes.push({ value: await workAsHolder(layout, request.doing, work) });
  };
  if (!(await tryWithLock(layout.lockFile, lockedWork))) {
    request.onWait(await findHolder(layout));
    await withLock(layout.lockFile, lockedWork);
  }
  const [outcome] = outcomes;
  if (outcome === undefined) throw new Error(`cannot lock "${layout.lockFile}"`);
  return outcome.value;
}

/** Who changes the cloud right now, if anybody. */
export async function findHolder(layout: Layout): Promise<LockHolder | undefined> {
  const holder = parseHolder(await readTextIfPresent(layout.holderFile));
  return holder !== undefined && (await isRunning(holder)) ? holder : undefined;
}

/** Reads the note; a note that was cut short names nobody. */
export function parseHolder(text: string | undefined): LockHolder | undefined {
  if (text === undefined) return undefined;
  try {
    const parsed = v.safeParse(holderSchema, JSON.parse(text));
    return parsed.success ? parsed.output : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function workAsHolder<T>(layout: Layout, doing: string, work: () => Promise<T>): Promise<T> {
  const own = await readStat(process.pid);
  if (own !== undefined) {
    const holder: LockHolder = { pid: own.pid, startTicks: own.startTicks, doing };
    await writeWhole(layout.holderFile, `${JSON.stringify(holder)}\n`);
  }
  try {
    return await work();
  } finally {
    await rm(layout.holderFile, { force: true });
  }
}
