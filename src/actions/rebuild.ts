// Watches Patroni rebuild this member, and tells the operator how far it is.

import { poll } from '../../lib/base/retry.ts';
import { PostgresError } from '../../lib/sql/error.ts';
import { type Cluster, isStarted, type PostgresqlHook } from '../adapters/cluster.ts';
import type { Health } from '../adapters/patroni-answers.ts';
import type { CopyActivity, Postgres } from '../ports.ts';

export interface RebuildFacts {
  /** When the server that is replaced was started, if it was. */
  readonly before: string | undefined;
  /** For the progress. */
  readonly postgres: Postgres | undefined;
}

// Hooks of this unit wait for the action; a copy that takes longer goes on without being watched.
const patience = { intervalMs: 500, timeoutMs: 600_000 };

/** Until the rebuilt replica streams from the primary, or patience ends. */
export async function followRebuild(
  hook: PostgresqlHook,
  cluster: Cluster,
  { before, postgres }: RebuildFacts,
): Promise<'rebuilt' | 'going-on'> {
  const voice = createVoice(hook);
  const end = await poll({ clock: hook.ports.clock, ...patience }, async () => {
    const health = await cluster.health({ fresh: true });
    if (health !== undefined && isRebuilt(health, before)) return 'rebuilt';
    await voice(health?.state ?? 'Patroni does not answer', await readProgress(postgres));
    return undefined;
  });
  return end ?? 'going-on';
}

function isRebuilt(health: Health, before: string | undefined): boolean {
  const streams = isStarted(health.state) && health.replicationState === 'streaming';
  return streams && health.startTime !== before;
}

async function readProgress(postgres: Postgres | undefined): Promise<CopyActivity | undefined> {
  try {
    return await postgres?.copying();
  } catch (error) {
    // Only the percentage is lost.
    if (error instanceof PostgresError) return undefined;
    throw error;
  }
}

/** A line for each new state, and in it for each further tenth. */
function createVoice(
  hook: PostgresqlHook,
): (state: string, progress: CopyActivity | undefined) => Promise<void> {
  let last = { state: '', tenths: 0 };
  return async (state, progress) => {
    const tenths = Math.floor((progress?.percent ?? 0) / 10);
    if (state === last.state && tenths <= last.tenths) return;
    last = { state, tenths };
    await hook.juju.action().log(tenths === 0 ? state : `${state}: ${tenths * 10} %`);
  };
}
