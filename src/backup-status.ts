// What the leader's status says about backups: one that was missed, and the age of the last one. From
// what the peer databag remembers: no tool is run for it.

import type { AppData, Cluster, PostgresqlHook } from './adapters/cluster.ts';
import { missedRun, parseSchedule } from './core/backups/schedule.ts';
import type { Settings } from './core/config/settings.ts';
import { backupMissed, lastBackupAge, noBackupYet } from './core/status.ts';

/** Remarks; none where neither a schedule nor a warning is set. */
export async function backupRemarks(
  hook: PostgresqlHook,
  cluster: Cluster,
  settings: Settings | undefined,
): Promise<readonly string[]> {
  const app = await cluster.appData();
  const hours = settings?.backupAgeWarningHours;
  if (app.backupSchedule === undefined && hours === undefined) return [];
  if (!(await hook.juju.isLeader())) return [];
  const { tooOld, ...schedule } = parseSchedule(app.backupSchedule);
  const missed = missedRun(schedule);
  const limits = [hours === undefined ? Infinity : hours * 3600, tooOld ?? Infinity];
  const age = ageRemark(app, hook.ports.clock.nowMs() / 1000, {
    limit: Math.min(...limits),
    warns: hours !== undefined,
  });
  return [
    ...(missed === undefined ? [] : [backupMissed(missed)]),
    ...(age === undefined ? [] : [age]),
  ];
}

/** Without any backup a schedule speaks for itself, by what it has missed. */
function ageRemark(
  { stanza, lastBackup }: AppData,
  nowSeconds: number,
  { limit, warns }: { readonly limit: number; readonly warns: boolean },
): string | undefined {
  const none =
    stanza === undefined || (lastBackup !== undefined && lastBackup.backup === undefined);
  if (none) return warns ? noBackupYet : undefined;
  const stop = lastBackup?.backup?.stop;
  if (stop === undefined || nowSeconds - stop <= limit) return undefined;
  return lastBackupAge(nowSeconds - stop);
}
