// TLS of the members. There is no relation to a certificates provider yet, so a member has no
// certificates and every decision about them is answered here, in one place.

import type { Cluster } from './adapters/cluster.ts';

/** Whether this unit serves PostgreSQL and Patroni over TLS (unit databag key `tls`). */
export async function isTlsEnabled(cluster: Cluster): Promise<boolean> {
  return (await cluster.unitData())['tls'] === 'enabled';
}
