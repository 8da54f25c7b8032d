// Reads what Patroni remembers, in Kubernetes, of the last primary and its synchronous replicas.

import { present } from '../../lib/base/present.ts';
import { clusterName, unitOfMember } from '../core/names.ts';
import { type Candidate, judgeSuccession, type Succession } from '../core/succession.ts';
import { type Cluster, isStarted, type PostgresqlHook } from './cluster.ts';
import type { Cluster as PatroniCluster } from './patroni-answers.ts';

/** The last primary, then its synchronous replicas; none: Patroni may choose anybody. */
export async function readComplete(
  hook: PostgresqlHook,
  { app }: Pick<Cluster, 'app'>,
): Promise<readonly string[]> {
  const object = await hook.ports.kube.get('endpoints', `${clusterName(app)}-sync`);
  const { leader = '', sync_standby: standbys = '' } = object?.metadata.annotations ?? {};
  return leader === '' ? [] : [leader, ...standbys.split(',').filter(Boolean)].map(unitOfMember);
}

/** Whether the cluster can have a primary without anybody's decision. */
export async function readSuccession(
  hook: PostgresqlHook,
  cluster: Pick<Cluster, 'app'>,
  { members }: PatroniCluster,
): Promise<Succession> {
  if (members.some(({ role }) => role === 'leader' || role === 'standby_leader')) {
    return { kind: 'open' };
  }
  return judgeSuccession(toCandidates({ members }), await readComplete(hook, cluster));
}

export function toCandidates({ members }: Pick<PatroniCluster, 'members'>): readonly Candidate[] {
  return members.map(({ name, role, state, timeline, lagBytes }) => ({
    unit: unitOfMember(name),
    role,
    started: isStarted(state),
    ...present({ timeline, lagBytes }),
  }));
}
