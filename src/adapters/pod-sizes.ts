// How large the pods of the members are, as each unit publishes it with its configuration: what all
// members share is reckoned from it (core/config/derive.ts).

import { deriveClusterParameters, type Resources, wholeCores } from '../core/config/derive.ts';
import type { Settings } from '../core/config/settings.ts';
import { memberHost } from '../core/names.ts';
import type { Cluster } from './cluster.ts';

/** In a unit's databag: whole cores that its container may use. */
const key = 'cores';

/** Tells the others. */
export function publishSize(cluster: Cluster, resources: Resources): void {
  cluster.setUnit({ [key]: String(wholeCores(resources)) });
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
  const { endpoints } = await cluster.appData();
  const others = (await cluster.units()).filter(
    (unit) => unit !== cluster.unit && endpoints.includes(memberHost(unit, cluster.app)),
  );
  return await Promise.all(
    others.map(async (unit) => {
      const cores = Number((await cluster.peers.data(unit))[key]);
      return Number.isSafeInteger(cores) && cores > 0 ? cores : undefined;
    }),
  );
}
