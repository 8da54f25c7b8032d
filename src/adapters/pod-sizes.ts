// How large the pods of the members are, as each unit publishes it with its configuration: what all
// members share is reckoned from it (core/config/derive.ts), and what nobody has room for is refused by all.

import { deriveClusterParameters, type Resources } from '../core/config/derive.ts';
import type { Settings } from '../core/config/settings.ts';
import { memberHost } from '../core/names.ts';
import { renderSizes, sizeIn, toldSize } from '../core/pod-sizes.ts';
import type { Cluster } from './cluster.ts';

/** Tells the others. */
export function publishSize(cluster: Cluster, resources: Resources): void {
  cluster.setUnit(toldSize(resources));
}

/** Puts together what the members have told, the leader's own unit included. Leader only. */
export async function collectSizes(cluster: Cluster): Promise<void> {
  const units = [cluster.unit, ...(await otherMembers(cluster))];
  const told = await Promise.all(
    units.map(async (unit) => [unit, sizeIn(await cluster.peers.data(unit))] as const),
  );
  const known = told.flatMap(([unit, size]) => (size === undefined ? [] : [[unit, size] as const]));
  cluster.setApp({ 'pod-sizes': renderSizes(Object.fromEntries(known)) });
}

async function otherMembers(cluster: Cluster): Promise<readonly string[]> {
  const { endpoints } = await cluster.appData();
  return (await cluster.units()).filter(
    (unit) => unit !== cluster.unit && endpoints.includes(memberHost(unit, cluster.app)),
  );
}

export interface Reckoning {
  readonly settings: Settings;
  readonly resources: Resources;
  /** Server parameters that the members share now. */
  readonly inForce: Readonly<Record<string, unknown>>;
}

/**
 * Whole cores of the other members' pods, `undefined` for one that has not told. Juju is asked only when
 * what is in force does not fit the own pod: then it is of no interest which other it fits.
 */
export async function readOtherCores(
  cluster: Cluster,
  { settings, resources, inForce }: Reckoning,
): Promise<readonly (number | undefined)[]> {
  const own = Object.entries(deriveClusterParameters(settings, resources));
  if (own.every(([parameter, value]) => inForce[parameter] === value)) return [];
  const others = await otherMembers(cluster);
  return await Promise.all(
    others.map(async (unit) => {
      const cores = Number((await cluster.peers.data(unit))['cores']);
      return Number.isSafeInteger(cores) && cores > 0 ? cores : undefined;
    }),
  );
}
