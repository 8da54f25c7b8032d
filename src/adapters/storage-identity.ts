// What can be read from a volume and from Kubernetes about whose data it is: the system identifier in
// PostgreSQL's control file, the one that Patroni remembers, and a small file beside the data that
// names the application. The file is written before PostgreSQL writes anything to a new volume.

import * as v from 'valibot';

import { clusterName, dataDirectory, storageIdentityPath, workloadUser } from '../core/names.ts';
import type { Identity, Owner } from '../core/storage.ts';
import { parseStored } from '../core/stored.ts';
import type { Cluster, PostgresqlHook } from './cluster.ts';
import { readWorkload } from './workload.ts';

const ownerFields = { model: v.string(), application: v.string() };
const ownerSchema = v.object(ownerFields);
const identitySchema = v.object({ ...ownerFields, origin: v.exactOptional(ownerSchema) });

/** This application. */
export function ownOwner(hook: PostgresqlHook): Owner {
  return { model: hook.juju.context.modelUuid, application: hook.juju.context.app };
}

/**
 * System identifier of the data on the volume; `undefined` when there is none. Damaged data has none
 * either: Patroni refuses to start on it, and nobody writes over it.
 */
export async function readSystemIdentifier(hook: PostgresqlHook): Promise<string | undefined> {
  const { pebble } = hook.ports;
  if ((await pebble.stat(`${dataDirectory}/global/pg_control`)) === undefined) return undefined;
  const { binDir } = await readWorkload(hook);
  const { stdout } = await pebble.exec([`${binDir}/pg_controldata`, dataDirectory], {
    user: workloadUser,
    environment: { LC_ALL: 'C' },
    timeoutMs: 10_000,
  });
  return /^Database system identifier:\s+(\d+)$/m.exec(stdout)?.[1];
}

/** System identifier that Patroni remembers for the cluster. */
export async function readClusterIdentifier(
  hook: PostgresqlHook,
  cluster: Cluster,
): Promise<string | undefined> {
  const config = await hook.ports.kube.get('endpoints', `${clusterName(cluster.app)}-config`);
  const initialize = config?.metadata.annotations?.['initialize'];
  return initialize === '' ? undefined : initialize;
}

/** What the volume says about itself. A file that nobody can read says nothing. */
export async function readIdentity(hook: PostgresqlHook): Promise<Identity | undefined> {
  return parseStored(identitySchema, await hook.ports.pebble.pull(storageIdentityPath));
}

export async function writeIdentity(hook: PostgresqlHook, identity: Identity): Promise<void> {
  await hook.ports.pebble.push(storageIdentityPath, `${JSON.stringify(identity)}\n`, {
    user: workloadUser,
    group: workloadUser,
    mode: '0600',
  });
}

/** As it stands in the peer databag. */
export function parseOwner(text: string | undefined): Owner | undefined {
  return parseStored(ownerSchema, text);
}
