// Remembers which backup is the newest good one, for statuses that must not ask pgBackRest, and writes
// it down for collectors of metrics.

import { CodedError } from '../../lib/base/error.ts';
import { type StanzaInfo, usableBackups } from '../core/backups/backup-list.ts';
import {
  isSameBackup,
  type LastBackup,
  lastOf,
  parseLastBackup,
} from '../core/backups/last-backup.ts';
import { failuresIn, renderBackupMetrics } from '../core/backups/metrics.ts';
import { backupMetricsPath } from '../core/names.ts';
import type { Cluster, PostgresqlHook } from './cluster.ts';
import { info } from './pgbackrest.ts';
import { pushIfChanged } from './workload.ts';

const key = 'last-backup';

/** After a look at all stanzas: the leader's word is for all, that of others until it has read it. */
export async function noteBackups(
  hook: PostgresqlHook,
  cluster: Cluster,
  stanzas: readonly StanzaInfo[],
): Promise<void> {
  const { stanza, lastBackup } = await cluster.appData();
  if (stanza === undefined) return;
  const last = lastOf(usableBackups(stanzas, stanza), hook.ports.clock.nowMs() / 1000);
  if (await hook.juju.isLeader()) {
    if (!isSameBackup(last, lastBackup)) cluster.setApp({ [key]: JSON.stringify(last) });
  } else {
    const own = newer(lastBackup, parseLastBackup((await cluster.unitData())[key]));
    if (!isSameBackup(last, own)) cluster.setUnit({ [key]: JSON.stringify(last) });
  }
  await writeMetrics(hook, last, 0);
}

/** The same after something has been done that may have changed it; gives what it saw. */
export async function lookAtBackups(
  hook: PostgresqlHook,
  cluster: Cluster,
): Promise<readonly StanzaInfo[]> {
  try {
    const stanzas = await info(hook.ports.pebble);
    await noteBackups(hook, cluster, stanzas);
    return stanzas;
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    hook.log('WARNING', `cannot tell which backup is the last one: ${error.message}`);
    return [];
  }
}

/** One more backup that came to nothing. */
export async function countFailure(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const { lastBackup } = await cluster.appData();
  const own = parseLastBackup((await cluster.unitData())[key]);
  await writeMetrics(hook, newer(lastBackup, own) ?? { seen: 0 }, 1);
}

/** The leader takes over what another unit has seen since. */
export async function adoptLastBackup(
  hook: PostgresqlHook,
  cluster: Cluster,
  unit: string,
): Promise<void> {
  const { stanza, lastBackup } = await cluster.appData();
  const told = parseLastBackup((await cluster.peers.data(unit))[key]);
  if (stanza === undefined || told === undefined) return;
  if (newer(lastBackup, told) !== told || isSameBackup(told, lastBackup)) return;
  cluster.setApp({ [key]: JSON.stringify(told) });
  await writeMetrics(hook, told, 0);
}

function newer(one: LastBackup | undefined, other: LastBackup | undefined): LastBackup | undefined {
  return one === undefined || (other !== undefined && other.seen > one.seen) ? other : one;
}

/** A file that cannot be written is no reason to fail a backup. */
async function writeMetrics(hook: PostgresqlHook, last: LastBackup, failures: number) {
  try {
    const before = failuresIn(await hook.ports.pebble.pull(backupMetricsPath));
    const content = renderBackupMetrics(last, before + failures);
    await pushIfChanged(hook, { path: backupMetricsPath, content, mode: '0644' });
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    hook.log('WARNING', `cannot write ${backupMetricsPath}: ${error.message}`);
  }
}
