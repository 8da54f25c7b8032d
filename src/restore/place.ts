// What has to be there for a restore besides the backup: room on the volume, keys that may write, and no
// unit that something would be taken from.

import { CodedError } from '../../lib/base/error.ts';
import { KubeError } from '../../lib/kube/error.ts';
import { PostgresError } from '../../lib/sql/error.ts';
import type { Cluster, PostgresqlHook } from '../adapters/cluster.ts';
import { hasData, hasTablespaces, isAside, measureRoom } from '../adapters/data-directory.ts';
import { readRepository } from '../adapters/repository.ts';
import { checkWritable } from '../adapters/repository-access.ts';
import { isOver, type RestoreMark, readRestoreMark } from '../adapters/restore-mark.ts';
import { removeTrial, trialPlace } from '../adapters/trial-restore.ts';
import { withPrimary } from '../adapters/users.ts';
import type { Backup } from '../core/backups/backup-list.ts';
import { type Chosen, roomFor } from '../core/backups/restore-target.ts';
import { asideDirectory, stanzaName } from '../core/names.ts';
import { uncountedMembers } from './awaited.ts';
import { type Refusal, tablespacesOn } from './told.ts';

/** Room on the volume, keys that may write, and nobody who needs the data of now. */
export async function admitPlace(
  hook: PostgresqlHook,
  cluster: Cluster,
  { target, backup, several }: Chosen & { readonly several: boolean },
): Promise<RestoreMark['old'] | Refusal> {
  const refusal =
    (await refusePause(cluster)) ??
    (await refuseKeys(hook, cluster, target.stanza)) ??
    (await refuseChange(hook, cluster));
  if (refusal !== undefined) return refusal;
  if (several) {
    const refused = await refuseCluster(hook, cluster);
    if (refused !== undefined) return refused;
  }
  if ((await hasDataToKeep(hook)) && (await hasTablespaces(hook))) {
    return { refusal: tablespacesOn([cluster.unit]) };
  }
  return await chooseRoom(hook, { backup, several });
}

/** A pause would come back with the data of before, and in a pause nobody starts PostgreSQL. */
export async function refusePause(cluster: Cluster): Promise<Refusal | undefined> {
  const paused = (await cluster.patroniCluster())?.paused === true;
  return paused ? { refusal: 'failover is paused: resume-failover first' } : undefined;
}

/** Into the repository of another cluster nothing is written. */
async function refuseKeys(
  hook: PostgresqlHook,
  cluster: Cluster,
  stanza: string,
): Promise<Refusal | undefined> {
  const own = stanzaName(cluster.namespace, cluster.app);
  const reading = await readRepository(hook);
  const { stanza: initialised } = await cluster.appData();
  if (reading.kind !== 'ready' || initialised === undefined || stanza !== own) return undefined;
  try {
    await checkWritable(hook, reading.parameters, stanza);
    return undefined;
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return { refusal: `Nothing can be written to the repository: ${error.message}` };
  }
}

/** Every unit has to be there to stop, and to get the data afterwards; nobody else may be a member. */
async function refuseChange(hook: PostgresqlHook, cluster: Cluster): Promise<Refusal | undefined> {
  const changing = { refusal: 'Units are being added or removed: wait until that is over' };
  if ((await cluster.units()).length !== (await hook.juju.plannedUnits())) return changing;
  try {
    return (await uncountedMembers(hook, cluster)).length > 0 ? changing : undefined;
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    return { refusal: `Kubernetes does not tell who is a member: ${error.message}` };
  }
}

async function refuseCluster(hook: PostgresqlHook, cluster: Cluster): Promise<Refusal | undefined> {
  if ((await cluster.primary()) === undefined) return undefined;
  if (!(await hasData(hook))) {
    return { refusal: 'This unit has no data yet, and those of the others could not come back' };
  }
  try {
    const busy = await withPrimary(hook, cluster, async (postgres) => await postgres.copying());
    return busy.backupRuns
      ? { refusal: 'A backup is being made: wait until it has ended' }
      : undefined;
  } catch (error) {
    // A primary that cannot be asked makes no backup.
    if (error instanceof PostgresError) return undefined;
    throw error;
  }
}

async function chooseRoom(
  hook: PostgresqlHook,
  { backup, several }: { readonly backup: Backup; readonly several: boolean },
): Promise<RestoreMark['old'] | Refusal> {
  if (await isAside(hook)) {
    return { refusal: `"${asideDirectory}" is in the way: look at what it is, and remove it` };
  }
  try {
    // What a trial restore has left that was cut short is nothing to give up data for.
    await removeTrial(hook.ports.pebble, await trialPlace(hook));
    const room = await measureRoom(hook);
    const size = backup.bytes.size ?? 0;
    const choice = roomFor({ backup: size, ...room });
    if (choice === 'none' || (choice === 'instead' && several)) {
      return noRoom(size, { ...room, several });
    }
    if (!(await hasDataToKeep(hook))) return 'none';
    return choice === 'aside' ? 'aside' : 'removed';
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return { refusal: error.message };
  }
}

/** What a restore that failed has left is nothing to go back to. */
async function hasDataToKeep(hook: PostgresqlHook): Promise<boolean> {
  const mark = await readRestoreMark(hook);
  return (mark === undefined || isOver(mark)) && (await hasData(hook));
}

function noRoom(
  size: number,
  {
    free,
    old,
    several,
  }: { readonly free: number; readonly old: number; readonly several: boolean },
): Refusal {
  const megabytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
  const wanted = `the backup has ${megabytes(size)}, ${megabytes(free)} are free`;
  const hint = several
    ? 'with several units the data of now have to stay until the end: enlarge the volume, or scale to one unit'
    : `and ${megabytes(old)} would be once the data of now are gone: enlarge the volume`;
  return { refusal: `There is no room on the volume: ${wanted}, ${hint}` };
}
