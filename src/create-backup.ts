// The create-backup action as its flowchart draws it.

import type { Handler } from '../lib/juju/hook.ts';
import {
  type Cluster,
  isTlsEnabled,
  openCluster,
  type PostgresqlHook,
} from './adapters/cluster.ts';
import { applyConfiguration } from './adapters/configuration.ts';
import { ObjectStoreError } from './adapters/object-store-error.ts';
import { info, PgbackrestError } from './adapters/pgbackrest.ts';
import { readRepository } from './adapters/repository.ts';
import { checkReachable } from './adapters/repository-access.ts';
import { readBackupActivity } from './adapters/running-backup.ts';
import { admitBackup } from './backup-admission.ts';
import { performBackup } from './backup-run.ts';
import { followSchedule } from './backup-schedule.ts';
import { shown } from './core/action-parameters.ts';
import { usableBackups } from './core/backups/backup-list.ts';
import { backupTypes } from './core/backups/backup-types.ts';
import type { PostgresqlPorts } from './ports.ts';

/** docs/flowcharts/create-backup.mmd */
export const createBackup: Handler<PostgresqlPorts> = async (hook) => {
  const action = hook.juju.action();
  const given = (await action.params())['type'];
  const typeName = typeof given === 'string' ? given : 'full';
  const type = backupTypes.find((name) => name === typeName);
  if (type === undefined) {
    action.fail(
      `Invalid backup type: ${shown(typeName)}. Possible values: ${backupTypes.join(', ')}.`,
    );
    return;
  }
  const cluster = await openCluster(hook);
  if (cluster === undefined) {
    action.fail('Unit cannot perform backups as the cluster has not started yet');
    return;
  }
  // pgBackRest would find out only when this attempt has left its traces in the repository.
  if ((await readBackupActivity(hook, cluster)) === 'running') {
    action.fail('A backup is being made; run the action again when it has ended.');
    return;
  }
  if (type !== 'full' && (await lacksFullBackup(hook, cluster))) {
    action.fail(`Invalid backup type: ${shown(typeName)}. No previous full backup to reference.`);
    return;
  }
  const admitted = await admitBackup(hook, cluster);
  if ('refusal' in admitted) {
    hook.walk.step('fail_action');
    action.fail(admitted.refusal);
    return;
  }
  const say = async (line: string): Promise<void> => {
    await action.log(line);
  };
  const made = await performBackup(hook, cluster, { ...admitted, type, say });
  if ('failure' in made) action.fail(made.failure);
  else action.setResults({ 'backup-status': 'backup created', 'backup-id': made.id });
  await followSchedule(hook, cluster);
};

/** pgBackRest would quietly make a full backup instead. What cannot be told is no reason to refuse. */
async function lacksFullBackup(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  const { stanza } = await cluster.appData();
  const reading = await readRepository(hook);
  if (stanza === undefined || reading.kind !== 'ready') return false;
  try {
    await checkReachable(hook, reading.parameters);
    return usableBackups(await info(hook.ports.pebble), stanza).length === 0;
  } catch (error) {
    if (error instanceof PgbackrestError || error instanceof ObjectStoreError) return false;
    throw error;
  }
}

/**
 * Lets clients in again whom a backup kept out that was killed before it could. Only a replica with
 * certificates can have been backed up that way, which may be the primary by now.
 */
export async function endInterruptedBackup(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const { stanza } = await cluster.appData();
  if (stanza === undefined || !(await isTlsEnabled(cluster))) return;
  if ((await cluster.health()) !== undefined) await applyConfiguration(hook, cluster);
}
