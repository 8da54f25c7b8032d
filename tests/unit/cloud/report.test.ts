import { expect, test } from '@jest/globals';

import { type CloudReport, renderReport } from '../../../cloud/report.ts';

const up: CloudReport = {
  state: 'up',
  instance: 'main',
  key: '0123456789abcdef',
  since: '2026-01-02T03:04:05.000Z',
  node: { name: 'node0', address: '192.0.2.10', pid: 4 },
  components: [
    { name: 'etcd', running: true, pid: 5, memoryBytes: 40_000_000 },
    { name: 's3', running: true, pid: 6, memoryBytes: 30_000_000 },
  ],
  controller: {
    name: 'local',
    kind: 'answers',
    version: '4.1',
    models: [{ name: 'try', status: 'available' }],
  },
  kubernetes: { url: 'https://192.0.2.10:6443', kubeconfig: '/k' },
  s3: { url: 'https://s3.local-cloud', region: 'us-east-1', keys: '/keys', ca: '/ca' },
  logs: '/logs',
};

test('a cloud that is up is described in full', () => {
  expect(renderReport(up)).toBe(
    `the local cloud is up since 2026-01-02T03:04:05.000Z, key 0123456789abcdef
  etcd                     process       5    40 MB
  s3                       process       6    30 MB
  together                                    70 MB
Juju        controller local 4.1, models try (available)
Kubernetes  https://192.0.2.10:6443  kubeconfig /k
S3          https://s3.local-cloud  keys /keys  CA /ca
logs        /logs
`,
  );
});

test('a dead component and a silent controller are shown, with the way out', () => {
  const text = renderReport({
    ...up,
    state: 'half',
    changing: { pid: 9, doing: 'up' },
    components: [{ name: 'etcd', running: false }],
    controller: { name: 'local', kind: 'silent' },
  });

  expect(text).toBe(
    `the local cloud is half up since 2026-01-02T03:04:05.000Z, key 0123456789abcdef (mend it with: cloud/up)
being changed by process 9 (up)
  etcd                     dead
Juju        controller local does not answer
Kubernetes  https://192.0.2.10:6443  kubeconfig /k
S3          https://s3.local-cloud  keys /keys  CA /ca
logs        /logs
`,
  );
});

test('a cloud that is down has nothing but its logs', () => {
  const text = renderReport({ state: 'down', instance: 'main', components: [], logs: '/logs' });

  expect(text).toBe('the local cloud is down\nlogs        /logs\n');
});
