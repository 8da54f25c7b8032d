/** Asks the agent on the node: one call, one process; only who looks all the time keeps one. */

import path from 'node:path';
import { createInterface } from 'node:readline';

import { execa } from 'execa';
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

type WantedHook = Omit<
  Extract<AgentRequest, { readonly kind: 'await-hook' }>,
  'kind' | 'timeoutMs'
>;
type Doing = Exclude<AgentRequest, { readonly kind: 'members' | 'await-hook' }>;

const enter = path.join(import.meta.dirname, '..', '..', 'cloud', 'enter');
const program = path.join(import.meta.dirname, 'node-agent.ts');
const timeoutMs = 30_000;

/** Does something to a pod; returns to how many processes, or with how many rules. */
export async function act(request: Doing): Promise<number> {
  return v.parse(countAnswerSchema, await ask(request, timeoutMs)).count;
}

export interface Observer {
  fetchMembers(pods: readonly PodAddress[]): Promise<MembersAnswer>;
  close(): Promise<void>;
}

/** An agent that stays, for one question at a time. */
export function startObserver(): Observer {
  const child = execa(enter, [process.execPath, program], {
    reject: false,
    buffer: false,
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'ignore',
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    fetchMembers: async (pods) => {
      child.stdin.write(`${JSON.stringify({ kind: 'members', pods })}\n`);
      const line = await answers.next();
      if (line.done === true) throw new Error('cannot ask the members: the agent has ended');
      return v.parse(membersAnswerSchema, JSON.parse(line.value));
    },
    close: async () => {
      child.stdin.end();
      await child;
    },
  };
}

/** The unit that runs the hook, as soon as one does. */
export async function awaitHook(wanted: WantedHook, waitMs: number): Promise<string> {
  const request = { kind: 'await-hook', ...wanted, timeoutMs: waitMs } as const;
  return v.parse(hookAnswerSchema, await ask(request, waitMs + timeoutMs)).unit;
}

async function ask(request: AgentRequest, limitMs: number): Promise<unknown> {
  const args = [program, JSON.stringify(request)];
  const { stdout } = await run(process.execPath, args, { timeoutMs: limitMs });
  const answer: unknown = JSON.parse(stdout);
  return answer;
}
