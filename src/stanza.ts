// Initialising the repository from the leader: bucket, whose repository it is, stanza, archiving.
// The stanza is created from the local data directory and archiving is switched on for the whole
// cluster in Patroni's shared configuration, so it does not matter where the primary runs.

import type { S3Parameters } from '../lib/interfaces/s3-fields.ts';
import { PostgresError } from '../lib/sql/error.ts';
import { type ArrivalCheck, awaitArrival, hasArrived } from './adapters/arrival.ts';
import { type Cluster, type PostgresqlHook } from './adapters/cluster.ts';
import { changeWhenPossible } from './adapters/configuration.ts';
import { completeStanza } from './adapters/half-stanza.ts';
import { ObjectStoreError } from './adapters/object-store-error.ts';
import { info, PgbackrestError } from './adapters/pgbackrest.ts';
import { objectKey, openRepositoryStore, reasonWithHint } from './adapters/repository.ts';
import { findMismatch, readCipherPass, rememberCipher } from './adapters/repository-cipher.ts';
import { changeShared } from './adapters/shared-configuration.ts';
import { withPrimary } from './adapters/users.ts';
import { stanzaName } from './core/names.ts';
import { archiveCommand, type Document } from './core/render/patroni.ts';
import {
  archivingFailed,
  bucketFailed,
  checkingStanza,
  cipherMismatch,
  foreignRepository,
  initialisingStanza,
  settingsNotTakenOver,
  stanzaFailed,
} from './core/status.ts';

/** The message that says why not, or `undefined` when all went well. */
export type Failure = string | undefined;

const modelUuidObject = 'model-uuid.txt';

/** Bucket reachable, repository readable and ours, stanza there. */
export async function initialiseStanza(
  hook: PostgresqlHook,
  cluster: Cluster,
  parameters: S3Parameters,
): Promise<Failure> {
  const store = openRepositoryStore(hook, parameters);
  const pass = await readCipherPass(hook, cluster, parameters);
  try {
    await store.ensureBucket();
    const mismatch = await findMismatch(store, parameters, pass);
    if (mismatch !== undefined && mismatch !== 'unknown') return cipherMismatch(mismatch);
    const owner = await store.get(objectKey(parameters, modelUuidObject));
    if (owner !== undefined && owner.trim() !== hook.juju.context.modelUuid) {
      return foreignRepository;
    }
  } catch (error) {
    if (error instanceof ObjectStoreError) return `${bucketFailed}: ${reasonWithHint(error)}`;
    throw error;
  }
  await hook.juju.showProgress(initialisingStanza);
  const stanza = stanzaName(cluster.namespace, cluster.app);
  try {
    const foreign = await isForeign(hook, cluster, stanza);
    if (foreign) return foreignRepository;
    await completeStanza(hook.ports.pebble, stanza);
    await rememberCipher(hook, cluster, { parameters, pass });
    return undefined;
  } catch (error) {
    if (error instanceof PgbackrestError) return `${stanzaFailed}: ${reasonWithHint(error)}`;
    throw error;
  }
}

/** Whether the repository holds a stanza of another name, or of another database. */
async function isForeign(hook: PostgresqlHook, cluster: Cluster, stanza: string): Promise<boolean> {
  const stanzas = await info(hook.ports.pebble);
  const systemId = (await cluster.health())?.systemIdentifier;
  return stanzas.some(
    ({ name, systemIds }) =>
      name !== stanza ||
      (systemId !== undefined && systemIds.length > 0 && !systemIds.includes(systemId)),
  );
}

/** Why WAL does not arrive. */
export interface ArchivingFailure {
  readonly message: string;
  /** It goes where it went before. */
  readonly goesElsewhere?: true;
}

/** Switches archiving on and waits until a WAL segment has arrived in the repository. */
export async function startArchiving(
  hook: PostgresqlHook,
  cluster: Cluster,
  parameters: S3Parameters,
): Promise<ArchivingFailure | undefined> {
  await hook.juju.showProgress(checkingStanza);
  const stanza = stanzaName(cluster.namespace, cluster.app);
  await changeShared(cluster, () => archivingBy(archiveCommand(stanza)));
  const store = openRepositoryStore(hook, parameters);
  try {
    const failure = await archivingFailure(hook, cluster, {
      command: archiveCommand(stanza),
      isThere: async (segment) => await hasArrived(store, { parameters, stanza, segment }),
    });
    if (failure !== undefined) return failure;
    await store.put(objectKey(parameters, modelUuidObject), hook.juju.context.modelUuid);
    return undefined;
  } catch (error) {
    if (!(error instanceof ObjectStoreError)) throw error;
    return { message: `${bucketFailed}: ${reasonWithHint(error)}` };
  }
}

async function archivingFailure(
  hook: PostgresqlHook,
  cluster: Cluster,
  wanted: Pick<ArrivalCheck, 'command' | 'isThere'>,
): Promise<ArchivingFailure | undefined> {
  const { clock } = hook.ports;
  try {
    const arrival = await withPrimary(hook, cluster, async (postgres) => {
      return await awaitArrival({ clock, postgres, ...wanted });
    });
    if (arrival === 'arrived') return undefined;
    if (arrival === 'nowhere') return { message: archivingFailed };
    const message = settingsNotTakenOver((await cluster.primary()) ?? cluster.unit);
    return { message, goesElsewhere: true };
  } catch (error) {
    // The primary is on its way to another member.
    if (!(error instanceof PostgresError) || error.code !== 'unreachable') throw error;
    return { message: `${archivingFailed}: ${error.message}` };
  }
}

/**
 * Switches archiving off: PostgreSQL must not keep WAL for a place that is gone. When Patroni cannot be
 * told, the rest of the configuration comes with it later.
 */
export async function stopArchiving(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  await changeWhenPossible(hook, cluster, () => archivingBy(archiveCommand(undefined)));
}

function archivingBy(command: string): Document {
  return { postgresql: { parameters: { archive_command: command } } };
}
