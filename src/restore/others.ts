// What a unit does while another one of its cluster restores: it stops, says so, and waits. When the
// restored primary is up, its own data go, and it copies those; when nothing came of it, it starts with
// its own. A file beside the data says for which request it is down, whatever becomes of databags.

import type { Cluster, PostgresqlHook } from '../adapters/cluster.ts';
import {
  clearDataDirectory,
  finishRemoval,
  hasData,
  hasTablespaces,
  stopDatabase,
} from '../adapters/data-directory.ts';
import { PatroniError } from '../adapters/patroni.ts';
import {
  readStoppedMark,
  removeCopiedMark,
  removeStoppedMark,
  writeCopiedIfRoom,
  writeCopiedMark,
  writeStoppedMark,
} from '../adapters/restore-mark.ts';
import type { RestoreRequest } from '../core/backups/restore-request.ts';
import { isNewContainer, resumeService, setLayer } from './services.ts';

/** In the databag of a unit that is down for the request of this id. */
export const stoppedKey = 'restore-stopped';
/** In that of a unit that does not stop for it: it could not go back, nor copy the restored data. */
const refusedKey = 'restore-refused';

/** Says whether this unit is down for the restore of another, and has to stay so. */
export async function followOther(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  const { restoreRequest: request } = await cluster.appData();
  if (request?.unit === cluster.unit) return false;
  const { [stoppedKey]: told, [refusedKey]: refused } = await cluster.unitData();
  if (request?.phase === 'stop') {
    if (told !== request.id) await stopMember(hook, cluster, request.id);
    return true;
  }
  if (refused !== undefined) cluster.setUnit({ [refusedKey]: undefined });
  const isUntouched = told === undefined && request === undefined;
  if (isUntouched && (await cluster.ownListed()) !== undefined) return false;
  return await startAgain(hook, cluster, request);
}

/** Units that will not stop for this request, which therefore comes to nothing. */
export async function refusingUnits(
  cluster: Cluster,
  { id }: RestoreRequest,
): Promise<readonly string[]> {
  const refusing: string[] = [];
  for (const unit of await cluster.units()) {
    if ((await cluster.peers.data(unit))[refusedKey] === id) refusing.push(unit);
  }
  return refusing;
}

/** Neither Patroni nor PostgreSQL runs, or is started, from here on. */
async function stopMember(hook: PostgresqlHook, cluster: Cluster, id: string): Promise<void> {
  if (await hasTablespaces(hook)) {
    cluster.setUnit({ [refusedKey]: id });
    return;
  }
  await writeStoppedMark(hook, id);
  if (!(await isNewContainer(hook))) await setLayer(hook, { restart: false });
  await stopDatabase(hook);
  cluster.setUnit({ [stoppedKey]: id });
  hook.log('INFO', 'stopped for a restore of the cluster');
}

async function startAgain(
  hook: PostgresqlHook,
  cluster: Cluster,
  request: RestoreRequest | undefined,
): Promise<boolean> {
  const stopped = await readStoppedMark(hook);
  if (stopped !== undefined) {
    await finishRemoval(hook);
    const copies = request?.phase === 'clone' && request.id === stopped;
    if (copies && !(await emptyMember(hook, cluster, stopped))) return true;
    await startStopped(hook, copies);
  }
  if ((await cluster.unitData())[stoppedKey] !== undefined) {
    cluster.setUnit({ [stoppedKey]: undefined });
  }
  return false;
}

async function startStopped(hook: PostgresqlHook, copies: boolean) {
  // A hook that was killed before it emptied anything has left that mark, beside the data of before.
  if (!copies) await removeCopiedMark(hook);
  await removeStoppedMark(hook);
  // A new container is started by its own event, and so is a member without data to go back to.
  const starts = copies || (await hasData(hook));
  if (starts && !(await isNewContainer(hook))) await resumeService(hook);
}

/** The data of before go, right after a look at whether there are others to copy. */
async function emptyMember(
  hook: PostgresqlHook,
  cluster: Cluster,
  request: string,
): Promise<boolean> {
  const primary = await otherLeader(cluster);
  if (primary === undefined) return false;
  await stopDatabase(hook);
  // On a full volume these data have to go first; until this unit is started, the other mark is there, too.
  const isWritten = await writeCopiedIfRoom(hook, request);
  await clearDataDirectory(hook, 'removed');
  if (!isWritten) await writeCopiedMark(hook, request);
  hook.log('INFO', `the data of before the restore are gone; those of ${primary} are copied`);
  return true;
}

/** Another unit that leads, by its own word. */
export async function otherLeader(cluster: Cluster): Promise<string | undefined> {
  const leader = await cluster.primary();
  if (leader === undefined || leader === cluster.unit) return undefined;
  try {
    return (await (await cluster.patroni(leader)).isLeader()) ? leader : undefined;
  } catch (error) {
    if (error instanceof PatroniError) return undefined;
    throw error;
  }
}
