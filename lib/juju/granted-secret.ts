// Secrets of others that may not be shared with us (yet): an operator who has to run
// `juju grant-secret`, or a grant that arrives after the data bag.

import { HookToolError } from './error.ts';
import type { Juju } from './juju.ts';
import type { SecretContent } from './tools/secret.ts';

/** The newest content; `undefined` when there is no such secret or this unit may not read it. */
export async function readGrantedSecret(
  juju: Juju,
  uri: string,
  options: { readonly label?: string } = {},
): Promise<SecretContent | undefined> {
  try {
    return await juju.secretById(uri, { ...options, refresh: true });
  } catch (error) {
    if (error instanceof HookToolError && error.code === 'permission-denied') return undefined;
    throw error;
  }
}
