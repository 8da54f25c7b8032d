import { expect, test } from '@jest/globals';

import {
  dependsOnResources,
  validateAgainstResources,
} from '../../../../src/core/config/resource-checks.ts';
import { validateSettings } from '../../../../src/core/config/validate.ts';

const gibibyte = 2 ** 30;

function settings(raw: Readonly<Record<string, unknown>>) {
  const result = validateSettings(raw);
  if (result.kind === 'invalid') throw new Error(result.problems.join('; '));
  return result.settings;
}

test('defaults ask for nothing that the smallest pod would not have', () => {
  expect(dependsOnResources(settings({}))).toBe(false);
  expect(validateAgainstResources(settings({}), { cores: 0.01, memoryBytes: 1 })).toEqual([]);
});

test.each([
  { cores: 0.5, value: '10', cap: 10, ok: true },
  { cores: 0.5, value: '11', cap: 10, ok: false },
  { cores: 2, value: '20', cap: 20, ok: true },
  { cores: 2.9, value: '21', cap: 20, ok: false },
  { cores: 4, value: '9'.repeat(9), cap: 40, ok: false },
])('$cores cores allow $value workers: $ok', ({ cores, value, cap, ok }) => {
  const given = settings({ cpu_max_parallel_workers: value });

  expect(dependsOnResources(given)).toBe(true);
  expect(validateAgainstResources(given, { cores, memoryBytes: gibibyte })).toEqual(
    ok
      ? []
      : [
          `cpu_max_parallel_workers value ${value} exceeds maximum allowed of ${cap} (10 * vCores). ` +
            `Please set a value <= ${cap}.`,
        ],
  );
});

// 40 % of 1 GiB are 52428.8 pages of 8 KiB.
test.each([
  { pages: 52428, ok: true },
  { pages: 52429, ok: false },
])('$pages pages of shared buffers fit into 40 % of a gibibyte: $ok', ({ pages, ok }) => {
  const given = settings({ memory_shared_buffers: pages, profile: 'testing' });

  expect(validateAgainstResources(given, { cores: 1, memoryBytes: gibibyte })).toEqual(
    ok
      ? []
      : [
          'memory_shared_buffers: Shared buffers config option should be at most 40% of the ' +
            'available memory, which is 429MB',
        ],
  );
});

test('the limit of the profile counts for shared buffers too', () => {
  const given = settings({ memory_shared_buffers: 30000, profile_limit_memory: 500 });

  expect(validateAgainstResources(given, { cores: 1, memoryBytes: 8 * gibibyte })).toEqual([
    expect.stringContaining('which is 200MB'),
  ]);
});

test.each([
  { summary: 'locks', raw: { instance_max_locks_per_transaction: 1_000_000 } },
  { summary: 'connections', raw: { experimental_max_connections: 250_000 } },
  { summary: 'prepared transactions', raw: { memory_max_prepared_transactions: 262_143 } },
  {
    summary: 'texts of statements',
    raw: { request_track_activity_query_size: 1_048_576, experimental_max_connections: 2000 },
  },
])('$summary that no server of this size could start with are refused', ({ raw }) => {
  const problems = validateAgainstResources(settings(raw), { cores: 2, memoryBytes: 2 * gibibyte });

  expect(problems.length).toBe(1);
  for (const name of Object.keys(raw)) expect(problems[0]).toContain(name);
  expect(problems[0]).toContain('memory of the pod, which is 2147MB');
});

test('the same is fine where there is enough', () => {
  const given = settings({
    instance_max_locks_per_transaction: 1024,
    experimental_max_connections: 1000,
  });

  expect(validateAgainstResources(given, { cores: 2, memoryBytes: 8 * gibibyte })).toEqual([]);
});
