// The end of a restore of an only unit that is not the leader any more, since others have been added: it
// tells its result in its own databag, and whoever leads makes it known. When it is gone before that, the
// leader ends the restore without it: what others have copied from it is all that there is.

import { present } from '../../lib/base/present.ts';
import { KubeError } from '../../lib/kube/error.ts';
import type { Cluster, PostgresqlHook } from '../adapters/cluster.ts';
import { updateSynchronousReplication } from '../adapters/configuration.ts';
import { isPodThere } from '../adapters/kubernetes.ts';
import { retryRepository } from '../backups.ts';
import { renderAbandoned } from '../core/backups/restore-request.ts';
import type { RestoreTarget } from '../core/backups/restore-target.ts';
import { restoreCutShort } from '../core/status.ts';
import { extensionsAnew, updateExtensions } from '../extensions.ts';
import { endedRestore, nameOf, noteOf, readOnlyResult } from './told.ts';

interface OfOther {
  /** The one that restores. */
  readonly unit: string;
  readonly target: Pick<RestoreTarget, 'label' | 'time'>;
}

/** A restore that another unit does alone. */
async function readOther(cluster: Cluster): Promise<OfOther | undefined> {
  const { restoringBackup: label, restoringUnit: unit, ...app } = await cluster.appData();
  if (label === undefined || unit === undefined || unit === cluster.unit) return undefined;
  return { unit, target: { label, ...present({ time: app.restoreToTime }) } };
}

/** On the leader, as long as the databag tells of a restore. */
export async function hearOnlyUnit(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const other = await readOther(cluster);
  if (other === undefined) return;
  const { unit, target } = other;
  const isThere = (await cluster.peers.units()).includes(unit);
  const result = isThere ? await readOnlyResult(cluster, unit) : undefined;
  if (result === undefined) {
    if (await isGone(hook, cluster, unit)) await endWithout(hook, cluster, other);
  } else if (result.state === 'restored') {
    cluster.setApp({ ...endedRestore, extensions: await extensionsAnew(cluster) });
    await takeUpDatabase(hook, cluster);
  } else {
    cluster.setApp({ ...endedRestore, 'restore-failure': noteOf(target, result.failure ?? '') });
  }
}

/** As cancel-restore does it on another unit than the one that restores; says why not. */
export async function cancelOther(
  hook: PostgresqlHook,
  cluster: Cluster,
): Promise<string | undefined> {
  const other = await readOther(cluster);
  if (other === undefined) return 'No restore is under way on this unit';
  const { unit } = other;
  if ((await cluster.units()).includes(unit)) return `Run it on ${unit}`;
  const waits = `It ends by itself when ${unit} is gone`;
  try {
    if (!(await hook.juju.isLeader()) || (await isPodThere(hook, unit))) return waits;
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    return `Kubernetes does not tell whether ${unit} is gone: ${error.message}`;
  }
  await endWithout(hook, cluster, other);
  return undefined;
}

/** As long as its pod is there, its database may still come up. */
async function isGone(hook: PostgresqlHook, cluster: Cluster, unit: string): Promise<boolean> {
  return !(await cluster.units()).includes(unit) && !(await isPodThere(hook, unit));
}

/** Should it come back with its volume, it is not to go on with the restore, nor to lead with its data. */
async function endWithout(
  hook: PostgresqlHook,
  cluster: Cluster,
  { unit, target }: OfOther,
): Promise<void> {
  const { restoreId: id, abandonedRestores: before } = await cluster.appData();
  const failure = restoreCutShort(nameOf(target), unit);
  cluster.setApp({
    ...endedRestore,
    ...(id === undefined ? {} : { 'restores-abandoned': renderAbandoned(before, id) }),
    'restore-failure': failure,
    extensions: await extensionsAnew(cluster),
  });
  hook.log('ERROR', failure);
  await takeUpDatabase(hook, cluster);
}

/** The database that is in force now has the extensions of its own time, and archives. */
async function takeUpDatabase(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  await updateSynchronousReplication(hook, cluster);
  await updateExtensions(hook, cluster);
  await retryRepository(hook, cluster);
}
