// Whether the restore of a cluster may begin on the unit that does it. What was asked at the request may have
// changed since; nothing has been touched until here but that the others are down.

import type { Cluster, PostgresqlHook } from '../adapters/cluster.ts';
import { parseResult, type RestoreRequest } from '../core/backups/restore-request.ts';
import { awaitedUnits } from './awaited.ts';
import { refusingUnits } from './others.ts';
import { refusePause } from './place.ts';
import { publishResult, type Refusal, resultKey, tablespacesOn } from './told.ts';

/** When all other units that there are have said that they are down; tells the leader what is in the way. */
export async function mayBegin(
  hook: PostgresqlHook,
  cluster: Cluster,
  request: RestoreRequest,
): Promise<boolean> {
  const known = parseResult((await cluster.unitData())[resultKey]);
  if (known?.id === request.id) return false;
  const refused = (await refuseTablespaces(cluster, request)) ?? (await refusePause(cluster));
  if (refused !== undefined) {
    const failure = refused.refusal;
    publishResult(cluster, { request: request.id, state: 'failed', failure });
    return false;
  }
  return (await awaitedUnits(hook, cluster, request)).length === 0;
}

/** Another unit has looked at its volume, and does not take part. */
async function refuseTablespaces(
  cluster: Cluster,
  request: RestoreRequest,
): Promise<Refusal | undefined> {
  const refusing = await refusingUnits(cluster, request);
  return refusing.length === 0 ? undefined : { refusal: tablespacesOn(refusing) };
}
