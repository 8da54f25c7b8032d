/** Kills hooks of one model while they run, each at another age. */

import path from 'node:path';

import * as v from 'valibot';

import { run } from '../../../cloud/client.ts';

export interface KillRequest {
  readonly model: string;
  /** How old a hook's process may get: one after the other, and from the start again. */
  readonly delaysMs: readonly number[];
  /** Stops when there has been no hook for so long. */
  readonly quietMs: number;
}

const reaper = path.join(import.meta.dirname, 'hook-reaper.ts');
const timeoutMs = 600_000;

/** Returns the hooks that were killed, each of each unit once. Hooks that end sooner are let go. */
export async function killHooks(request: KillRequest): Promise<readonly string[]> {
  const { stdout } = await run(process.execPath, [reaper, JSON.stringify(request)], { timeoutMs });
  return v.parse(v.array(v.string()), JSON.parse(stdout));
}
