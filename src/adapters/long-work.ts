// A file that stands in the container while a hook makes a backup, or verifies them, and shows that in the
// unit's status. A hook that is killed leaves both; the watcher finds the file when nobody is at work any
// more, and wakes the charm. Nothing depends on the file: without it, update-status does the same.

import { PebbleError } from '../../lib/pebble/errors.ts';
import { longWorkPath } from '../core/names.ts';
import type { PostgresqlHook } from './cluster.ts';

/**
 * To be called before anything is shown or changed that an end by force would leave as it is. The stanza is
 * that of pgBackRest's commands, which is how the watcher knows them.
 */
export async function beginLongWork(hook: PostgresqlHook, stanza: string): Promise<void> {
  await ifPossible(hook, async () => {
    await hook.ports.pebble.push(longWorkPath, stanza, { mode: '0644', makeDirs: true });
  });
}

/** At the end of it; and by whoever comes after a hook that was killed, as no hook can see another's. */
export async function endLongWork(hook: PostgresqlHook): Promise<void> {
  await ifPossible(hook, async () => {
    await hook.ports.pebble.remove(longWorkPath, { recursive: true });
  });
}

async function ifPossible(hook: PostgresqlHook, attempt: () => Promise<void>): Promise<void> {
  try {
    await attempt();
  } catch (error) {
    if (!(error instanceof PebbleError)) throw error;
    hook.log('WARNING', error.message);
  }
}
