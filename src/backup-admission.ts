// Whether this unit may make a backup now, as the flowchart of create-backup asks: the member, the
// repository, and a first small file in it.

import type { S3Parameters } from '../lib/interfaces/s3-fields.ts';
import {
  type Cluster,
  isRestoring,
  isStarted,
  isTlsEnabled,
  ownMember,
  type PostgresqlHook,
} from './adapters/cluster.ts';
import { ObjectStoreError } from './adapters/object-store-error.ts';
import {
  objectKey,
  openRepositoryStore,
  readRepository,
  reasonWithHint,
  refusalOf,
} from './adapters/repository.ts';
import { useOf } from './adapters/repository-in-use.ts';
import { isoSeconds } from './core/backups/times.ts';
import { stanzaName } from './core/names.ts';
import { isCipherMessage } from './core/status.ts';

interface AdmittedMember {
  readonly stanza: string;
  readonly replica: boolean;
}

export interface AdmittedBackup extends AdmittedMember {
  readonly parameters: S3Parameters;
}

interface Refusal {
  readonly refusal: string;
}

/** All that must hold before a backup starts; the first that does not is the refusal. */
export async function admitBackup(
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
  const problem = await findProblem(hook, cluster);
  if (walk.decide('is_blocked', problem !== undefined)) {
    return { refusal: problem ?? '' };
  }
  const { primary, started, tls, stanza } = await observeMember(hook, cluster);
  const several = (await cluster.units()).length > 1;
  if (walk.decide('is_primary_tls_enabled_multiple_unit_cluster', primary && tls && several)) {
    return { refusal: 'Unit cannot perform backups as it is the cluster primary' };
  }
  if (walk.decide('is_replica_tls_disabled', !primary && !tls)) {
    return { refusal: replicaRefusal(await cluster.primary()) };
  }
  if (!walk.decide('has_stanza_been_initialises', stanza !== undefined) || stanza === undefined) {
    return { refusal: await stanzaRefusal(hook, cluster, started) };
  }
  return { stanza, replica: !primary };
}

/**
 * What blocks the unit, unless it is an option of encryption: a repository in use goes on as it is. As long
 * as a restore can go back nothing is archived, so pgBackRest would wait for WAL in vain.
 */
async function findProblem(hook: PostgresqlHook, cluster: Cluster): Promise<string | undefined> {
  const app = await cluster.appData();
  if (isRestoring(app)) return 'A backup is being restored; nothing has been backed up.';
  const status = await hook.juju.unitStatus();
  if (status?.level !== 'blocked') return undefined;
  if (app.stanza !== undefined && isCipherMessage(status.message)) return undefined;
  return `Unit is in a blocking state: ${status.message}`;
}

async function observeMember(hook: PostgresqlHook, cluster: Cluster) {
  const seen = await cluster.patroniCluster();
  const member = seen === undefined ? undefined : ownMember(seen, cluster.unit);
  const started = member !== undefined && isStarted(member.state);
  return {
    primary: member?.role === 'leader',
    started,
    tls: await isTlsEnabled(cluster),
    /** Only a member that runs has one to back up into. */
    stanza: started ? await stanzaInUse(hook, cluster) : undefined,
  };
}

/** None of another repository than that of the settings: those may lead to that of somebody else. */
async function stanzaInUse(hook: PostgresqlHook, cluster: Cluster): Promise<string | undefined> {
  const { stanza } = await cluster.appData();
  const reading = await readRepository(hook);
  if (reading.kind !== 'ready') return stanza;
  return (await useOf(cluster, reading.parameters)) === 'this' ? stanza : undefined;
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
async function stanzaRefusal(
  hook: PostgresqlHook,
  cluster: Cluster,
  started: boolean,
): Promise<string> {
  if (!started) return "Unit cannot perform backups as it's not in running state";
  if ((await cluster.appData()).stanza !== undefined) return notLookedAt;
  return refusalOf(await readRepository(hook)) ?? 'Stanza was not initialised';
}

/** The leader has not come to it, or the primary has not taken the settings over. */
const notLookedAt =
  'The repository that the S3 settings name has not been set up yet; nothing has been backed up.';

async function uploadMetadata(
  hook: PostgresqlHook,
  cluster: Cluster,
  parameters: S3Parameters,
): Promise<string | undefined> {
  const { context } = hook.juju;
  const time = isoSeconds(hook.ports.clock.nowMs() / 1000);
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
