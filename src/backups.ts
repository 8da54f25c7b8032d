// Backups: the s3 relation, create-backup and list-backups, each as its flowchart draws it.

import { CodedError } from '../lib/base/error.ts';
import { poll } from '../lib/base/retry.ts';
import { requestS3 } from '../lib/interfaces/s3.ts';
import type { S3Parameters, S3Reading } from '../lib/interfaces/s3-fields.ts';
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
  refusalOf,
  removeRepositoryConfig,
  writeRepositoryConfig,
} from './adapters/repository.ts';
import { idOfLabel, renderBackupTable, usableBackups } from './core/backups/backup-list.ts';
import { s3Endpoint, stanzaName } from './core/names.ts';
import { creatingBackup, isS3Message } from './core/status.ts';
import type { PostgresqlPorts } from './ports.ts';
import { quietly } from './quietly.ts';
import { initialiseStanza, startArchiving, stopArchiving } from './stanza.ts';
import { updateBackupServer } from './tls.ts';

type PostgresqlHandler = Handler<PostgresqlPorts>;

/** Asks the integrator for storage. */
export const s3RelationCreated: PostgresqlHandler = async (hook) => {
  const relation = await s3Relation(hook);
  if (relation !== undefined && (await hook.juju.isLeader())) requestS3(relation);
};

async function s3Relation(hook: PostgresqlHook) {
  const { event, juju } = hook;
  if (event.kind !== 'relation') return undefined;
  return juju.relationById(event.relation.endpoint, event.relation.id);
}

/** docs/flowcharts/s3-credentials-changed.mmd */
export const s3CredentialsChanged: PostgresqlHandler = async (hook) => {
  const { walk } = hook;
  const cluster = await openCluster(hook);
  const initialised = cluster !== undefined && (await cluster.appData()).initialised;
  if (!walk.decide('has_cluster_initialised', initialised) || cluster === undefined) {
    walk.step('defer');
    hook.defer();
    return;
  }
  const reading = await awaitRepository(hook);
  const ready = reading.kind === 'ready' ? reading.parameters : undefined;
  if (
    !walk.decide('are_all_required_settings_provided', ready !== undefined) ||
    ready === undefined
  ) {
    walk.step('rtn');
    return;
  }
  walk.step('render_pgbackrest_config');
  await writeRepositoryConfig(hook, cluster, ready);
  // Writing may have stopped the server, which is needed whatever becomes of the rest.
  await updateBackupServer(quietly(hook), cluster);
  if (!walk.decide('is_leader', await hook.juju.isLeader())) {
    walk.step('rtn');
    return;
  }
  if (walk.decide('is_blocked', await isBlocked(hook))) {
    walk.step('rtn');
    return;
  }
  await initialiseRepository(hook, cluster, ready);
};

// Juju 4 commits a hook's relation data before its secret grants: for a moment there is a secret
// that this unit may not read yet, and no event tells when it may.
const grantPatience = { intervalMs: 500, timeoutMs: 5_000 };

async function awaitRepository(hook: PostgresqlHook): Promise<S3Reading> {
  const settled = await poll({ clock: hook.ports.clock, ...grantPatience }, async () => {
    const reading = await readRepository(hook);
    return reading.kind === 'missing' && (await hasSecret(hook)) ? undefined : reading;
  });
  return settled ?? (await readRepository(hook));
}

async function hasSecret(hook: PostgresqlHook): Promise<boolean> {
  const relation = await hook.juju.relation(s3Endpoint);
  const provider = await relation?.app();
  if (relation === undefined || provider === undefined) return false;
  return (await relation.data(provider))['secret-extra'] !== undefined;
}

/** Whether the unit is Blocked by something other than S3, which this flow is about to heal. */
async function isBlocked(hook: PostgresqlHook): Promise<boolean> {
  const status = await hook.juju.unitStatus();
  return status?.level === 'blocked' && !isS3Message(status.message);
}

async function initialiseRepository(
  hook: PostgresqlHook,
  cluster: Cluster,
  parameters: S3Parameters,
): Promise<void> {
  const { walk } = hook;
  const block = (message: string): void => {
    walk.step('set_blocked');
    cluster.setApp({ 's3-initialization-block-message': message, stanza: undefined });
    walk.step('rtn');
  };
  const noStanza = await initialiseStanza(hook, cluster, parameters);
  if (!walk.decide('could_initialise_stanza', noStanza === undefined)) {
    await stopArchiving(cluster);
    block(noStanza ?? '');
    return;
  }
  const noArchiving = await startArchiving(hook, cluster, parameters);
  if (!walk.decide('is_wal_archiving_to_s3_working', noArchiving === undefined)) {
    await stopArchiving(cluster);
    block(noArchiving ?? '');
    return;
  }
  cluster.setApp({
    stanza: stanzaName(cluster.namespace, cluster.app),
    's3-initialization-block-message': undefined,
  });
  await updateBackupServer(hook, cluster);
}

/** The relation is gone: no keys stay in the workload, WAL is not kept for a place that is gone. */
export const s3RelationBroken: PostgresqlHandler = async (hook) => {
  const cluster = await openCluster(hook);
  if (cluster === undefined || !(await hook.ports.pebble.canConnect())) return;
  if (await hook.juju.isLeader()) {
    cluster.setApp({ stanza: undefined, 's3-initialization-block-message': undefined });
    if ((await cluster.health()) !== undefined) await stopArchiving(cluster);
  }
  await removeRepositoryConfig(hook);
};

