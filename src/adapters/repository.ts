// The backup repository: its settings from the s3 relation, pgBackRest's file, and the objects
// that the charm itself keeps beside pgBackRest's.

import { CodedError } from '../../lib/base/error.ts';
import { present } from '../../lib/base/present.ts';
import { readS3Parameters } from '../../lib/interfaces/s3.ts';
import type { S3Parameters, S3Reading } from '../../lib/interfaces/s3-fields.ts';
import { namesPlace } from '../core/backups/repository-identity.ts';
import { keepAll, type Retention, retentionIn, retentionOf } from '../core/backups/retention.ts';
import { type BackupSpeed, speedIn } from '../core/backups/speed.ts';
import {
  memberHost,
  pgbackrestConfigPath,
  s3CaPath,
  s3Endpoint,
  stanzaName,
  workloadUser,
} from '../core/names.ts';
import { renderIni } from '../core/render/ini.ts';
import { renderPgbackrest } from '../core/render/pgbackrest.ts';
import { invalidS3Parameters, missingS3Parameters, s3RelationMissing } from '../core/status.ts';
import type { ObjectStore } from '../ports.ts';
import { stopBackupServer } from './backup-server.ts';
import { type Cluster, isTlsEnabled, type PostgresqlHook } from './cluster.ts';
import { readSettings } from './configuration.ts';
import { readPod } from './kubernetes.ts';
import { CipherError, readCipherPass } from './repository-cipher.ts';
import { pushIfChanged } from './workload.ts';

/** What the provider has given, read from the relation. */
export async function readRepository(hook: PostgresqlHook): Promise<S3Reading> {
  return await readS3Parameters(hook.juju, s3Endpoint);
}

/** The sentence for an operator who asks for something that needs settings which are not there. */
export function refusalOf(reading: S3Reading): string | undefined {
  switch (reading.kind) {
    case 'no-relation':
      return s3RelationMissing;
    case 'missing':
      return missingS3Parameters(reading.missing);
    case 'invalid':
      return invalidS3Parameters(reading.problems);
    case 'ready':
      return undefined;
  }
}

/** What the interface has and pgBackRest has not, as far as it is given. */
export function unusedSettings(parameters: S3Parameters): readonly string[] {
  const { storageClass, attributes, apiVersion } = parameters;
  return [
    ...(storageClass === undefined ? [] : ['storage-class']),
    ...(attributes.length === 0 ? [] : ['attributes']),
    ...(apiVersion === '2' ? ['s3-api-version (requests are always signed with version 4)'] : []),
  ];
}

/**
 * Writes pgBackRest's file and the chain of authorities; only what changed. A server that reads the
 * old file is stopped; whoever wants one starts it. Rejects with `CipherError` when it is not known what
 * the repository is encrypted with: then the file stays.
 */
export async function writeRepositoryConfig(
  hook: PostgresqlHook,
  cluster: Cluster,
  parameters: S3Parameters,
): Promise<void> {
  const owner = { user: workloadUser, group: workloadUser, mode: '0600' } as const;
  const cipherPass = await readCipherPass(hook, cluster, parameters);
  const { resources } = await readPod(hook, cluster);
  if (parameters.tlsCaChain !== undefined) {
    await pushIfChanged(hook, { path: s3CaPath, content: parameters.tlsCaChain, ...owner });
  }
  const document = renderPgbackrest({
    stanza: stanzaName(cluster.namespace, cluster.app),
    endpoint: parameters.endpoint,
    bucket: parameters.bucket,
    path: parameters.path,
    uriStyle: parameters.uriStyle,
    accessKey: parameters.accessKey,
    secretKey: parameters.secretKey,
    hasCaChain: parameters.tlsCaChain !== undefined,
    retention: await readRetention(hook, parameters),
    ...present({ cipherPass, region: parameters.region }),
    speed: await readSpeed(hook),
    cores: resources.cores,
    tlsPeers: await tlsPeers(cluster),
  });
  const content = renderIni(document);
  if ((await hook.ports.pebble.pull(pgbackrestConfigPath)) === content) return;
  await stopBackupServer(hook);
  await pushIfChanged(hook, { path: pgbackrestConfigPath, content, ...owner });
}

