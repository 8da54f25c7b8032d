/** What the members of a cluster say, each asked at its own address, all at the same time. */

import * as v from 'valibot';

import {
  type MembersAnswer,
  type MemberView,
  memberSchema,
  type PodAddress,
} from './agent-requests.ts';

const port = 8008;
/** A pod that is frozen or cut off keeps silent. */
const timeoutMs = 1500;

const selfSchema = v.object({
  state: v.string(),
  role: v.optional(v.string(), ''),
  timeline: v.optional(v.number(), 0),
});
const clusterSchema = v.object({ members: v.array(memberSchema) });

export async function fetchMembers(pods: readonly PodAddress[]): Promise<MembersAnswer> {
  const views = await Promise.all(pods.map(async (pod) => await fetchView(pod)));
  const answering = views.filter(({ role }) => role !== 'silent').map(({ name }) => name);
  const asked = pods.filter(({ name }) => answering.includes(name));
  return { views, cluster: await fetchCluster(asked) };
}

async function fetchView({ name, address }: PodAddress): Promise<MemberView> {
  const answer = v.safeParse(selfSchema, await fetchJson(`http://${address}:${port}/patroni`));
  if (!answer.success) return { name, role: 'silent', state: '', timeline: 0 };
  const { role, state, timeline } = answer.output;
  return {
    name,
    role: role === 'primary' || role === 'master' ? 'primary' : 'replica',
    state,
    timeline,
  };
}

async function fetchCluster(pods: readonly PodAddress[]): Promise<MembersAnswer['cluster']> {
  for (const { address } of pods) {
    const answer = v.safeParse(clusterSchema, await fetchJson(`http://${address}:${port}/cluster`));
    if (answer.success) return answer.output.members;
  }
  return [];
}

/** Patroni answers with an error status when it does not run, and with the same document. */
async function fetchJson(url: string): Promise<unknown> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    const answer: unknown = await response.json();
    return answer;
  } catch {
    return undefined; // Silence is an answer, too.
  }
}
