import { expect, test } from '@jest/globals';

import {
  deriveClusterParameters,
  deriveLocalParameters,
  deriveSynchronousNodeCount,
  type Resources,
} from '../../../../src/core/config/derive.ts';
import type { Settings } from '../../../../src/core/config/settings.ts';
import { validateSettings } from '../../../../src/core/config/validate.ts';

function settings(raw: Readonly<Record<string, string | number>> = {}): Settings {
  const result = validateSettings(raw);
  if (result.kind === 'invalid') throw new Error(result.problems.join('; '));
  return result.settings;
}

const gibibyte = 2 ** 30;

/** shared_buffers and effective_cache_size. */
function memory(given: Settings, resources: Resources): Readonly<Record<string, unknown>> {
  const { shared_buffers, effective_cache_size } = deriveLocalParameters(given, resources);
  return { shared_buffers, effective_cache_size };
}

test('a quarter of the memory becomes shared buffers, the rest is expected to be cache', () => {
  expect(memory(settings(), { cores: 2, memoryBytes: 8 * gibibyte })).toEqual({
    shared_buffers: '262144',
    effective_cache_size: '786432',
  });
});

test('a limit below the memory at hand counts, one above it does not', () => {
  const resources = { cores: 2, memoryBytes: gibibyte };

  expect(memory(settings({ profile_limit_memory: 500 }), resources)).toEqual({
    shared_buffers: '15258',
    effective_cache_size: '45777',
  });
  expect(memory(settings({ profile_limit_memory: 5000 }), resources)).toEqual(
    memory(settings(), resources),
  );
});

test('the testing profile leaves memory to the defaults of PostgreSQL', () => {
  const resources = { cores: 2, memoryBytes: gibibyte };

  expect(memory(settings({ profile: 'testing' }), resources)).toEqual({});
});

test('shared buffers that the operator asked for are taken off the cache', () => {
  const given = settings({ memory_shared_buffers: 1000 });

  expect(memory(given, { cores: 2, memoryBytes: gibibyte })).toEqual({
    shared_buffers: '1000',
    effective_cache_size: '130072',
  });
  expect(
    memory(settings({ memory_shared_buffers: 1000, profile: 'testing' }), {
      cores: 2,
      memoryBytes: gibibyte,
    }),
  ).toEqual({});
});

test.each([
  { summary: 'hardly any memory', memoryBytes: 4096, pages: '16', cache: '1' },
  { summary: 'all the memory in the world', memoryBytes: 2 ** 60, pages: '1073741823' },
])('$summary gives what the server takes', ({ memoryBytes, pages, cache = '2147483647' }) => {
  expect(memory(settings(), { cores: 1, memoryBytes })).toEqual({
    shared_buffers: pages,
    effective_cache_size: cache,
  });
});

test.each([
  { summary: 'half a core', cores: 0.5, connections: 100, workers: 2 },
  { summary: 'two cores', cores: 2, connections: 100, workers: 4 },
  { summary: 'three cores and a half', cores: 3.5, connections: 100, workers: 6 },
  { summary: 'sixty-four cores', cores: 64, connections: 256, workers: 8 },
])('$summary give enough workers and connections', ({ cores, connections, workers }) => {
  const parameters = deriveClusterParameters(settings(), { cores, memoryBytes: gibibyte });

  expect(parameters).toEqual({ max_connections: connections, max_worker_processes: workers });
});

const inForce = { max_connections: 256, max_worker_processes: 8 };

test.each([
  { summary: 'the own pod has it', cores: 64, others: [2], expected: inForce },
  { summary: 'another pod has it', cores: 2, others: [4, 64], expected: inForce },
  { summary: 'a pod is not known', cores: 2, others: [2, undefined], expected: inForce },
  {
    summary: 'only part of it fits',
    cores: 40,
    others: [2],
    expected: { max_connections: 100, max_worker_processes: 8 },
  },
  {
    summary: 'it fits nobody',
    cores: 3,
    others: [2],
    expected: { max_connections: 100, max_worker_processes: 4 },
  },
  {
    summary: 'nobody else is there',
    cores: 3,
    others: [],
    expected: { max_connections: 100, max_worker_processes: 6 },
  },
])('what is in force and follows from the cores, when $summary', ({ cores, others, expected }) => {
  const resources = { cores, memoryBytes: gibibyte };

  expect(deriveClusterParameters(settings(), resources, { cores: others, inForce })).toEqual(
    expected,
  );
});

test('what is asked for comes in force whatever is, and whoever is not known', () => {
  const given = settings({ experimental_max_connections: 50, cpu_max_worker_processes: '3' });
  const pods = { cores: [undefined], inForce };

  expect(deriveClusterParameters(given, { cores: 2, memoryBytes: gibibyte }, pods)).toEqual({
    max_connections: 50,
    max_worker_processes: 3,
  });
});

test('nothing in force, or nothing that makes sense, fits nobody', () => {
  const resources = { cores: 2, memoryBytes: gibibyte };
  const odd = { max_connections: '256', max_worker_processes: null };

  for (const present of [{}, odd]) {
    expect(
      deriveClusterParameters(settings(), resources, { cores: [undefined], inForce: present }),
    ).toEqual({ max_connections: 100, max_worker_processes: 4 });
  }
});

test.each([
  { summary: 'nothing asked', raw: {}, all: '4', parallel: '4', others: ['4', '4', '4'] },
  {
    summary: 'more processes asked',
    raw: { cpu_max_worker_processes: '20' },
    all: '20',
    parallel: '20',
    others: ['20', '20', '20'],
  },
  {
    summary: 'more parallel workers than processes',
    raw: { cpu_max_parallel_workers: '9' },
    all: '4',
    parallel: '4',
    others: ['4', '4', '4'],
  },
  {
    summary: 'each asked by itself',
    raw: {
      cpu_max_worker_processes: '12',
      cpu_max_parallel_workers: '3',
      cpu_max_parallel_maintenance_workers: '2',
      cpu_max_logical_replication_workers: '16',
      cpu_max_sync_workers_per_subscription: '7',
    },
    all: '12',
    parallel: '3',
    others: ['2', '16', '7'],
  },
])('workers with $summary', ({ raw, all, parallel, others }) => {
  const resources = { cores: 2, memoryBytes: gibibyte };
  const given = settings(raw);
  const [maintenance, logical, sync] = others;

  expect(deriveClusterParameters(given, resources)['max_worker_processes']).toBe(Number(all));
  expect(deriveLocalParameters(given, resources)).toMatchObject({
    max_parallel_workers: parallel,
    max_parallel_maintenance_workers: maintenance,
    max_logical_replication_workers: logical,
    max_sync_workers_per_subscription: sync,
  });
});

test('parallel workers stay within what PostgreSQL takes, however large the machine', () => {
  const resources = { cores: 200, memoryBytes: gibibyte };
  const given = settings({ cpu_max_worker_processes: '2000' });

  expect(deriveLocalParameters(given, resources)).toMatchObject({
    max_parallel_workers: '1024',
    max_parallel_maintenance_workers: '1024',
    max_logical_replication_workers: '2000',
  });
});

test.each([
  { count: 'all', members: 3, expected: 2 },
  { count: 'all', members: 1, expected: 0 },
  { count: 'majority', members: 3, expected: 1 },
  { count: 'majority', members: 5, expected: 2 },
  { count: '1', members: 3, expected: 1 },
  { count: '7', members: 3, expected: 2 },
])('$count of $members members waits for $expected replicas', ({ count, members, expected }) => {
  const node = settings({ synchronous_node_count: count });

  expect(deriveSynchronousNodeCount(node, members)).toBe(expected);
});
