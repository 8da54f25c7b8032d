// Retention that changed is applied at once, instead of after the next backup. The leader does it, as
// the last step of a hook: everything that serves clients comes first.

import { CodedError } from '../lib/base/error.ts';
import { type Cluster, isRestoring, type PostgresqlHook } from './adapters/cluster.ts';
import { lookAtBackups } from './adapters/last-backup.ts';
import { expire, info } from './adapters/pgbackrest.ts';
import { readRepository, readRetention, renewRepositoryConfig } from './adapters/repository.ts';
import { useOf } from './adapters/repository-in-use.ts';
import { readBackupActivity, withLock } from './adapters/running-backup.ts';
import { keepAll, retentionText } from './core/backups/retention.ts';
import { quietly } from './quietly.ts';
import { isConcerned, updateBackupServer } from './tls.ts';

/** What the databag says while a change waits. */
const pending = 'pending';

/**
 * pgBackRest's file follows the option on every unit, and the leader applies what changed.
 * update-status only takes up what had to wait.
 */
export async function followRetention(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const { stanza, retention } = await cluster.appData();
  if (stanza === undefined) return;
  if (hook.event.name === 'update-status' && retention !== pending) return;
  if ((await renewRepositoryConfig(hook, cluster)) !== 'ready') return;
  // Writing may have stopped the server.
  if (await isConcerned(cluster)) await updateBackupServer(quietly(hook), cluster);
  if (await hook.juju.isLeader()) await applyRetention(hook, cluster);
}

/** The same for the leader, once pgBackRest's file is written. */
export async function applyRetention(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const app = await cluster.appData();
  const { stanza, retention: applied } = app;
  if (stanza === undefined || isRestoring(app)) return;
  const reading = await readRepository(hook);
  // Where nobody has looked yet there may be backups of others; whoever does applies it.
  if (reading.kind !== 'ready' || (await useOf(cluster, reading.parameters)) !== 'this') return;
  const wanted = retentionText(await readRetention(hook, reading.parameters));
  // Nobody has ever asked for less than everything.
  if (wanted === (applied ?? retentionText(keepAll))) return;
  const waits = await expireNow(hook, cluster, stanza);
  if (waits === undefined) hook.log('INFO', `retention of ${wanted} has been applied`);
  else hook.log('WARNING', `retention of ${wanted} is applied later: ${waits}`);
  cluster.setApp({ 'retention-applied': waits === undefined ? wanted : pending });
}

/** Why it has to wait, if it has to. */
async function expireNow(
  hook: PostgresqlHook,
  cluster: Cluster,
  stanza: string,
): Promise<string | undefined> {
  const { pebble } = hook.ports;
  try {
    const activity = await readBackupActivity(hook, cluster);
    const own = (await info(pebble)).find(({ name }) => name === stanza);
    const seen = withLock(activity, own);
    if (seen !== 'none') {
      return seen === 'running' ? 'a backup is being made' : 'the primary does not answer';
    }
    const removed = await expire(pebble, { stanza });
    for (const line of removed) hook.log('INFO', `retention: ${line}`);
    await lookAtBackups(hook, cluster);
    return undefined;
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return error.message;
  }
}
