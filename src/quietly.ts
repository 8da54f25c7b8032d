// A handler's work done on behalf of another event: no path is recorded and nothing is deferred,
// because the flowchart and the deferral belong to the event that Juju sent.

import type { PostgresqlHook } from './adapters/cluster.ts';

/** The same hook, without its walk and its deferral. */
export function quietly(hook: PostgresqlHook): PostgresqlHook {
  return {
    ...hook,
    walk: { step: () => undefined, decide: (_node, answer) => answer, stop: () => undefined },
    defer: () => undefined,
  };
}