/**
 * How long backups are to be kept, by the relation and the options. While an option is wrong the file
 * that is there stays in force, and without one nothing goes.
 */
export async function readRetention(
  hook: PostgresqlHook,
  { deleteOlderThanDays }: Pick<S3Parameters, 'deleteOlderThanDays'>,
): Promise<Retention> {
  const read = await readSettings(hook);
  if (read.kind === 'valid') {
    return retentionOf(deleteOlderThanDays, read.settings.backupRetentionFull);
  }
  return retentionIn(await hook.ports.pebble.pull(pgbackrestConfigPath)) ?? keepAll;
}

/** The same for how it is written. */
async function readSpeed(hook: PostgresqlHook): Promise<BackupSpeed> {
  const read = await readSettings(hook);
  if (read.kind === 'valid') return read.settings.backupSpeed;
  return speedIn(await hook.ports.pebble.pull(pgbackrestConfigPath));
}

async function tlsPeers(cluster: Cluster): Promise<readonly string[]> {
  if (!(await isTlsEnabled(cluster))) return [];
  return (await cluster.units()).slice(1).map((unit) => memberHost(unit, cluster.app));
}

/** The same from what the relation says now; nothing without usable settings. */
export async function renewRepositoryConfig(
  hook: PostgresqlHook,
  cluster: Cluster,
): Promise<'ready' | 'no-settings'> {
  const reading = await readRepository(hook);
  if (reading.kind !== 'ready') return 'no-settings';
  const problem = await writeIfKnown(hook, cluster, reading.parameters);
  if (problem === undefined) return 'ready';
  hook.log('WARNING', `the settings of pgBackRest stay as they are: ${problem}`);
  return 'no-settings';
}

/** Writes the file unless the pass of the repository is not known, and then says so. */
export async function writeIfKnown(
  hook: PostgresqlHook,
  cluster: Cluster,
  parameters: S3Parameters,
): Promise<string | undefined> {
  try {
    await writeRepositoryConfig(hook, cluster, parameters);
    return undefined;
  } catch (error) {
    if (error instanceof CipherError) return error.message;
    throw error;
  }
}

/** New keys for a pgBackRest that is at work. Settings of another place are none for what it reads from. */
export async function renewKeys(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const reading = await readRepository(hook);
  const config = await hook.ports.pebble.pull(pgbackrestConfigPath);
  if (reading.kind !== 'ready' || config === undefined) return;
  if (namesPlace(config, reading.parameters)) await writeIfKnown(hook, cluster, reading.parameters);
}

/** Removes the keys from the workload, and what works with them. */
export async function removeRepositoryConfig(hook: PostgresqlHook): Promise<void> {
  await stopBackupServer(hook);
  await hook.ports.pebble.remove(pgbackrestConfigPath, { recursive: true });
  await hook.ports.pebble.remove(s3CaPath, { recursive: true });
}

export function openRepositoryStore(hook: PostgresqlHook, parameters: S3Parameters): ObjectStore {
  return hook.ports.openObjectStore({
    endpoint: parameters.endpoint,
    region: parameters.region ?? '',
    bucket: parameters.bucket,
    uriStyle: parameters.uriStyle,
    accessKey: parameters.accessKey,
    secretKey: parameters.secretKey,
    ...(parameters.tlsCaChain === undefined ? {} : { caChain: parameters.tlsCaChain }),
  });
}

/** Key of an object below the repository's path, without a leading `/`. */
export function objectKey(parameters: Pick<S3Parameters, 'path'>, name: string): string {
  return `${parameters.path.replace(/\/+$/, '')}/${name}`.replace(/^\/+/, '');
}

/** Message of a failure followed by what to do, for a status. */
export function reasonWithHint(error: unknown): string {
  if (!(error instanceof CodedError)) throw error;
  const reason = error.message.replace(/\.+$/, '');
  return error.hint === undefined ? reason : `${reason}. ${error.hint}`;
}
