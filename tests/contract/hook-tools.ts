// What we believe about hook tools, written as steps that run against a hook tool port: the real
// one inside the contract charm, or the in-memory one. Each phase is one hook or action; a phase
// may rely on what earlier ones committed. The transcript holds every call with its raw answer and
// what the typed function made of it, so that two runs can be compared.

import { CodedError } from '../../lib/base/error.ts';
import { Secret } from '../../lib/base/secret.ts';
import type { RelationReference } from '../../lib/juju/event.ts';
import type { HookToolCall, HookToolPort, HookToolResult } from '../../lib/juju/tools/port.ts';
import { secondSteps, thirdSteps } from './hook-tools-later.ts';
import { consumerSteps, followerSteps } from './hook-tools-others.ts';
import { readSteps } from './hook-tools-reads.ts';
import {
  abandonSteps,
  firstSteps,
  grantAgainSteps,
  removePendingSteps,
  storageSteps,
} from './hook-tools-writes.ts';

export interface ContractFacts {
  readonly phase: ContractPhase;
  readonly unit: string;
  readonly app: string;
  /** Name of the only storage. */
  readonly storage: string;
  readonly peers: RelationReference;
  /** Where this application gives to another one; on the other side, where it takes. */
  readonly related: RelationReference;
  readonly relatedApp: string;
}

/** `follower` runs on a unit that is no leader, `consumer` on the other application. */
export type ContractPhase = keyof typeof phases;

export interface Step {
  readonly name: string;
  readonly run: (port: HookToolPort, facts: ContractFacts) => Promise<unknown>;
}

export interface TranscriptEntry {
  readonly step: string;
  readonly calls: readonly (HookToolCall & HookToolResult)[];
  readonly value?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
}

const phases = {
  first: [...readSteps, ...firstSteps],
  second: [...readSteps, ...secondSteps],
  abandon: abandonSteps,
  third: thirdSteps,
  'grant-again': grantAgainSteps,
  'remove-pending': removePendingSteps,
  storage: storageSteps,
  follower: followerSteps,
  consumer: consumerSteps,
} as const satisfies Record<string, readonly Step[]>;

export function isContractPhase(text: unknown): text is ContractPhase {
  return typeof text === 'string' && Object.hasOwn(phases, text);
}

/** Runs one phase. A step that fails is part of the transcript like any other. */
export async function hookToolContract(
  port: HookToolPort,
  facts: ContractFacts,
): Promise<readonly TranscriptEntry[]> {
  const transcript: TranscriptEntry[] = [];
  for (const step of phases[facts.phase]) transcript.push(await runStep(port, facts, step));
  return transcript;
}

async function runStep(
  port: HookToolPort,
  facts: ContractFacts,
  step: Step,
): Promise<TranscriptEntry> {
  const calls: (HookToolCall & HookToolResult)[] = [];
  const recording: HookToolPort = async (call) => {
    const result = await port(call);
    calls.push({ ...abbreviate(call), ...result, stdout: shorten(result.stdout) });
    return result;
  };
  try {
    const value = await step.run(recording, facts);
    return { step: step.name, calls, ...(value === undefined ? {} : { value: reveal(value) }) };
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return { step: step.name, calls, error: { code: error.code, message: error.message } };
  }
}

/** Long texts would not fit into an action's result. */
function abbreviate(call: HookToolCall): HookToolCall {
  const { stdin, privateFile } = call;
  return {
    ...call,
    args: call.args.map(shorten),
    ...(stdin === undefined ? {} : { stdin: shorten(stdin) }),
    ...(privateFile === undefined ? {} : { privateFile: shorten(privateFile) }),
  };
}

function shorten(text: string): string {
  return text.length > 600 ? `${text.length} characters` : text;
}

/** Secrets of the contract are made up, so that they may be shown. */
function reveal(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Secret) return value.reveal();
  if (Array.isArray(value)) return value.map(reveal);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, reveal(each)]));
}
