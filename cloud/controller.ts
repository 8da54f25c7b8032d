/** The Juju controller: bootstrapped onto the cluster, and what it says about itself. */

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import * as v from 'valibot';

import { renderControllerCharm } from './controller-charm.ts';
import { type Inside, runInside } from './inside.ts';
import { settings } from './settings.ts';

/** Settings of every model: hooks tell which path they took. */
const modelDefaults = ['logging-config=<root>=INFO;unit=DEBUG'];

const controllerConfig = [
  `caas-image-repo=${settings.juju.imageRepository}`,
  // With a service inside the cluster only, the client would go through a port-forward.
  'controller-service-type=loadbalancer',
  `controller-external-ips=[${settings.node.address}]`,
];

/** Makes the cluster known to a new Juju client and bootstraps the controller. */
export async function bootstrapController(inside: Inside, logFile: string): Promise<void> {
  await mkdir(inside.layout.juju, { recursive: true, mode: 0o700 });
  const charm = path.join(inside.layout.config, 'juju-controller.charm');
  await writeFile(charm, renderControllerCharm());
  const { cloud, controller } = settings.juju;
  const juju = async (args: readonly string[]): Promise<void> => {
    await runInside(inside, ['juju', ...args], { logFile });
  };
  await juju(['add-k8s', cloud, '--client', '--cluster-name=local', '--skip-storage']);
  await juju([
    'bootstrap',
    cloud,
    controller,
    `--controller-charm-path=${charm}`,
    ...controllerConfig.flatMap((option) => ['--config', option]),
    ...modelDefaults.flatMap((option) => ['--model-default', option]),
  ]);
}

export type ControllerReport =
  | { readonly kind: 'answers'; readonly version: string; readonly models: readonly ModelReport[] }
  | { readonly kind: 'silent' };

export interface ModelReport {
  readonly name: string;
  readonly status: string;
}

const controllersSchema = v.object({
  controllers: v.record(v.string(), v.object({ 'agent-version': v.optional(v.string()) })),
});

const modelsSchema = v.object({
  models: v.array(
    v.object({
      'short-name': v.string(),
      status: v.optional(v.object({ current: v.optional(v.string()) })),
    }),
  ),
});

const answerTimeoutMs = 10_000;

/** The controller's version and models; `silent` when it does not answer in time. */
export async function reportController(inside: Inside): Promise<ControllerReport> {
  const ask = async (args: readonly string[]): Promise<unknown> => {
    const command = ['juju', ...args, '--format', 'json'];
    return JSON.parse(await runInside(inside, command, { timeoutMs: answerTimeoutMs }));
  };
  try {
    const { models } = v.parse(modelsSchema, await ask(['models', '--all']));
    const { controllers } = v.parse(controllersSchema, await ask(['controllers']));
    return {
      kind: 'answers',
      version: controllers[settings.juju.controller]?.['agent-version'] ?? 'unknown',
      models: models.map((model) => ({
        name: model['short-name'],
        status: model.status?.current ?? 'unknown',
      })),
    };
  } catch {
    return { kind: 'silent' };
  }
}
