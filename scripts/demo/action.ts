/** Actions, run and waited for. */

import * as v from 'valibot';

import { DemoError } from './failure.ts';
import { JujuError } from './juju.ts';
import type { Model } from './model.ts';

export interface ActionCall {
  readonly unit: string;
  readonly action: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** Lets the client guess types, as people do: `true` is no text then. */
  readonly guessTypes?: boolean;
}

export type ActionOutcome =
  | { readonly kind: 'completed'; readonly results: Readonly<Record<string, string>> }
  | { readonly kind: 'failed'; readonly message: string };

const text = v.union([v.string(), v.pipe(v.number(), v.transform(String))]);
const outputSchema = v.record(
  v.string(),
  v.object({
    status: v.string(),
    message: v.optional(v.string(), ''),
    results: v.optional(v.record(v.string(), v.fallback(text, '')), {}),
  }),
);

const defaultTimeoutMs = 120_000;

/** Runs an action to its end; that it failed is an answer, not an error. */
export async function runAction(model: Model, call: ActionCall): Promise<ActionOutcome> {
  const timeoutMs = call.timeoutMs ?? defaultTimeoutMs;
  const params = Object.entries(call.params ?? {}).map(([key, value]) => `${key}=${value}`);
  const args = [
    '--format=json',
    '--no-color',
    ...(call.guessTypes === true ? [] : ['--string-args']),
    `--wait=${Math.ceil(timeoutMs / 1000)}s`,
    call.unit,
    call.action,
    ...params,
  ];
  const ended = await model.run('run', args, { allowFailure: true, timeoutMs: timeoutMs + 10_000 });
  const task = parseOutput(ended.stdout)?.[call.unit];
  if (task === undefined) throw new JujuError(['run', call.action], ended);
  if (task.status === 'completed') return { kind: 'completed', results: task.results };
  return { kind: 'failed', message: task.message };
}

/** The results of an action that must not fail. */
export async function requireAction(
  model: Model,
  call: ActionCall,
): Promise<Readonly<Record<string, string>>> {
  const outcome = await runAction(model, call);
  if (outcome.kind === 'completed') return outcome.results;
  throw new DemoError(`cannot run ${call.action} on ${call.unit}: ${outcome.message}`);
}

function parseOutput(stdout: string): v.InferOutput<typeof outputSchema> | undefined {
  if (!stdout.trimStart().startsWith('{')) return undefined;
  const parsed = v.safeParse(outputSchema, JSON.parse(stdout));
  return parsed.success ? parsed.output : undefined;
}
