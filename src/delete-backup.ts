// delete-backup: takes one backup out of the repository, with those that cannot be restored without
// it. Only the leader does it, because pgBackRest's own lock does not reach beyond a pod.

import { CodedError } from '../lib/base/error.ts';
import type { Handler } from '../lib/juju/hook.ts';
import { clearLogs } from './adapters/backup-logs.ts';
import { type Cluster, isRestoring, openCluster, type PostgresqlHook } from './adapters/cluster.ts';
import { noteBackups } from './adapters/last-backup.ts';
import { expire, info, removeManifest, repositoryBytes } from './adapters/pgbackrest.ts';
import { readRepository, reasonWithHint, refusalOf, writeIfKnown } from './adapters/repository.ts';
import { checkReachable } from './adapters/repository-access.ts';
import { useOf } from './adapters/repository-in-use.ts';
import { readBackupActivity, withLock } from './adapters/running-backup.ts';
import { shown } from './core/action-parameters.ts';
import type { Backup, StanzaInfo } from './core/backups/backup-list.ts';
import { type Deletion, planDeletion } from './core/backups/deletion.ts';
import type { PostgresqlPorts } from './ports.ts';

interface Refusal {
  readonly refusal: string;
}

export const deleteBackup: Handler<PostgresqlPorts> = async (hook) => {
  const action = hook.juju.action();
  const { 'backup-id': given, dependents, force } = await action.params();
  const id = typeof given === 'string' ? given.trim() : '';
  try {
    const admitted = id === '' ? noId : await admit(hook);
    if ('refusal' in admitted) {
      action.fail(admitted.refusal);
      return;
    }
    const request = { id, dependents: dependents === true, force: force === true };
    const backups = await readBackups(hook, admitted);
    const plan = 'refusal' in backups ? backups : planDeletion(backups.backups, request, shown(id));
    if ('refusal' in plan) action.fail(plan.refusal);
    else await perform(hook, admitted, plan);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    action.fail(`Failed to delete the backup: ${reasonWithHint(error)}`);
  }
};

const noId: Refusal = { refusal: 'A backup-id needs to be provided to be able to delete a backup' };

interface Admitted {
  readonly cluster: Cluster;
  /** The own one: backups of other clusters are not ours to delete. */
  readonly stanza: string;
}

async function admit(hook: PostgresqlHook): Promise<Admitted | Refusal> {
  const cluster = await openCluster(hook);
  if (cluster === undefined || !(await hook.ports.pebble.canConnect())) {
    return { refusal: 'Workload container not ready yet!' };
  }
  if (!(await hook.juju.isLeader())) {
    return { refusal: 'Only the leader deletes backups: run the action on it.' };
  }
  const reading = await readRepository(hook);
  if (reading.kind !== 'ready') return { refusal: refusalOf(reading) ?? '' };
  const app = await cluster.appData();
  const { stanza } = app;
  if (isRestoring(app)) {
    return { refusal: 'A backup is being restored; nothing has been changed.' };
  }
  if (stanza === undefined) return { refusal: 'Stanza was not initialised' };
  if ((await useOf(cluster, reading.parameters)) === 'another') return notLookedAt;
  await checkReachable(hook, reading.parameters);
  const unwritten = await writeIfKnown(hook, cluster, reading.parameters);
  return unwritten === undefined ? { cluster, stanza } : { refusal: unwritten };
}

/** Its backups may be those of others. */
const notLookedAt: Refusal = {
  refusal:
    'The repository that the S3 settings name has not been set up yet; nothing has been deleted.',
};

/** Those of the stanza, unless one is being made. */
async function readBackups(
  hook: PostgresqlHook,
  { cluster, stanza }: Admitted,
): Promise<{ readonly backups: readonly Backup[] } | Refusal> {
  const activity = await readBackupActivity(hook, cluster);
  const own = await readStanza(hook, stanza);
  switch (withLock(activity, own)) {
    case 'running':
      return { refusal: 'A backup is being made; run the action again when it has ended.' };
    case 'unknown':
      return {
        refusal:
          'The primary does not answer, so a backup may be running; nothing has been changed.',
      };
    case 'none':
      return { backups: own?.backups ?? [] };
  }
}

async function readStanza(hook: PostgresqlHook, stanza: string): Promise<StanzaInfo | undefined> {
  return (await info(hook.ports.pebble)).find(({ name }) => name === stanza);
}

async function perform(
  hook: PostgresqlHook,
  { cluster, stanza }: Admitted,
  { backup, doomed, isLastFull, fullsLeft }: Deletion,
): Promise<void> {
  const { pebble } = hook.ports;
  const action = hook.juju.action();
  const ids = doomed.map(({ id }) => id).join(', ');
  const before = await repositoryBytes(pebble, stanza);
  await action.log(`deleting ${ids}`);
  if (isLastFull) await removeManifest(pebble, { stanza, label: backup.label });
  const chosen = isLastFull ? {} : { label: backup.label, fullsLeft };
  const removed = await expire(pebble, { stanza, ...chosen });
  for (const line of removed) hook.log('INFO', `delete-backup: ${line}`);
  const stanzas = await info(pebble);
  await noteBackups(hook, cluster, stanzas);
  const rest = stanzas.find(({ name }) => name === stanza)?.backups ?? [];
  if (rest.some(({ label }) => label === backup.label)) {
    action.fail(`pgBackRest did not delete ${backup.id}, see the log`);
    return;
  }
  await clearLogs(hook, stanza, stanzas);
  const after = await repositoryBytes(pebble, stanza);
  action.setResults({
    deleted: ids,
    'repo-bytes-before': String(before),
    'repo-bytes-after': String(after),
    'freed-bytes': String(before - after),
  });
}
