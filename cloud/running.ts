/** Finds the running cloud from its record, for commands that look at it or act on it. */

import type { Inside } from './inside.ts';
import type { Layout } from './layout.ts';
import { findNode } from './node.ts';
import { type CloudState, loadState } from './state.ts';

export interface RunningCloud {
  readonly state: CloudState;
  readonly inside: Inside;
}

/** The cloud whose first process runs, whether or not it is complete. */
export async function findRunningCloud(layout: Layout): Promise<RunningCloud | undefined> {
  const state = await loadState(layout);
  const node = await findNode(state?.node);
  if (state === undefined || node === undefined) return undefined;
  return { state, inside: { layout, node, binDir: state.binDir } };
}
