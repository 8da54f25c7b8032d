// The create-backup action as its flowchart draws it.

import { CodedError } from '../lib/base/error.ts';
import type { S3Parameters } from '../lib/interfaces/s3-fields.ts';
import type { Handler } from '../lib/juju/hook.ts';
import type { Action } from '../lib/juju/juju.ts';
import {
  type Cluster,
  isStarted,
  isTlsEnabled,
  openCluster,
  ownMember,
  type PostgresqlHook,
} from './adapters/cluster.ts';
import { applyConfiguration } from './adapters/configuration.ts';
import { ObjectStoreError } from './adapters/object-store-error.ts';
import { backup, info, PgbackrestError } from './adapters/pgbackrest.ts';
import {
  objectKey,
  openRepositoryStore,
  readRepository,
  reasonWithHint,
  refusalOf,
} from './adapters/repository.ts';
import { shown } from './core/action-parameters.ts';
import { idOfLabel, usableBackups } from './core/backups/backup-list.ts';
import { stanzaName } from './core/names.ts';
import { creatingBackup, isCipherMessage } from './core/status.ts';
import type { PostgresqlPorts } from './ports.ts';
import { followBackupServer } from './tls.ts';

type PostgresqlHandler = Handler<PostgresqlPorts>;

const backupTypes: Readonly<Record<string, 'full' | 'diff' | 'incr'>> = {
  full: 'full',
  differential: 'diff',
  incremental: 'incr',
};

