/** Which pod is the primary now, by the members' own word. */

import { fetchMembers } from './agent.ts';
import { listPods } from './pods.ts';

export async function findPrimary(namespace: string, app: string): Promise<string> {
  const { cluster } = await fetchMembers(await listPods(namespace, app));
  const leader = cluster.find(({ role }) => role === 'leader');
  if (leader === undefined) throw new Error('cannot find the primary: no member is the leader');
  return leader.name;
}
