// Whether the repository that the settings name is the one that the cluster works with. A stanza in the
// databag says no more than that there is one: the settings may have moved on since.

import { type RepositoryPlace, repositoryIdentity } from '../core/backups/repository-identity.ts';
import { stanzaName } from '../core/names.ts';
import type { Cluster } from './cluster.ts';

/** `none`: there is none; `another`: nobody has looked yet whose the one of the settings is. */
export type RepositoryUse = 'none' | 'this' | 'another';

export async function useOf(cluster: Cluster, settings: RepositoryPlace): Promise<RepositoryUse> {
  const { stanza, repository } = await cluster.appData();
  if (stanza === undefined) return 'none';
  // Charms that left no word of the place set it up where the settings were.
  const isThis = repository === undefined || repository === placeIn(cluster, settings);
  return isThis ? 'this' : 'another';
}

/** How the databag names the place of these settings. */
export function placeIn(cluster: Cluster, settings: RepositoryPlace): string {
  return repositoryIdentity(settings, stanzaName(cluster.namespace, cluster.app));
}
