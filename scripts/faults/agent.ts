/** Asks the agent on the node: one call, one process. */

import path from 'node:path';

import * as v from 'valibot';

import { run } from '../../cloud/client.ts';
import {
  type AgentRequest,
  countAnswerSchema,
  hookAnswerSchema,
  type MembersAnswer,
  membersAnswerSchema,
  type PodAddress,
} from './agent-requests.ts';

type Doing = Exclude<AgentRequest, { readonly kind: 'members' | 'await-hook' }>;

const program = path.join(import.meta.dirname, 'node-agent.ts');
const timeoutMs = 30_000;

/** Does something to a pod; returns to how many processes, or with how many rules. */
export async function act(request: Doing): Promise<number> {
  return v.parse(countAnswerSchema, await ask(request, timeoutMs)).count;
}

export async function fetchMembers(pods: readonly PodAddress[]): Promise<MembersAnswer> {
  return v.parse(membersAnswerSchema, await ask({ kind: 'members', pods: [...pods] }, timeoutMs));
}

/** The unit that runs the hook, as soon as one does. */
export async function awaitHook(model: string, hook: string, waitMs: number): Promise<string> {
  const request = { kind: 'await-hook', model, hook, timeoutMs: waitMs } as const;
  return v.parse(hookAnswerSchema, await ask(request, waitMs + timeoutMs)).unit;
}

async function ask(request: AgentRequest, limitMs: number): Promise<unknown> {
  const args = [program, JSON.stringify(request)];
  const { stdout } = await run(process.execPath, args, { timeoutMs: limitMs });
  const answer: unknown = JSON.parse(stdout);
  return answer;
}
