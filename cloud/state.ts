/**
 * What is written down about the running cloud. The file says `starting` before anything exists and
 * `up` once everything does: a file that says anything but `up` belongs to a run that was cut short.
 */

import { rm } from 'node:fs/promises';

import * as v from 'valibot';

import { readTextIfPresent, writeWhole } from './files.ts';
import type { Layout } from './layout.ts';

const stateSchema = v.object({
  phase: v.picklist(['starting', 'up', 'stopping']),
  /** What the cloud was made of and configured with; another key means another cloud. */
  key: v.string(),
  since: v.string(),
  binDir: v.string(),
  /** The first process of the cloud's namespaces, as the machine numbers it, and its network. */
  node: v.optional(v.object({ pid: v.number(), startTicks: v.number(), network: v.string() })),
  /** Every component with its command, so that any checkout can start it again as it was. */
  components: v.array(v.object({ name: v.string(), command: v.array(v.string()) })),
});

export type CloudState = v.InferOutput<typeof stateSchema>;

/** The recorded state; a file that cannot be read counts as a run that was cut short. */
export async function loadState(layout: Layout): Promise<CloudState | undefined> {
  const text = await readTextIfPresent(layout.stateFile);
  if (text === undefined) return undefined;
  try {
    const parsed = v.safeParse(stateSchema, JSON.parse(text));
    return parsed.success ? parsed.output : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export async function saveState(layout: Layout, state: CloudState): Promise<void> {
  await writeWhole(layout.stateFile, `${JSON.stringify(state, undefined, 2)}\n`);
}

export async function removeState(layout: Layout): Promise<void> {
  await rm(layout.stateFile, { force: true });
}
