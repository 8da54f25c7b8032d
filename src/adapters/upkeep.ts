// What explain tells of the upkeep of this unit: what the watcher has seen, the repair that follows for a
// replica, and extensions.

import { present } from '../../lib/base/present.ts';
import { enabledPlugins } from '../core/config/extensions.ts';
import { extensionsStatus, parseRecord } from '../core/config/extensions-record.ts';
import type { UpkeepFacts } from '../core/explain/facts.ts';
import { foreseeRepair } from '../core/repair.ts';
import type { Cluster, PostgresqlHook } from './cluster.ts';
import { lookAtMember } from './repair-look.ts';
import { readWatchState } from './watch-state.ts';

export async function readUpkeep(hook: PostgresqlHook, cluster: Cluster): Promise<UpkeepFacts> {
  const look = await lookAtMember(hook, cluster);
  return {
    watch: await readWatchState(hook),
    nowMs: hook.ports.clock.nowMs(),
    ...present({
      repair: look === undefined ? undefined : foreseeRepair(look.view),
      refusal: look?.memory.refusal,
    }),
  };
}

/** What keeps extensions from being as they are switched, of which the leader takes care. */
export async function readExtensionsProblem(
  hook: PostgresqlHook,
  cluster: Cluster | undefined,
): Promise<string | undefined> {
  const app = await cluster?.appData();
  if (app?.initialised !== true || !(await hook.juju.isLeader())) return undefined;
  const enabled = enabledPlugins(await hook.juju.config());
  return extensionsStatus(parseRecord(app.extensions), enabled)?.message;
}
