// What an owner of secrets does when Juju says that nobody reads a revision any more (secret-remove):
// until it is removed, whoever may read the secret may still ask Juju for it.

import type { Handler } from './hook.ts';

/**
 * Removes the revision of the event, unless it is the newest one or the secret is not ours. Up to Juju
 * 3.6.10 the event may come for a revision that is still read, or for another secret (Juju's bugs 20782
 * and 20794): nothing is removed there.
 */
export const removeObsoleteRevision: Handler<unknown> = async ({ event, juju, log }) => {
  if (event.kind !== 'secret' || event.revision === undefined) return;
  if (!isTrustworthy(juju.context.jujuVersion)) {
    log('DEBUG', `revision ${event.revision} of ${event.id} stays: Juju is older than 3.6.11`);
    return;
  }
  // An application's secret can be managed by its leader alone.
  if (!(await juju.isLeader())) return;
  const newest = await juju.secretRevision(event.id);
  if (newest === undefined || event.revision >= newest) return;
  juju.removeSecret(event.id, event.revision);
};

const firstTrustworthy = [3, 6, 11] as const;

function isTrustworthy(version: string): boolean {
  const parts = version.split(/[.-]/, 3).map((part) => Number.parseInt(part, 10));
  const different = firstTrustworthy.findIndex((wanted, index) => parts[index] !== wanted);
  if (different < 0) return true;
  const [found, wanted] = [parts[different], firstTrustworthy[different]];
  // `4.1-beta2`: what is no number is not compared.
  return found !== undefined && wanted !== undefined && found > wanted;
}
