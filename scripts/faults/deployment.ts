/** The cluster that is disturbed: three units in a model of their own. */

import path from 'node:path';

import type { Juju } from '../demo/juju.ts';
import { createModel, destroyModel, hasModel, type Model, openModel } from '../demo/model.ts';
import { waitUntilSettled } from '../demo/settle.ts';
import type { Say } from '../demo/wait.ts';

export const app = 'postgresql-k8s';
export const size = 3;

const image = 'docker.io/local/charmed-postgresql:17';
const packedCharm = path.join(
  import.meta.dirname,
  '..',
  '..',
  'dist',
  'postgresql-k8s_amd64.charm',
);

export interface DeployOptions {
  readonly juju: Juju;
  readonly model: string;
  readonly charm: string | undefined;
  readonly say: Say;
}

/** A fresh model with a fresh cluster in it; one of that name goes first. */
export async function deployCluster(options: DeployOptions): Promise<Model> {
  const { juju, say } = options;
  await destroyModel(juju, options.model, say);
  const model = await createModel(juju, options.model, say);
  await model.run('model-config', [
    'logging-config=<root>=INFO;unit=DEBUG',
    'update-status-hook-interval=1m',
  ]);
  const charm = path.resolve(options.charm ?? packedCharm);
  const resource = `postgresql-image=${image}`;
  // Volumes of a limited size: one of the faults fills them.
  await model.run('create-storage-pool', ['sized', 'kubernetes', 'storage-class=local-sized']);
  const storage = ['--storage', 'pgdata=sized,2G'];
  const args = [charm, app, '-n', `${size}`, '--trust', '--resource', resource, ...storage];
  await model.run('deploy', args, { timeoutMs: 180_000 });
  await waitUntilSettled(model, { [app]: size }, { say });
  return model;
}

/** The model that an earlier run has kept, if there is one. */
export async function findCluster(juju: Juju, name: string): Promise<Model | undefined> {
  return (await hasModel(juju, name)) ? openModel(juju, name) : undefined;
}
