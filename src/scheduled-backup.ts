// A backup that is due, made by this unit under the rules of create-backup: whether it has to wait, whether
// it is there already, and what has become of it.

import { CodedError } from '../lib/base/error.ts';
import { type Cluster, isRestoring, type PostgresqlHook } from './adapters/cluster.ts';
import { countFailure, noteBackups } from './adapters/last-backup.ts';
import { endLongWork } from './adapters/long-work.ts';
import { info } from './adapters/pgbackrest.ts';
import { readBackupActivity } from './adapters/running-backup.ts';
import { admitBackup } from './backup-admission.ts';
import { performBackup } from './backup-run.ts';
import { type Backup, typeOfLabel, usableBackups } from './core/backups/backup-list.ts';
import { standsFor } from './core/backups/backup-types.ts';
import type { BackupAnswer } from './core/backups/order.ts';
import type { OpenRun } from './core/backups/schedule.ts';
import { quietly } from './quietly.ts';

export type DueBackup = Pick<BackupAnswer, 'made' | 'failure'>;

export const backupRuns = 'a backup is being made';

/** What ends by itself, and is no reason to say that a backup was missed. */
export async function reasonToWait(
  hook: PostgresqlHook,
  cluster: Cluster,
): Promise<string | undefined> {
  const app = await cluster.appData();
  if (isRestoring(app)) return 'a restore is under way';
  if (app.restartRound !== undefined && app.restartFailure === undefined) {
    return 'members are being restarted';
  }
  if ((await cluster.patroniCluster())?.paused === true) return 'failover is paused';
  const activity = await readBackupActivity(hook, cluster);
  return activity === 'running' ? backupRuns : undefined;
}

/** What there is; none when the repository cannot be asked, which the attempt will tell. */
export async function readBackups(
  hook: PostgresqlHook,
  cluster: Cluster,
): Promise<readonly Backup[]> {
  const { stanza } = await cluster.appData();
  if (stanza === undefined) return [];
  try {
    const stanzas = await info(hook.ports.pebble);
    await noteBackups(hook, cluster, stanzas);
    return usableBackups(stanzas, stanza);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return [];
  }
}

/** The one that was due, whoever made it: perhaps a hook of this unit that was killed after that. */
export async function takeDue(
  hook: PostgresqlHook,
  backups: readonly Backup[],
  { type, due }: OpenRun,
): Promise<DueBackup | undefined> {
  const there = backups.find((one) => one.startSeconds >= due && standsFor(one.type, type));
  if (there === undefined) return undefined;
  await endLongWork(hook);
  return { made: { id: there.id, type: there.type, start: there.startSeconds } };
}

/** Makes it; one that is refused counts as one that failed. */
export async function makeDue(
  hook: PostgresqlHook,
  cluster: Cluster,
  { type }: OpenRun,
): Promise<DueBackup> {
  const silent = quietly(hook);
  const start = Math.floor(hook.ports.clock.nowMs() / 1000);
  const admitted = await admitBackup(silent, cluster);
  if ('refusal' in admitted) {
    await countFailure(silent, cluster);
    return { failure: admitted.refusal };
  }
  const say = async (line: string): Promise<void> => {
    hook.log('DEBUG', `scheduled backup: ${line}`);
    await Promise.resolve();
  };
  const made = await performBackup(silent, cluster, { ...admitted, type, say });
  if ('failure' in made) return made;
  const actual = typeOfLabel(made.label);
  if (actual !== type)
    hook.log('INFO', `${made.id} is ${actual} because there was no full one before`);
  return { made: { id: made.id, type: actual, start } };
}
