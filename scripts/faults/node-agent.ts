/**
 * Runs inside the cloud, where the processes and interfaces of all pods can be seen: does the one
 * thing that its argument asks for and prints the answer; without an argument, what each line of its
 * standard input asks for, until that ends. Whatever it does to a pod can be undone by
 * another call that knows no more than the pod, so an agent that is killed leaves nothing for good.
 */

import { createInterface } from 'node:readline';

import * as v from 'valibot';

import { type AgentRequest, requestSchema } from './agent-requests.ts';
import { continueAll, freezePod, signalProgram, thawPod } from './cgroup-processes.ts';
import { cutNetwork, divertProbes, mendNetwork } from './firewall.ts';
import { awaitHook } from './hook-watch.ts';
import { fetchMembers } from './patroni-view.ts';

async function answer(request: AgentRequest): Promise<object> {
  switch (request.kind) {
    case 'signal':
      return { count: await signalProgram(request.container, request.program, request.signal) };
    case 'continue':
      return { count: await continueAll(request.podUid) };
    case 'freeze':
      return { count: await freezePod(request.podUid, request.containerId) };
    case 'thaw':
      return { count: await thawPod(request.podUid) };
    case 'cut':
      return { count: await cutNetwork(request.address, request.mark) };
    case 'divert-probes':
      return { count: await divertProbes(request) };
    case 'mend':
      return { count: await mendNetwork(request.mark) };
    case 'members':
      return await fetchMembers(request.pods);
    case 'await-hook':
      return { unit: await awaitHook(request) };
  }
}

async function answerText(text: string): Promise<string> {
  return JSON.stringify(await answer(v.parse(requestSchema, JSON.parse(text))));
}

const [, , single] = process.argv;
if (single === undefined) {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdout.write(`${await answerText(line)}\n`);
  }
} else {
  process.stdout.write(await answerText(single));
}
process.exit(0);
