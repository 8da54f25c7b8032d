import { describe, expect, test } from '@jest/globals';

import { parseCluster } from '../../../../scripts/faults/pods.ts';

const app = 'db';
const renewTime = '2026-01-31T12:00:00.123456+00:00';
const renewedMs = Date.parse(renewTime);

function makePod(name: string, status?: object) {
  const annotations = status === undefined ? {} : { status: JSON.stringify(status) };
  return {
    kind: 'Pod',
    metadata: { name, uid: `u-${name}`, labels: { 'app.kubernetes.io/name': app }, annotations },
    status: {
      podIP: '10.0.0.1',
      containerStatuses: [
        { name: 'charm', containerID: 'containerd://c1', state: { running: { startedAt: 'x' } } },
        { name: 'postgresql', containerID: 'containerd://c2', state: { waiting: {} } },
      ],
    },
  };
}

const lock = {
  kind: 'Endpoints',
  metadata: { name: 'patroni-db', annotations: { leader: 'db-0', renewTime, ttl: '20' } },
  subsets: [{ addresses: [{ ip: '10.0.0.1' }] }, { notReadyAddresses: [{ ip: '10.0.0.2' }] }],
};
const items = [
  makePod('db-0', { state: 'running', role: 'primary', timeline: 3 }),
  makePod('db-1', { state: 'running', replication_state: 'streaming', timeline: 3 }),
  makePod('db-2', { state: 'stopped' }),
  makePod('db-3'),
  { kind: 'Pod', metadata: { name: 'modeloperator', uid: 'u' }, status: {} },
  lock,
  { kind: 'Endpoints', metadata: { name: 'patroni-db-sync', annotations: { leader: 'db-1' } } },
];

describe('parseCluster', () => {
  const parse = (nowMs: number) => parseCluster(JSON.stringify({ items }), app, nowMs);

  test('members are those that have written something about themselves', () => {
    expect(parse(renewedMs).members).toStrictEqual([
      { name: 'db-0', role: 'leader', state: 'running', timeline: 3 },
      { name: 'db-1', role: 'replica', state: 'streaming', timeline: 3 },
      { name: 'db-2', role: 'replica', state: 'stopped', timeline: 0 },
    ]);
  });

  test.each([
    { seconds: 20, held: true },
    { seconds: 21, held: false },
  ])('a lock renewed $seconds s ago is held: $held', ({ seconds, held }) => {
    const leaders = parse(renewedMs + seconds * 1000).members.filter(
      ({ role }) => role === 'leader',
    );

    expect(leaders).toHaveLength(held ? 1 : 0);
  });

  test('pods are those of the application, with their containers', () => {
    const { pods } = parse(renewedMs);

    expect(pods).toHaveLength(4);
    expect(pods[0]).toStrictEqual({
      name: 'db-0',
      uid: 'u-db-0',
      address: '10.0.0.1',
      role: undefined,
      charmRuns: true,
      workload: { podUid: 'u-db-0', containerId: 'c2' },
      charm: { podUid: 'u-db-0', containerId: 'c1' },
    });
  });

  test('a charm whose container has ended, or that has none, does not run', () => {
    const ended = { name: 'charm', state: { terminated: { exitCode: 0 } } };
    const pods = [[ended], []].map((containerStatuses, number) => {
      const pod = makePod(`db-${number}`);
      return { ...pod, status: { ...pod.status, containerStatuses } };
    });
    const parsed = parseCluster(JSON.stringify({ items: pods }), app, renewedMs);

    expect(parsed.pods.map(({ charmRuns }) => charmRuns)).toStrictEqual([false, false]);
  });

  test('a pod has the role of its label', () => {
    const pod = makePod('db-0');
    const labels = { ...pod.metadata.labels, role: 'primary' };
    const labelled = { ...pod, metadata: { ...pod.metadata, labels } };
    const { pods } = parseCluster(JSON.stringify({ items: [labelled] }), app, renewedMs);

    expect(pods.map(({ role }) => role)).toStrictEqual(['primary']);
  });

  test('the Service of the primary leads where the lock says, also when that is old', () => {
    expect(parse(renewedMs).primaryAddresses).toStrictEqual(['10.0.0.1']);
    expect(parse(renewedMs + 60_000).primaryAddresses).toStrictEqual(['10.0.0.1']);
    expect(parseCluster('{"items":[]}', app, renewedMs).primaryAddresses).toStrictEqual([]);
  });
});
