/**
 * Looks a host name up in the cluster's DNS, anew each time: no cache of this process or of its
 * operating system may hide that the name leads elsewhere now.
 */

import { Resolver } from 'node:dns/promises';

const timeoutMs = 1000;
/** A chain of aliases that is longer is a loop. */
const maxAliases = 8;

/** The first address of a name, at the end of its aliases. */
export async function resolveAddress(name: string): Promise<string> {
  const resolver = new Resolver({ timeout: timeoutMs, tries: 1 });
  let wanted = name;
  for (let step = 0; step <= maxAliases; step += 1) {
    const [address] = await orNothing(resolver.resolve4(wanted));
    if (address !== undefined) return address;
    const [alias] = await orNothing(resolver.resolveCname(wanted));
    if (alias === undefined) throw new Error(`cannot find an address of "${wanted}"`);
    wanted = alias;
  }
  throw new Error(`cannot find an address of "${name}": its aliases go round in circles`);
}

/** That a name has no record of a kind is an answer; that nobody answers is an error. */
async function orNothing(records: Promise<readonly string[]>): Promise<readonly string[]> {
  try {
    return await records;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENODATA') return [];
    throw error;
  }
}
