/**
 * The life of a local cloud, on an instance of its own. Level 1, labels `cloud`.
 * Each test starts from whatever the one before left; that is what the cloud promises to stand.
 */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, expect, test } from '@jest/globals';
import { execa } from 'execa';
import * as v from 'valibot';

import {
  describeMachineNetwork,
  openCloudInstance,
  readNetwork,
} from '../support/cloud-instance.ts';

const cloud = openCloudInstance('lifecycle');
const kubectl = ['kubectl'];

afterAll(async () => {
  await cloud.command(['down']);
});

const reportSchema = v.object({
  state: v.string(),
  key: v.optional(v.string()),
  since: v.optional(v.string()),
  node: v.optional(v.object({ pid: v.number() })),
  components: v.array(v.object({ name: v.string(), pid: v.optional(v.number()) })),
  controller: v.optional(v.object({ kind: v.string() })),
});

async function fetchReport(): Promise<v.InferOutput<typeof reportSchema>> {
  const { output } = await cloud.command(['status', '--format', 'json']);
  return v.parse(reportSchema, JSON.parse(output));
}

async function measureSeconds(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

test('a cloud comes up within 45 s, is joined within 5 s, and changes no network of the machine', async () => {
  const networkBefore = await describeMachineNetwork();

  const upSeconds = await measureSeconds(async () => {
    expect(await cloud.command(['up'])).toMatchObject({ exitCode: 0 });
  });
  const first = await fetchReport();
  const joinSeconds = await measureSeconds(async () => {
    expect(await cloud.command(['up'])).toMatchObject({ exitCode: 0 });
  });

  expect(upSeconds).toBeLessThan(45);
  expect(joinSeconds).toBeLessThan(5);
  expect(first).toMatchObject({ state: 'up', controller: { kind: 'answers' } });
  expect(await fetchReport()).toMatchObject({ since: first.since, key: first.key });
  expect(await describeMachineNetwork()).toBe(networkBefore);
  expect(await readNetwork(first.node?.pid ?? 0)).not.toBe(await readNetwork(process.pid));
});

test('what died is started again without losing anything', async () => {
  await cloud.command([...kubectl, 'create', 'namespace', 'precious']);
  const { components } = await fetchReport();
  const killed = ['etcd', 'containerd', 's3'];
  for (const { name, pid } of components) {
    if (pid !== undefined && killed.includes(name)) process.kill(pid, 'SIGKILL');
  }
  expect(await fetchReport()).toMatchObject({ state: 'half' });

  expect(await cloud.command(['up'])).toMatchObject({ exitCode: 0 });

  expect(await fetchReport()).toMatchObject({ state: 'up' });
  const namespace = await cloud.command([...kubectl, 'get', 'namespace', 'precious', '-o', 'name']);
  expect(namespace).toEqual({ exitCode: 0, output: 'namespace/precious' });
});

test('a component can be taken away and brought back', async () => {
  await cloud.command(['component', 'stop', 'kube-apiserver']);
  const away = await cloud.command([...kubectl, 'get', 'nodes', '--request-timeout=2s']);

  const started = await cloud.command(['component', 'start', 'kube-apiserver']);

  expect(away.exitCode).toBe(1);
  expect(started).toMatchObject({ exitCode: 0 });
  expect(await cloud.command([...kubectl, 'get', 'namespace', 'precious'])).toMatchObject({
    exitCode: 0,
  });
});

test('a command inside has the exit code, the folder and the names that it should have', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'cloud-'));
  try {
    const script = 'pwd; getent hosts s3.local-cloud; exit 7';
    const ended = await execa(path.resolve('cloud/enter'), ['sh', '-c', script], {
      cwd: folder,
      env: { LOCAL_CLOUD_INSTANCE: 'lifecycle' },
      reject: false,
    });

    expect(ended.exitCode).toBe(7);
    expect(ended.stdout.split(/\s+/)).toEqual([folder, '192.0.2.20', 's3.local-cloud']);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('a cloud whose first process was killed counts as half up and is replaced', async () => {
  const { node } = await fetchReport();
  process.kill(node?.pid ?? 0, 'SIGKILL');

  expect(await fetchReport()).toMatchObject({ state: 'half' });

  expect(await cloud.command(['up'])).toMatchObject({ exitCode: 0 });
  expect(await fetchReport()).toMatchObject({ state: 'up' });
});

test('nothing is left after down, and down again is fine', async () => {
  expect(await cloud.listRemains()).not.toEqual([]);

  expect(await cloud.command(['down'])).toMatchObject({ exitCode: 0 });

  expect(await cloud.listRemains()).toEqual([]);
  expect(await fetchReport()).toMatchObject({ state: 'down', components: [] });
  expect(await cloud.command(['down'])).toMatchObject({ exitCode: 0 });
});

test.each([350, 500, 700, 1200, 3000, 6000, 12_000])(
  'down leaves nothing of an up that was killed after %d ms',
  async (killAfterMs) => {
    await cloud.command(['up'], { killAfterMs });

    expect(await cloud.command(['down'])).toMatchObject({ exitCode: 0 });

    expect(await cloud.listRemains()).toEqual([]);
  },
);

test('two that start it at once get one cloud, even when one of them is interrupted', async () => {
  const interrupted = cloud.command(['up'], { interruptAfterMs: 6000 });
  const [first, second] = await Promise.all([cloud.command(['up']), cloud.command(['up'])]);

  expect(first).toMatchObject({ exitCode: 0 });
  expect(second).toMatchObject({ exitCode: 0 });
  await interrupted;
  expect(await fetchReport()).toMatchObject({ state: 'up' });
  expect([first, second].filter(({ output }) => output.includes('is up since'))).toHaveLength(1);
});

test('a down that was killed is finished by the next', async () => {
  await cloud.command(['down'], { killAfterMs: 500 });

  expect(await cloud.command(['down'])).toMatchObject({ exitCode: 0 });

  expect(await cloud.listRemains()).toEqual([]);
});

test('a cloud whose records were lost is found and removed all the same', async () => {
  await cloud.command(['up'], { killAfterMs: 8000 });
  await rm(cloud.layout.stateFile);

  expect(await fetchReport()).toMatchObject({ state: 'half' });
  expect(await cloud.command(['down'])).toMatchObject({ exitCode: 0 });

  expect(await cloud.listRemains()).toEqual([]);
});
