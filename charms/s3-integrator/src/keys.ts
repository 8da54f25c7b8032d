// Where the keys are: in the user secret that the operator named, or in a secret of our own that
// the action filled. Keys never stand in a data bag of ours.

import { Secret } from '../../../lib/base/secret.ts';
import { readGrantedSecret } from '../../../lib/juju/granted-secret.ts';
import type { Juju } from '../../../lib/juju/juju.ts';

export interface Keys {
  readonly accessKey: Secret;
  readonly secretKey: Secret;
}

export type KeysReading =
  | { readonly kind: 'ready'; readonly keys: Keys }
  /** Names of what is missing. */
  | { readonly kind: 'missing'; readonly missing: readonly string[] }
  | { readonly kind: 'unreadable' };

const label = 's3-integrator.credentials';
const peers = 's3-integrator-peers';

/** Reads the keys, the newest revision of them. */
export async function readKeys(juju: Juju): Promise<KeysReading> {
  const { credentials } = await juju.config();
  if (typeof credentials !== 'string' || credentials === '') {
    return toReading((await juju.secretByLabel(label)) ?? {});
  }
  const content = await readGrantedSecret(juju, credentials);
  return content === undefined ? { kind: 'unreadable' } : toReading(content);
}

/** Leader: keeps keys in our own secret. */
export async function storeKeys(juju: Juju, keys: Keys): Promise<void> {
  await juju.setSecret({
    label,
    owner: 'application',
    description: 'Keys to the S3 storage, set with sync-s3-credentials',
    content: { 'access-key': keys.accessKey, 'secret-key': keys.secretKey },
  });
}

/**
 * Leader: other charms of this name kept the keys in clear in the peer data bag; after a refresh
 * from one of them they move into our secret.
 */
export async function adoptClearKeys(juju: Juju): Promise<void> {
  const relation = await juju.relation(peers);
  const bag = (await relation?.data(juju.context.app)) ?? {};
  const { 'access-key': accessKey, 'secret-key': secretKey } = bag;
  if (relation === undefined || !accessKey || !secretKey) return;
  if ((await juju.secretByLabel(label)) === undefined) {
    await storeKeys(juju, { accessKey: new Secret(accessKey), secretKey: new Secret(secretKey) });
  }
  relation.setApp({ 'access-key': undefined, 'secret-key': undefined });
}

function toReading(content: Readonly<Record<string, Secret>>): KeysReading {
  const { 'access-key': accessKey, 'secret-key': secretKey } = content;
  if (accessKey !== undefined && secretKey !== undefined) {
    return { kind: 'ready', keys: { accessKey, secretKey } };
  }
  const missing = ['access-key', 'secret-key'].filter((name) => content[name] === undefined);
  return { kind: 'missing', missing };
}