/**
 * What update-status makes up for: settings that nobody has acted upon, and an S3 server that did
 * not answer when it was asked. Leader only; nothing to do once the stanza is there.
 */
export async function retryRepository(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const { initialised, stanza, restoringBackup } = await cluster.appData();
  if (!initialised || stanza !== undefined || restoringBackup !== undefined) return;
  if (!(await hook.juju.isLeader())) return;
  if ((await readRepository(hook)).kind === 'ready') await s3CredentialsChanged(hook);
}

/** docs/flowcharts/list-backups.mmd */
export const listBackups: PostgresqlHandler = async (hook) => {
  const { walk, juju } = hook;
  const action = juju.action();
  const reading = await readRepository(hook);
  const refusal = refusalOf(reading);
  const fail = (message: string): void => {
    walk.step('fail_action');
    action.fail(message);
  };
  if (!walk.decide('is_s3_relation_established', reading.kind !== 'no-relation')) {
    fail(refusal ?? '');
    return;
  }
  if (
    walk.decide('has_missing_s3_parameters', reading.kind !== 'ready') ||
    reading.kind !== 'ready'
  ) {
    fail(refusal ?? '');
    return;
  }
  const listing = await readListing(hook);
  if (!walk.decide('does_pgbackrest_returned_backups_list', 'stanzas' in listing)) {
    fail(`Failed to list PostgreSQL backups with error: ${listing.failure ?? ''}`);
    return;
  }
  walk.step('return_formatted_backup_list');
  const backups = (listing.stanzas ?? []).flatMap((stanza) => stanza.backups);
  action.setResults({ backups: renderBackupTable(reading.parameters, backups) });
};

async function readListing(hook: PostgresqlHook) {
  try {
    return { stanzas: await info(hook.ports.pebble), failure: undefined };
  } catch (error) {
    if (error instanceof CodedError) return { failure: error.message };
    throw error;
  }
}

const backupTypes: Readonly<Record<string, 'full' | 'diff' | 'incr'>> = {
  full: 'full',
  differential: 'diff',
  incremental: 'incr',
};

/** docs/flowcharts/create-backup.mmd */
export const createBackup: PostgresqlHandler = async (hook) => {
  const action = hook.juju.action();
  const typeName = String((await action.params())['type'] ?? 'full');
  const type = backupTypes[typeName];
  if (type === undefined) {
    action.fail(
      `Invalid backup type: ${typeName}. Possible values: ${Object.keys(backupTypes).join(', ')}.`,
    );
    return;
  }
  const cluster = await openCluster(hook);
  if (cluster === undefined) {
    action.fail('Unit cannot perform backups as the cluster has not started yet');
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

interface AdmittedBackup {
  readonly parameters: S3Parameters;
  readonly stanza: string;
  readonly replica: boolean;
}

/** All that must hold before a backup starts; the first that does not is the refusal. */
async function admitBackup(
  hook: PostgresqlHook,
  cluster: Cluster,
): Promise<AdmittedBackup | { readonly refusal: string }> {
  const { walk } = hook;
  const refuse = (refusal: string) => ({ refusal });
  const status = await hook.juju.unitStatus();
  if (walk.decide('is_blocked', status?.level === 'blocked')) {
    return refuse('Unit is in a blocking state');
  }
  const seen = await cluster.patroniCluster();
  const member = seen === undefined ? undefined : ownMember(seen, cluster.unit);
  const primary = member?.role === 'leader';
  const tls = await isTlsEnabled(cluster);
  const several = cluster.units.length > 1;
  if (walk.decide('is_primary_tls_enabled_multiple_unit_cluster', primary && tls && several)) {
    return refuse('Unit cannot perform backups as it is the cluster primary');
  }
  if (walk.decide('is_replica_tls_disabled', !primary && !tls)) {
    return refuse(replicaRefusal(await cluster.primary()));
  }
  const { stanza } = await cluster.appData();
  const started = member !== undefined && isStarted(member.state);
  const initialised = stanza !== undefined && started;
  if (!walk.decide('has_stanza_been_initialises', initialised) || stanza === undefined) {
    return refuse(await stanzaRefusal(hook, started));
  }
  const reading = await readRepository(hook);
  if (!walk.decide('is_s3_relation_established', reading.kind !== 'no-relation')) {
    return refuse(refusalOf(reading) ?? '');
  }
  if (
    walk.decide('has_missing_s3_parameters', reading.kind !== 'ready') ||
    reading.kind !== 'ready'
  ) {
    return refuse(refusalOf(reading) ?? '');
  }
  const failure = await uploadMetadata(hook, cluster, reading.parameters);
  if (
    !walk.decide('was_possible_upload_metadata_file_test_connectivity_s3', failure === undefined)
  ) {
    return refuse(`Failed to upload metadata to provided S3: ${failure ?? ''}`);
  }
  return { parameters: reading.parameters, stanza, replica: !primary };
}

function replicaRefusal(primary: string | undefined): string {
  const elsewhere = primary === undefined ? '' : `; run it on the primary, ${primary}`;
  return `Unit cannot perform backups as TLS is not enabled${elsewhere}`;
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
    return error.hint === undefined ? error.message : `${error.message}. ${error.hint}`;
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
    await progress.sent();
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
  }
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
