// Reads what Patroni remembers, in Kubernetes, of the last primary and its synchronous replicas.

import { present } from '../../lib/base/present.ts';
import { clusterName, unitOfMember } from '../core/names.ts';
import {
  type Candidate,
  type CommitRecord,
  judgeSuccession,
  type Succession,
} from '../core/succession.ts';
import { type Cluster, isStarted, type PostgresqlHook } from './cluster.ts';
import { PatroniError } from './patroni.ts';
import type { Member, Cluster as PatroniCluster } from './patroni-answers.ts';

/** Who is sure to have what was committed; `undefined`: Patroni may choose anybody. */
export async function readCommitRecord(
  hook: PostgresqlHook,
  { app }: Pick<Cluster, 'app'>,
): Promise<CommitRecord | undefined> {
  const object = await hook.ports.kube.get('endpoints', `${clusterName(app)}-sync`);
  const { leader = '', sync_standby: standbys = '', quorum } = object?.metadata.annotations ?? {};
  if (leader === '') return undefined;
  const lacking = Number(quorum ?? 0);
  return {
    leader: unitOfMember(leader),
    standbys: standbys.split(',').filter(Boolean).map(unitOfMember),
    quorum: Number.isInteger(lacking) ? lacking : 0,
  };
}

/** Whether the cluster can have a primary without anybody's decision. */
export async function readSuccession(
  hook: PostgresqlHook,
  cluster: Pick<Cluster, 'app' | 'patroni'>,
  { members }: PatroniCluster,
): Promise<Succession> {
  if (isLed(members)) return { kind: 'open' };
  const record = await readCommitRecord(hook, cluster);
  return judgeSuccession(toCandidates(await askMembers(cluster, members)), record);
}

export function isLed(members: readonly Member[]): boolean {
  return members.some(({ role }) => role === 'leader' || role === 'standby_leader');
}

/**
 * The members by their own word: Patroni's list keeps for ever what a member said last whose node is lost.
 * In the race for the lock Patroni asks them, too.
 */
export async function askMembers(
  cluster: Pick<Cluster, 'patroni'>,
  members: readonly Member[],
): Promise<readonly Member[]> {
  return await Promise.all(
    members.map(async (member) => {
      if (!isStarted(member.state) || (await answers(cluster, member))) return member;
      return { ...member, state: 'silent' as const };
    }),
  );
}

async function answers(cluster: Pick<Cluster, 'patroni'>, { name }: Member): Promise<boolean> {
  try {
    return isStarted((await (await cluster.patroni(unitOfMember(name))).health()).state);
  } catch (error) {
    if (error instanceof PatroniError) return false;
    throw error;
  }
}

export function toCandidates(members: readonly Member[]): readonly Candidate[] {
  return members.map(({ name, role, state, timeline, lagBytes }) => ({
    unit: unitOfMember(name),
    role,
    started: isStarted(state),
    ...present({ timeline, lagBytes }),
  }));
}
