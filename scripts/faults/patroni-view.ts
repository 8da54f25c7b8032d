/**
 * What the members of a cluster say of themselves, each asked at its own address, all at the same
 * time. `/patroni` is answered from what Patroni knows anyway; `/cluster` is not, see pods.ts.
 */

import * as v from 'valibot';

import { type MembersAnswer, type MemberView, type PodAddress } from './agent-requests.ts';

const port = 8008;
/** A pod that is frozen or cut off keeps silent. */
const timeoutMs = 1500;

const selfSchema = v.object({
  state: v.string(),
  role: v.optional(v.string(), ''),
  timeline: v.optional(v.number(), 0),
});

export async function fetchMembers(pods: readonly PodAddress[]): Promise<MembersAnswer> {
  return { views: await Promise.all(pods.map(async (pod) => await fetchView(pod))) };
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
