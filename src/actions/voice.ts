// What an action tells the operator while it waits.

import type { PostgresqlHook } from '../adapters/cluster.ts';

/** Tells what is new. */
export function createVoice(hook: PostgresqlHook): (text: string) => Promise<void> {
  let last = '';
  return async (text) => {
    if (text === last) return;
    last = text;
    await hook.juju.action().log(text);
  };
}
