import { describe, expect, test } from '@jest/globals';

import { countChecks, countTests, renderSummary } from '../../../scripts/summary.ts';

describe('tests are counted', () => {
  test.each([
    {
      summary: 'all passed',
      report: { numPassedTests: 3 },
      exitedWell: true,
      counts: { passed: 3, failed: 0, skipped: 0 },
    },
    {
      summary: 'some failed, some were left out',
      report: { numPassedTests: 3, numFailedTests: 2, numPendingTests: 1, numTodoTests: 4 },
      exitedWell: false,
      counts: { passed: 3, failed: 2, skipped: 5 },
    },
    {
      summary: 'a file that cannot be loaded is one failure',
      report: { numPassedTests: 3, numRuntimeErrorTestSuites: 1 },
      exitedWell: false,
      counts: { passed: 3, failed: 1, skipped: 0 },
    },
    {
      summary: 'a bad end that no test explains is one failure',
      report: { numPassedTests: 3 },
      exitedWell: false,
      counts: { passed: 3, failed: 1, skipped: 0 },
    },
  ])('$summary', ({ report, exitedWell, counts }) => {
    const none = {
      numPassedTests: 0,
      numFailedTests: 0,
      numPendingTests: 0,
      numTodoTests: 0,
      numRuntimeErrorTestSuites: 0,
    };

    expect(countTests(JSON.stringify({ ...none, ...report }), exitedWell)).toEqual(counts);
  });

  test('a run without a report counts by how it ended', () => {
    expect(countTests(undefined, false)).toEqual(countChecks(false));
    expect(countChecks(false)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });
});

test('a summary lists the parts and ends with one plain line', () => {
  const summary = renderSummary([
    { name: 'unit', passed: 12, failed: 0, skipped: 0, seconds: 3.14 },
    { name: 'scenario', passed: 7, failed: 2, skipped: 1, seconds: 20 },
  ]);

  expect(summary).toEqual({
    ok: false,
    text: [
      '',
      'unit          3.1 s  12 passed, 0 failed',
      'scenario     20.0 s  7 passed, 2 failed, 1 skipped',
      '',
      '19 passed, 2 failed',
      '',
    ].join('\n'),
  });
});
