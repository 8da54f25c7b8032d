/** Kills hooks of one model while they run, each at another age. */

import path from 'node:path';

import * as v from 'valibot';

import { run } from '../../../cloud/client.ts';

export interface KillRequest {
  readonly model: string;
  /** One kill for each: how old the hook's process may get. */
  readonly delaysMs: readonly number[];
}

const reaper = path.join(import.meta.dirname, 'hook-reaper.ts');
const timeoutMs = 300_000;

/** Returns the hooks that were killed, once all of them were. Hooks that ended sooner are let go. */
export async function killHooks(request: KillRequest): Promise<readonly string[]> {
  const { stdout } = await run(process.execPath, [reaper, JSON.stringify(request)], { timeoutMs });
  return v.parse(v.array(v.string()), JSON.parse(stdout));
}
