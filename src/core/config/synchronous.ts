// What commits wait for, by the options of that alone. It follows the members whatever else is wrong:
// one that is left alone must not be held up by a mistake in another option. Pure.

import type { Settings } from './settings.ts';
import { validPart } from './validate.ts';

/** What the options ask for; `undefined`: that option itself is wrong. */
export interface Synchronous {
  readonly nodeCount: Settings['synchronousNodeCount'] | undefined;
  readonly strict: boolean | undefined;
}

export function synchronousOf({
  synchronousNodeCount: nodeCount,
  synchronousModeStrict: strict,
}: Settings): Synchronous {
  return { nodeCount, strict };
}

/** The same from options of which some may be wrong. */
export function synchronousIn(raw: Readonly<Record<string, unknown>>): Synchronous {
  const { settings, wrong } = validPart(raw);
  const { nodeCount, strict } = synchronousOf(settings);
  return {
    nodeCount: wrong.has('synchronous_node_count') ? undefined : nodeCount,
    strict: wrong.has('synchronous_mode_strict') ? undefined : strict,
  };
}
