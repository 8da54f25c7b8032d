import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

import { createKube } from '../../../../lib/kube/client.ts';
import {
  inClusterUrl,
  readNamespace,
  readServiceAccount,
} from '../../../../lib/kube/service-account.ts';
import { createFakeHttp, type FakeAnswer } from '../../../support/fake-http.ts';

const pod = { metadata: { name: 'pg-0', labels: { role: 'primary' } }, spec: { nodeName: 'n1' } };

function setUp(...answers: readonly FakeAnswer[]) {
  const fake = createFakeHttp(...answers);
  let reads = 0;
  const kube = createKube({
    http: fake.http,
    namespace: 'my-model',
    url: 'https://10.0.0.1:443',
    credentials: async () => {
      reads += 1;
      return await Promise.resolve({ token: `token-${reads}`, ca: 'CA' });
    },
  });
  return { ...fake, kube };
}

test('an object is read from its namespace with the token and the authority', async () => {
  const { kube, requests } = setUp({ status: 200, body: pod });

  expect(await kube.get('pods', 'pg-0')).toEqual(pod);

  expect(requests).toEqual([
    {
      method: 'GET',
      url: 'https://10.0.0.1:443/api/v1/namespaces/my-model/pods/pg-0',
      headers: { accept: 'application/json', authorization: 'Bearer token-1' },
      ca: 'CA',
      timeoutMs: 10_000,
    },
  ]);
});

test('nodes stand outside the namespace', async () => {
  const { kube, requests } = setUp({ status: 200, body: { metadata: { name: 'n1' } } });

  await kube.get('nodes', 'n1');

  expect(requests[0]?.url).toBe('https://10.0.0.1:443/api/v1/nodes/n1');
});

test('StatefulSets are in a group of their own', async () => {
  const metadata = { name: 'pg', creationTimestamp: '2026-01-31T10:00:00Z' };
  const { kube, requests } = setUp({ status: 200, body: { metadata } });

  expect(await kube.get('statefulsets', 'pg')).toEqual({ metadata });

  expect(requests[0]?.url).toBe(
    'https://10.0.0.1:443/apis/apps/v1/namespaces/my-model/statefulsets/pg',
  );
});

test('what is not there is absent, and deleting it is fine', async () => {
  const { kube } = setUp({ status: 404 }, { status: 404 });

  expect(await kube.get('pods', 'pg-9')).toBeUndefined();
  await kube.delete('endpoints', 'patroni-pg');
});

test('a list is selected by label', async () => {
  const { kube, requests } = setUp({ status: 200, body: { items: [pod] } });

  expect(await kube.list('pods', 'application=patroni,cluster-name=x')).toEqual([pod]);

  expect(requests[0]?.url).toBe(
    'https://10.0.0.1:443/api/v1/namespaces/my-model/pods?labelSelector=application%3Dpatroni%2Ccluster-name%3Dx',
  );
});

test('an applied manifest carries its kind, and conflicts are forced', async () => {
  const { kube, requests } = setUp({ status: 201, body: { metadata: { name: 'pg-primary' } } });

  await kube.apply('services', { metadata: { name: 'pg-primary' }, spec: {} }, 'pg');

  expect(requests[0]).toMatchObject({
    method: 'PATCH',
    url: 'https://10.0.0.1:443/api/v1/namespaces/my-model/services/pg-primary?fieldManager=pg&force=true',
    headers: { 'content-type': 'application/apply-patch+yaml' },
    body: JSON.stringify({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'pg-primary' },
      spec: {},
    }),
  });
});

test('a patch keeps its nulls', async () => {
  const { kube, requests } = setUp({ status: 200, body: pod });

  await kube.patch('pods', 'pg-0', { metadata: { labels: { role: null } } });

  expect(requests[0]).toMatchObject({
    headers: { 'content-type': 'application/merge-patch+json' },
    body: '{"metadata":{"labels":{"role":null}}}',
  });
});

test('a refused token is read again, once', async () => {
  const { kube, requests } = setUp(
    { status: 401 },
    { status: 200, body: pod },
    { status: 200, body: pod },
  );

  await kube.get('pods', 'pg-0');
  await kube.get('pods', 'pg-0');

  expect(requests.map(({ headers }) => headers?.['authorization'])).toEqual([
    'Bearer token-1',
    'Bearer token-2',
    'Bearer token-2',
  ]);
});

test('a token that stays refused is an error that does not show it', async () => {
  const { kube } = setUp({ status: 401 }, { status: 401 });

  const error = await kube.get('pods', 'pg-0').catch((thrown: unknown) => thrown);

  expect(error).toMatchObject({ code: 'api', fields: { status: 401 } });
  expect(JSON.stringify(error) + String(error)).not.toContain('token-');
});

const refusals = [
  { summary: 'a missing permission', status: 403, reason: 'Forbidden', code: 'forbidden' },
  { summary: 'a conflict', status: 409, reason: 'Conflict', code: 'conflict' },
  { summary: 'anything else', status: 500, reason: 'InternalError', code: 'api' },
];

test.each(refusals)('$summary has the code $code', async ({ status, reason, code }) => {
  const { kube } = setUp({ status, body: { kind: 'Status', reason, message: 'because' } });

  await expect(kube.delete('pods', 'pg-0')).rejects.toMatchObject({
    message: 'cannot delete pods "pg-0": because',
    code,
    fields: { status, reason },
  });
});

test('a page that is no status still gives one', async () => {
  const { kube } = setUp({ status: 502, body: '<html>' });

  await expect(kube.list('pods', '')).rejects.toMatchObject({
    message: 'cannot list pods: status 502',
    code: 'api',
  });
});

test('an answer that is no object is an error', async () => {
  const { kube } = setUp({ status: 200, body: { metadata: {} } });

  await expect(kube.get('pods', 'pg-0')).rejects.toMatchObject({ code: 'api' });
});

test('no answer is unreachable', async () => {
  const { kube } = setUp({ fails: 'refused' });

  await expect(kube.get('pods', 'pg-0')).rejects.toMatchObject({
    code: 'unreachable',
    fields: { reason: 'refused' },
  });
});

const places = [
  {
    environment: { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '6443' },
    url: 'https://10.0.0.1:6443',
  },
  {
    environment: { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' },
    url: 'https://[fd00::1]:443',
  },
  { environment: { KUBERNETES_SERVICE_HOST: '10.0.0.1' }, url: 'https://10.0.0.1:443' },
  { environment: {}, url: 'https://kubernetes.default.svc' },
];

test.each(places)('$environment leads to $url', ({ environment, url }) => {
  expect(inClusterUrl(environment)).toBe(url);
});

test('the service account is read from its files', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'account-'));
  writeFileSync(join(directory, 'token'), 'abc\n');
  writeFileSync(join(directory, 'ca.crt'), 'PEM\n');
  writeFileSync(join(directory, 'namespace'), 'my-model');

  expect(await readServiceAccount(directory)).toEqual({ token: 'abc', ca: 'PEM\n' });
  expect(await readNamespace(directory)).toBe('my-model');

  rmSync(directory, { recursive: true });
});
