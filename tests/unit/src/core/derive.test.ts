import { expect, test } from '@jest/globals';

import {
  deriveClusterParameters,
  deriveMemoryParameters,
  deriveSynchronousNodeCount,
} from '../../../../src/core/config/derive.ts';
import { type Settings, validateSettings } from '../../../../src/core/config/validate.ts';

function settings(raw: Readonly<Record<string, string | number>> = {}): Settings {
  const result = validateSettings(raw);
  if (result.kind === 'invalid') throw new Error(result.problems.join('; '));
  return result.settings;
}

const gibibyte = 2 ** 30;

test('a quarter of the memory becomes shared buffers, the rest is expected to be cache', () => {
  expect(deriveMemoryParameters(settings(), { cores: 2, memoryBytes: 8 * gibibyte })).toEqual({
    shared_buffers: '262144',
    effective_cache_size: '786432',
  });
});

test('a limit below the memory at hand counts, one above it does not', () => {
  const resources = { cores: 2, memoryBytes: gibibyte };

  expect(deriveMemoryParameters(settings({ profile_limit_memory: 500 }), resources)).toEqual({
    shared_buffers: '15258',
    effective_cache_size: '45777',
  });
  expect(deriveMemoryParameters(settings({ profile_limit_memory: 5000 }), resources)).toEqual(
    deriveMemoryParameters(settings(), resources),
  );
});

test('the testing profile leaves memory to the defaults of PostgreSQL', () => {
  const resources = { cores: 2, memoryBytes: gibibyte };

  expect(deriveMemoryParameters(settings({ profile: 'testing' }), resources)).toEqual({});
});

test.each([
  { summary: 'half a core', cores: 0.5, connections: 100, workers: 2 },
  { summary: 'two cores', cores: 2, connections: 100, workers: 4 },
  { summary: 'sixty-four cores', cores: 64, connections: 256, workers: 8 },
])('$summary give enough workers and connections', ({ cores, connections, workers }) => {
  const parameters = deriveClusterParameters({ cores, memoryBytes: gibibyte });

  expect(parameters).toMatchObject({ max_connections: connections, max_worker_processes: workers });
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
