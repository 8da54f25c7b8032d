/** One Juju model: made, commanded, removed. */

import { performance } from 'node:perf_hooks';

import * as v from 'valibot';

import { DemoError } from './failure.ts';
import { type Juju, JujuError, type RunOptions, type RunResult } from './juju.ts';
import { notYet, type Say, there, waitFor } from './wait.ts';

export interface Model {
  readonly name: string;
  /** Runs `juju COMMAND -m MODEL ARGS…`. */
  run(command: string, args: readonly string[], options?: RunOptions): Promise<RunResult>;
}

const modelsSchema = v.object({ models: v.array(v.object({ 'short-name': v.string() })) });

export async function hasModel(juju: Juju, name: string): Promise<boolean> {
  const { stdout } = await juju(['models', '--format=json']);
  const { models } = v.parse(modelsSchema, JSON.parse(stdout));
  return models.some((model) => model['short-name'] === name);
}

/** A model that exists already. */
export function openModel(juju: Juju, name: string): Model {
  return {
    name,
    run: async (command, args, options) => await juju([command, '-m', name, ...args], options),
  };
}

/** Makes a model; Kubernetes may still be busy with removing the last one of that name. */
export async function createModel(juju: Juju, name: string, say: Say): Promise<Model> {
  await waitFor(
    async () => {
      const args = ['add-model', name, '--no-switch'];
      const result = await juju(args, { allowFailure: true });
      if (result.exitCode === 0) return there(true);
      return notYet(new JujuError(args, result).message);
    },
    { what: `a new model ${name}`, timeoutMs: 180_000, say, intervalMs: 2000 },
  );
  return openModel(juju, name);
}

/** Removes a model with everything in it, whatever state it is in; not being there is fine. */
export async function destroyModel(juju: Juju, name: string, say: Say): Promise<void> {
  if (!(await hasModel(juju, name))) return;
  say(`removing model ${name} with its storage`);
  const startedMs = performance.now();
  const args = ['destroy-model', name, '--no-prompt', '--destroy-storage', '--force', '--no-wait'];
  const ended = await juju(args, { allowFailure: true, timeoutMs: 240_000 });
  await waitFor(
    async () => {
      if (!(await hasModel(juju, name))) return there(true);
      const seconds = Math.round((performance.now() - startedMs) / 1000);
      return notYet(`model ${name} being removed for ${seconds} s`);
    },
    { what: `the removal of model ${name}`, timeoutMs: 180_000, say },
  );
  if (ended.exitCode !== 0 && !ended.stderr.includes('not found')) say(ended.stderr.trim());
}

/**
 * Refuses to go on when a model of that name holds something that is not ours: on a controller of
 * somebody's own, a name is no proof.
 */
export async function assertOwnModel(juju: Juju, name: string, marker: string): Promise<void> {
  if (!(await hasModel(juju, name))) return;
  const model = openModel(juju, name);
  const secrets = await model.run('secrets', ['--format=json'], { allowFailure: true });
  const status = await model.run('status', ['--format=json']);
  const { applications } = v.parse(
    v.object({ applications: v.optional(v.record(v.string(), v.unknown()), {}) }),
    JSON.parse(status.stdout),
  );
  const isEmpty = Object.keys(applications).length === 0;
  if (isEmpty || secrets.stdout.includes(`"name":"${marker}"`)) return;
  throw new DemoError(`cannot use model "${name}": it was not made by the demo`, {
    hint: `The demo removes a model "${name}" that it finds. Rename yours, or use another controller.`,
  });
}
