// The end of a restore of an only unit that is not the leader any more, since others have been added: it
// tells its result in its own databag, and whoever leads makes it known.

import type { Cluster, PostgresqlHook } from '../adapters/cluster.ts';
import { updateSynchronousReplication } from '../adapters/configuration.ts';
import { retryRepository } from '../backups.ts';
import { updateExtensions } from '../extensions.ts';
import { endedRestore, noteOf, readOnlyResult } from './told.ts';

/** On the leader, as long as the databag tells of a restore. */
export async function hearOnlyUnit(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const { restoringBackup: label, restoringUnit: unit } = await cluster.appData();
  if (label === undefined || unit === undefined || unit === cluster.unit) return;
  const isThere = (await cluster.peers.units()).includes(unit);
  const result = isThere ? await readOnlyResult(cluster, unit) : undefined;
  if (result === undefined) return;
  if (result.state === 'restored') {
    // The restored database has the extensions of its own time.
    cluster.setApp({ ...endedRestore, extensions: undefined });
    await updateSynchronousReplication(hook, cluster);
    await updateExtensions(hook, cluster);
    await retryRepository(hook, cluster);
    return;
  }
  const time = (await cluster.peers.data(cluster.app))['restore-to-time'];
  const target = time === undefined ? { label } : { label, time };
  cluster.setApp({ ...endedRestore, 'restore-failure': noteOf(target, result.failure ?? '') });
}
