/**
 * Brings the whole cloud up, joins the one that is up, and takes it down. Callers hold the lock.
 * There is no half-way: a cloud whose start was cut short is removed and started again, which takes
 * less than a minute because everything that takes long is kept in caches.
 */

import { createHash } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';

import type { Artifacts } from './build/artifacts.ts';
import { type Progress, StepError } from './build/progress.ts';
import { createCertificates } from './certificates.ts';
import { componentLog, findComponent, startComponent } from './component-process.ts';
import { type Component, type ComponentName, describeComponents } from './components.ts';
import { renderConfigFiles, writeConfigFiles } from './config-files.ts';
import { bootstrapController } from './controller.ts';
import { readTextIfPresent } from './files.ts';
import {
  createImageStore,
  hasImageStore,
  linkImageStore,
  waitForContainerd,
} from './image-store.ts';
import { type Inside, runInside, writeEnterFile } from './inside.ts';
import { writeKubeconfigs } from './kubeconfig.ts';
import { describeLayout, type Layout } from './layout.ts';
import { renderManifests } from './manifests.ts';
import { unmountBelow } from './mounts.ts';
import { findNode, isInside, prepareNode, startNode, stopNode } from './node.ts';
import { createS3Keys } from './object-storage.ts';
import { settings } from './settings.ts';
import { type CloudState, loadState, removeState, saveState } from './state.ts';
import { waitUntil } from './wait.ts';

export interface CloudRequest {
  readonly layout: Layout;
  readonly artifacts: Artifacts;
  readonly progress: Progress;
}

/** Makes sure that a cloud of these artifacts and this configuration is up. */
export async function ensureCloud(request: CloudRequest): Promise<void> {
  const { layout, progress } = request;
  const state = await loadState(layout);
  const key = describeKey(request.artifacts);
  const node = await findNode(state?.node);
  if (state?.phase === 'up' && node !== undefined) {
    if (state.key === key) {
      progress.note(`the cloud is up since ${state.since}`);
      await restartDead(request, { layout, node, binDir: state.binDir }, state);
      return;
    }
    progress.note('the running cloud was made from something else: replacing it');
  }
  await removeCloud(layout, progress);
  await createCloud(request, key);
}

/** Removes everything that a cloud, or a part of one, leaves on the machine. */
export async function removeCloud(layout: Layout, progress: Progress): Promise<void> {
  const state = await loadState(layout);
  if (state?.node !== undefined && (await isInside(state.node))) {
    throw new Error('cannot remove the cloud: this command runs inside it');
  }
  const remains = state !== undefined || (await isPresent(layout.run));
  if (!remains) {
    await stopNode(layout, undefined);
    return;
  }
  await progress.step('remove what is there', logFile(layout, 'remove'), async () => {
    if (state !== undefined) await saveState(layout, { ...state, phase: 'stopping' });
    await stopNode(layout, state?.node);
    await unmountBelow(layout.run);
    await rm(layout.run, { recursive: true, force: true, maxRetries: 5 });
    await removeState(layout);
  });
}

