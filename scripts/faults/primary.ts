/** Which pod is the primary now, by Patroni's lock. */

import { fetchCluster } from './pods.ts';

export async function findPrimary(namespace: string, app: string): Promise<string> {
  const { members } = await fetchCluster(namespace, app);
  const leader = members.find(({ role }) => role === 'leader');
  if (leader === undefined) throw new Error('cannot find the primary: no member is the leader');
  return leader.name;
}
