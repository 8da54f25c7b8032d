// Juju 4.1 lost, in its betas, every grant of a secret that was announced in the same hook: it looked
// for the secret before creating it, found none, and dropped the grant without a word (repaired in
// juju/juju pull request 23022). On such a controller the grants of new secrets are remembered in
// the unit's state and given again in the next hook, whichever that is.

import { JujuError } from './error.ts';
import { isRecord, tryParse } from './tools/json.ts';
import type { HookToolPort } from './tools/port.ts';
import { formatRelation, parseRelation } from './tools/relation.ts';
import { type SecretGrant, secretGrant } from './tools/secret.ts';

/** Key of the unit's state. */
export const grantsKey = 'grants-to-repeat';

export function losesGrants(jujuVersion: string): boolean {
  return /^4\.1-(alpha|beta)/.test(jujuVersion);
}

/** Gives the remembered grants again. What has gone meanwhile, and who no longer leads, is let go. */
export async function repeatGrants(port: HookToolPort, remembered: string): Promise<void> {
  for (const grant of parseGrants(remembered)) {
    try {
      await secretGrant(port, grant);
    } catch (error) {
      if (!(error instanceof JujuError)) throw error;
    }
  }
}

export function renderGrants(grants: readonly SecretGrant[]): string {
  if (grants.length === 0) return '';
  return JSON.stringify(
    grants.map(({ uri, relation }) => ({ uri, relation: formatRelation(relation) })),
  );
}

function parseGrants(text: string): readonly SecretGrant[] {
  const value = tryParse(text);
  if (!Array.isArray(value)) return [];
  return value.filter(isRecord).flatMap(({ uri, relation }) => {
    const reference = parseRelation(String(relation));
    return reference === undefined ? [] : [{ uri: String(uri), relation: reference }];
  });
}