/** A digest of everything that the cloud is made of, the same for every folder it may live in. */
export function describeKey(artifacts: Artifacts): string {
  const layout = describeLayout('/', 'any');
  const parts = {
    artifacts: artifacts.key,
    components: describeComponents({ layout, binDir: '/' }),
    config: renderConfigFiles({ layout, pauseImage: artifacts.imageNames.pause }),
    manifests: renderManifests(),
    settings,
  };
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

/** One start: what every part of it needs, and the steps. */
interface Start extends CloudRequest {
  readonly inside: Inside;
  readonly components: ReadonlyMap<ComponentName, Component>;
}

async function createCloud(request: CloudRequest, key: string): Promise<void> {
  const { layout, artifacts, progress } = request;
  const { binDir } = artifacts;
  const components = describeComponents({ layout, binDir });
  const since = new Date().toISOString();
  const starting: CloudState = {
    phase: 'starting',
    key,
    since,
    binDir,
    components: components.map(copy),
  };
  await saveState(layout, starting);
  await rm(layout.logs, { recursive: true, force: true });

  const nodeLog = logFile(layout, 'node');
  const node = await progress.step('make the node', nodeLog, async () => {
    const started = await startNode(
      layout,
      async (id) => await saveState(layout, { ...starting, node: id }),
    );
    await prepareNode(started, nodeLog);
    return started;
  });
  const inside: Inside = { layout, node, binDir };
  await writeEnterFile(inside);
  const start: Start = {
    ...request,
    inside,
    components: new Map(components.map((it) => [it.name, it])),
  };
  await startCluster(start);
  await startClusterServices(start);
  const controllerLog = logFile(layout, 'controller');
  await progress.step('bootstrap the Juju controller', controllerLog, async () => {
    await bootstrapController(inside, controllerLog);
    await checkComponents(inside, components);
  });
  await saveState(layout, { ...starting, phase: 'up', node });
}

async function startCluster(start: Start): Promise<void> {
  const { layout, progress, inside, artifacts } = start;
  const certificatesLog = logFile(layout, 'certificates');
  await progress.step('make certificates and configuration', certificatesLog, async () => {
    await createCertificates(layout, certificatesLog);
    await writeKubeconfigs(layout);
    await writeConfigFiles({ layout, pauseImage: artifacts.imageNames.pause });
    await createS3Keys(layout);
  });
  const apiStep = progress.step(
    'start the API server',
    logFile(layout, 'kube-apiserver'),
    async () => {
      await startAll(start, ['etcd', 'kube-apiserver']);
      await waitForApi(inside);
    },
  );
  const imagesStep = startContainers(start);
  const results = await Promise.allSettled([apiStep, imagesStep]);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

async function startContainers(start: Start): Promise<void> {
  const { layout, progress, inside, artifacts } = start;
  const containerd = start.components.get('containerd');
  if (containerd === undefined) throw new Error('cannot start containers: no containerd');
  const imagesLog = logFile(layout, 'images');
  const options = { inside, artifacts, containerd, logFile: imagesLog };
  if (!(await hasImageStore(options))) {
    await progress.step(
      'unpack the images',
      imagesLog,
      async () => await createImageStore(options),
    );
  }
  await progress.step(
    'start containerd with its images',
    logFile(layout, 'containerd'),
    async () => {
      await linkImageStore(options);
      await startAll(start, ['containerd']);
      await waitForContainerd(inside);
    },
  );
}

async function startClusterServices(start: Start): Promise<void> {
  const { layout, progress, inside } = start;
  const log = logFile(layout, 'cluster');
  await progress.step('start the node, storage and S3', log, async () => {
    await runInside(inside, ['kubectl', 'apply', '--filename=-'], { input: renderManifests() });
    await startAll(start, [
      'kube-controller-manager',
      'kube-scheduler',
      'kubelet',
      'kube-proxy',
      'coredns',
      'provisioner',
      's3',
    ]);
    const command = [
      'kubectl',
      'wait',
      '--for=condition=Ready',
      `node/${settings.node.name}`,
      '--timeout=1s',
    ];
    await waitUntil(async () => (await runInside(inside, command)) !== '', {
      what: 'the node is not ready',
      timeoutMs: 60_000,
    });
    await checkComponents(inside, [...start.components.values()]);
  });
}

/** Fails for the first component that ended by itself, with the end of its log. */
async function checkComponents(inside: Inside, components: readonly Component[]): Promise<void> {
  for (const { name } of components) {
    if ((await findComponent(inside, name)) !== undefined) continue;
    const log = componentLog(inside, name);
    const tail = (await readTextIfPresent(log))?.trimEnd().split('\n').slice(-20).join('\n') ?? '';
    throw new StepError(`start ${name}`, log, { tail, cause: new Error('the process ended') });
  }
}

async function startAll(start: Start, names: readonly ComponentName[]): Promise<void> {
  for (const name of names) {
    const component = start.components.get(name);
    if (component === undefined) throw new Error(`cannot start "${name}": no such component`);
    await startComponent(start.inside, component);
  }
}

/** Waits until the API server answers and is ready. */
export async function waitForApi(inside: Inside): Promise<void> {
  await waitUntil(
    async () => (await runInside(inside, ['kubectl', 'get', '--raw=/readyz'])) === 'ok',
    {
      what: 'the API server is not ready',
      timeoutMs: 60_000,
    },
  );
}

async function restartDead(
  request: CloudRequest,
  inside: Inside,
  state: CloudState,
): Promise<void> {
  for (const component of state.components) {
    if ((await findComponent(inside, component.name)) !== undefined) continue;
    const log = logFile(request.layout, 'restart');
    await request.progress.step(`start ${component.name} again`, log, async () => {
      await startComponent(inside, component);
    });
  }
  await waitForApi(inside);
}

function logFile(layout: Layout, name: string): string {
  return path.join(layout.logs, `${name}.log`);
}

function copy(component: Component): { name: string; command: string[] } {
  return { name: component.name, command: [...component.command] };
}

async function isPresent(folder: string): Promise<boolean> {
  await mkdir(path.dirname(folder), { recursive: true });
  return (await readdir(path.dirname(folder))).includes(path.basename(folder));
}
