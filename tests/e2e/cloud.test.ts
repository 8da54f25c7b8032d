/**
 * What charms find on the shared local cloud: storage, addresses for services, names, S3, identities.
 * Level 1, label `cloud`. Everything is in a namespace of its own that goes away at the end.
 */

import { readdir } from 'node:fs/promises';

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import * as v from 'valibot';

import { imageNames } from '../../cloud/build/artifacts.ts';
import { kubectl, run, s3Info } from '../../cloud/client.ts';
import { getLayout } from '../../cloud/layout.ts';
import { describeClaim, describeJobPod } from '../support/cloud-storage.ts';

const namespace = `cloud-test-${process.pid}`;
const image = imageNames.workload;

async function inNamespace(...args: readonly string[]): Promise<string> {
  return (await kubectl(['--namespace', namespace, ...args], { timeoutMs: 120_000 })).stdout;
}

async function apply(...objects: readonly object[]): Promise<void> {
  const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
  await kubectl(['--namespace', namespace, 'apply', '--filename=-'], { input: list });
}

/** Runs a pod to its end and returns what it printed. */
async function runPod(name: string, script: string, claims: readonly string[]): Promise<string> {
  await apply(describeJobPod(name, { image, script, claims }));
  const done = '--for=jsonpath={.status.phase}=Succeeded';
  await inNamespace('wait', done, `pod/${name}`, '--timeout=60s');
  const output = await inNamespace('logs', name);
  await inNamespace('delete', 'pod', name, '--now');
  return output;
}

beforeAll(async () => {
  await kubectl(['create', 'namespace', namespace]);
});

afterAll(async () => {
  await kubectl(['delete', 'namespace', namespace, '--timeout=90s']);
});

test('a deleted claim frees its space', async () => {
  await apply(describeClaim({ name: 'freed' }));
  await runPod('fill', 'head -c 1000000 /dev/zero > /freed/file', ['freed']);
  const volume = await inNamespace('get', 'pvc', 'freed', '-o=jsonpath={.spec.volumeName}');
  const foldersBefore = await readdir(getLayout().volumes);

  await inNamespace('delete', 'pvc', 'freed');
  await inNamespace('wait', '--for=delete', `persistentvolume/${volume}`, '--timeout=60s');

  expect(foldersBefore).toContain(volume);
  expect(await readdir(getLayout().volumes)).not.toContain(volume);
});

test('a retained volume keeps its data and is attached to another claim', async () => {
  await apply(describeClaim({ name: 'first', storageClass: 'local-retain' }));
  await runPod('write', 'echo kept > /first/file', ['first']);
  const volume = await inNamespace('get', 'pvc', 'first', '-o=jsonpath={.spec.volumeName}');
  await inNamespace('delete', 'pvc', 'first');
  const released = '--for=jsonpath={.status.phase}=Released';
  await inNamespace('wait', released, `persistentvolume/${volume}`, '--timeout=60s');

  const unclaim = '[{"op":"remove","path":"/spec/claimRef"}]';
  await inNamespace('patch', 'persistentvolume', volume, '--type=json', `--patch=${unclaim}`);
  await apply(describeClaim({ name: 'second', storageClass: 'local-retain', volume }));

  expect(await runPod('read', 'cat /second/file', ['second'])).toBe('kept');
  const erase = '{"spec":{"persistentVolumeReclaimPolicy":"Delete"}}';
  await inNamespace('patch', 'persistentvolume', volume, `--patch=${erase}`);
  await inNamespace('delete', 'pvc', 'second');
});

test('services of type LoadBalancer get addresses of their own', async () => {
  const service = (name: string) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { type: 'LoadBalancer', selector: { app: 'none' }, ports: [{ port: 5432 }] },
  });

  await apply(service('one'), service('two'));

  const path = '{.status.loadBalancer.ingress[0].ip}';
  for (const name of ['one', 'two']) {
    await inNamespace('wait', `--for=jsonpath=${path}`, `service/${name}`, '--timeout=30s');
  }
  const one = await inNamespace('get', 'service', 'one', `-o=jsonpath=${path}`);
  const two = await inNamespace('get', 'service', 'two', `-o=jsonpath=${path}`);
  expect(one).toMatch(/^192\.0\.2\.\d+$/);
  expect(two).toMatch(/^192\.0\.2\.\d+$/);
  expect(one).not.toBe(two);
});

test('a pod knows the names of the cloud and is told at once that there is nothing outside', async () => {
  const script = `getent hosts s3.local-cloud kubernetes.default.svc.cluster.local
start=$(date +%s); getent hosts charmhub.io || true; test $(($(date +%s) - start)) -le 2`;

  const output = await runPod('names', script, []);

  expect(output.trim().split(/\s+/)).toEqual([
    '192.0.2.20',
    's3.local-cloud',
    '10.152.183.1',
    'kubernetes.default.svc.cluster.local',
  ]);
});

test('a pod gets a token of its own that the API server knows but does not let do anything', async () => {
  const script = `cd /var/run/secrets/kubernetes.io/serviceaccount
python3 - <<'END'
import ssl, urllib.error, urllib.request
token = open("token").read()
context = ssl.create_default_context(cafile="ca.crt")
request = urllib.request.Request("https://kubernetes.default.svc/api/v1/nodes", headers={"Authorization": "Bearer " + token})
try:
    print(urllib.request.urlopen(request, context=context).status)
except urllib.error.HTTPError as error:
    print(error.code)
END`;

  expect(await runPod('token', script, [])).toBe('403');
});

test('the S3 server answers over TLS by its own authority and refuses who has no keys', async () => {
  const s3 = await s3Info();
  const script = `ca=$(mktemp); trap 'rm "$ca"' EXIT; printf %s "$AUTHORITY" >"$ca"
curl -s --cacert "$ca" "$ENDPOINT/"`;

  const { stdout } = await run('sh', ['-c', script], {
    env: { AUTHORITY: s3.caPem, ENDPOINT: s3.endpoint },
  });

  expect(stdout).toContain('AccessDenied');
  expect(s3.region).toBe('us-east-1');
});

test('status tells scripts what is up', async () => {
  const { stdout } = await run('cloud/status', ['--format', 'json']);

  const report = v.parse(
    v.object({
      state: v.string(),
      components: v.array(v.object({ name: v.string(), running: v.boolean() })),
      s3: v.object({ url: v.string() }),
    }),
    JSON.parse(stdout),
  );
  expect(report.state).toBe('up');
  expect(report.components.filter(({ running }) => !running)).toEqual([]);
  expect(report.s3.url).toBe((await s3Info()).endpoint);
});