/** docs/flowcharts/create-backup.mmd */
export const createBackup: PostgresqlHandler = async (hook) => {
  const action = hook.juju.action();
  const given = (await action.params())['type'];
  const typeName = typeof given === 'string' ? given : 'full';
  const type = backupTypes[typeName];
  if (type === undefined) {
    action.fail(
      `Invalid backup type: ${shown(typeName)}. Possible values: ${Object.keys(backupTypes).join(', ')}.`,
    );
    return;
  }
  const cluster = await openCluster(hook);
  if (cluster === undefined) {
    action.fail('Unit cannot perform backups as the cluster has not started yet');
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
  await performBackup(hook, cluster, { ...admitted, type });
};

/** pgBackRest would quietly make a full backup instead. What cannot be told is no reason to refuse. */
async function lacksFullBackup(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  const { stanza } = await cluster.appData();
  if (stanza === undefined || (await readRepository(hook)).kind !== 'ready') return false;
  try {
    return usableBackups(await info(hook.ports.pebble), stanza).length === 0;
  } catch (error) {
    if (error instanceof PgbackrestError) return false;
    throw error;
  }
}

interface AdmittedMember {
  readonly stanza: string;
  readonly replica: boolean;
}

interface AdmittedBackup extends AdmittedMember {
  readonly parameters: S3Parameters;
}

interface Refusal {
  readonly refusal: string;
}

/** All that must hold before a backup starts; the first that does not is the refusal. */
async function admitBackup(
  hook: PostgresqlHook,
  cluster: Cluster,
): Promise<AdmittedBackup | Refusal> {
  const member = await admitMember(hook, cluster);
  if ('refusal' in member) return member;
  const repository = await admitRepository(hook, cluster);
  return 'refusal' in repository ? repository : { ...member, ...repository };
}

async function admitMember(
  hook: PostgresqlHook,
  cluster: Cluster,
): Promise<AdmittedMember | Refusal> {
  const { walk } = hook;
  if (walk.decide('is_blocked', await isBlocked(hook, cluster))) {
    return { refusal: 'Unit is in a blocking state' };
  }
  const { primary, started, tls, stanza } = await observeMember(cluster);
  const several = (await cluster.units()).length > 1;
  if (walk.decide('is_primary_tls_enabled_multiple_unit_cluster', primary && tls && several)) {
    return { refusal: 'Unit cannot perform backups as it is the cluster primary' };
  }
  if (walk.decide('is_replica_tls_disabled', !primary && !tls)) {
    return { refusal: replicaRefusal(await cluster.primary()) };
  }
  if (!walk.decide('has_stanza_been_initialises', stanza !== undefined) || stanza === undefined) {
    return { refusal: await stanzaRefusal(hook, started) };
  }
  return { stanza, replica: !primary };
}

/** By more than an option of encryption: a repository in use goes on as it is. */
async function isBlocked(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  const status = await hook.juju.unitStatus();
  if (status?.level !== 'blocked') return false;
  const { stanza } = await cluster.appData();
  return stanza === undefined || !isCipherMessage(status.message);
}

async function observeMember(cluster: Cluster) {
  const seen = await cluster.patroniCluster();
  const member = seen === undefined ? undefined : ownMember(seen, cluster.unit);
  const started = member !== undefined && isStarted(member.state);
  return {
    primary: member?.role === 'leader',
    started,
    tls: await isTlsEnabled(cluster),
    /** Only a member that runs has one to back up into. */
    stanza: started ? (await cluster.appData()).stanza : undefined,
  };
}

async function admitRepository(
  hook: PostgresqlHook,
  cluster: Cluster,
): Promise<{ readonly parameters: S3Parameters } | Refusal> {
  const { walk } = hook;
  const reading = await readRepository(hook);
  if (!walk.decide('is_s3_relation_established', reading.kind !== 'no-relation')) {
    return { refusal: refusalOf(reading) ?? '' };
  }
  const missing = reading.kind !== 'ready';
  if (walk.decide('has_missing_s3_parameters', missing) || missing) {
    return { refusal: refusalOf(reading) ?? '' };
  }
  const failure = await uploadMetadata(hook, cluster, reading.parameters);
  const uploaded = failure === undefined;
  if (!walk.decide('was_possible_upload_metadata_file_test_connectivity_s3', uploaded)) {
    return { refusal: `Failed to upload metadata to provided S3: ${failure ?? ''}` };
  }
  return { parameters: reading.parameters };
}

function replicaRefusal(primary: string | undefined): string {
  if (primary === undefined) {
    return 'Unit cannot perform backups as the database seems to be offline';
  }
  return `Unit cannot perform backups as TLS is not enabled; run it on the primary, ${primary}`;
}

/** Without an S3 relation there cannot be a stanza: say what to do rather than what is not there. */
async function stanzaRefusal(hook: PostgresqlHook, started: boolean): Promise<string> {
  if (!started) return "Unit cannot perform backups as it's not in running state";
  return refusalOf(await readRepository(hook)) ?? 'Stanza was not initialised';
}

async function uploadMetadata(
  hook: PostgresqlHook,
  cluster: Cluster,
  parameters: S3Parameters,
): Promise<string | undefined> {
  const { context } = hook.juju;
  const time = isoTime(hook);
  const text = [
    `Date Backup Requested: ${time}`,
    `Model Name: ${context.modelName}`,
    `Application Name: ${context.app}`,
    `Unit Name: ${context.unit}`,
    `Juju Version: ${context.jujuVersion}`,
    '',
  ].join('\n');
  const stanza = stanzaName(cluster.namespace, cluster.app);
  try {
    await openRepositoryStore(hook, parameters).put(
      objectKey(parameters, `backup/${stanza}/latest`),
      text,
    );
    return undefined;
  } catch (error) {
    if (!(error instanceof ObjectStoreError)) throw error;
    return reasonWithHint(error);
  }
}

function isoTime(hook: PostgresqlHook): string {
  return new Date(hook.ports.clock.nowMs()).toISOString().replace(/\.\d+Z$/, 'Z');
}

type BackupRequest = AdmittedBackup & { readonly type: 'full' | 'diff' | 'incr' };

async function performBackup(
  hook: PostgresqlHook,
  cluster: Cluster,
  request: BackupRequest,
): Promise<void> {
  const { walk, juju } = hook;
  const action = juju.action();
  if (walk.decide('is_replica', request.replica)) {
    walk.step('block_new_connections');
    cluster.setUnit({ connectivity: 'off' });
    await applyConfiguration(hook, cluster);
    await followBackupServer(hook, cluster);
  }
  walk.step('set_maintenance');
  await juju.showProgress(creatingBackup);
  const outcome = await runBackup(hook, request);
  if (walk.decide('has_backup_creation_succeeded', outcome.label !== undefined)) {
    const id = idOfLabel(outcome.label ?? '');
    const uploaded = await uploadLog(hook, request, { name: id, text: outcome.log });
    if (walk.decide('were_backup_logs_uploaded_s3', uploaded)) {
      walk.step('finish_action');
      action.setResults({ 'backup-status': 'backup created', 'backup-id': id });
    } else {
      walk.step('fail_action2');
      action.fail('Error uploading logs to S3');
    }
  } else {
    walk.step('upload_error_logs_s3');
    const name = `failed-${isoTime(hook)}`;
    await uploadLog(hook, request, { name, text: outcome.log });
    walk.step('fail_action2');
    action.fail(`Failed to backup PostgreSQL with error: ${outcome.failure}`);
  }
  if (walk.decide('is_replica2', request.replica)) {
    walk.step('allow_new_connections');
    cluster.setUnit({ connectivity: undefined });
    await applyConfiguration(hook, cluster);
  } else {
    walk.step('set_active');
  }
}

interface BackupOutcome {
  readonly label: string | undefined;
  readonly failure: string;
  readonly log: string;
}

async function runBackup(hook: PostgresqlHook, request: BackupRequest): Promise<BackupOutcome> {
  const progress = createProgress(hook, hook.juju.action());
  try {
    const result = await backup(hook.ports.pebble, {
      stanza: request.stanza,
      type: request.type,
      replica: request.replica,
      onLine: progress.say,
    });
    const named = /new backup label = (\S+)/.exec(result.stdout)?.[1];
    const label = named ?? (await newestLabel(hook, request.stanza));
    return { label, failure: 'pgBackRest named no backup', log: logText(result) };
  } catch (error) {
    if (error instanceof PgbackrestError) {
      return { label: undefined, failure: error.message, log: logText(error) };
    }
    if (error instanceof CodedError) {
      return { label: undefined, failure: error.message, log: `${error.message}\n` };
    }
    throw error;
  } finally {
    await progress.sent();
  }
}

/**
 * Lets clients in again whom a backup kept out that was killed before it could. Only a replica with
 * certificates can have been backed up that way.
 */
export async function endInterruptedBackup(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const { stanza } = await cluster.appData();
  if (stanza === undefined || !(await isTlsEnabled(cluster))) return;
  if ((await cluster.health())?.role === 'replica') await applyConfiguration(hook, cluster);
}

async function newestLabel(hook: PostgresqlHook, stanza: string): Promise<string | undefined> {
  return usableBackups(await info(hook.ports.pebble), stanza).at(-1)?.label;
}

function logText(output: { readonly stdout: string; readonly stderr: string }): string {
  return `Stdout:\n${output.stdout}\n\nStderr:\n${output.stderr}\n`;
}

const progressIntervalMs = 5_000;

// pgBackRest's repetition of its own options is no progress.
const commandLine = /INFO: \w+ command begin/;

/** Sends pgBackRest's own lines to the action's log, at most one in five seconds. */
function createProgress(hook: PostgresqlHook, action: Action) {
  let nextMs = 0;
  let sending = Promise.resolve();
  return {
    say: (line: string): void => {
      const now = hook.ports.clock.nowMs();
      if (now < nextMs || line.trim() === '' || commandLine.test(line)) return;
      nextMs = now + progressIntervalMs;
      sending = sending.then(async () => {
        await action.log(line.trim());
      });
    },
    sent: async (): Promise<void> => {
      await sending;
    },
  };
}

async function uploadLog(
  hook: PostgresqlHook,
  request: BackupRequest,
  log: { readonly name: string; readonly text: string },
): Promise<boolean> {
  const key = objectKey(request.parameters, `backup/${request.stanza}/${log.name}/backup.log`);
  try {
    await openRepositoryStore(hook, request.parameters).put(key, log.text);
    return true;
  } catch (error) {
    if (!(error instanceof ObjectStoreError)) throw error;
    hook.log('ERROR', `cannot upload the backup's log: ${error.message}`);
    return false;
  }
}
