// Counts what passed and failed in all parts, and renders the table that ends a run. The last line
// is `N passed, N failed`, for people and for programs.

import * as v from 'valibot';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface PartResult extends Counts {
  readonly name: string;
  readonly seconds: number;
}

const jestReport = v.object({
  numPassedTests: v.number(),
  numFailedTests: v.number(),
  numPendingTests: v.number(),
  numTodoTests: v.number(),
  numRuntimeErrorTestSuites: v.number(),
});

/** A part that is not made of tests counts as one. */
export function countChecks(exitedWell: boolean): Counts {
  return exitedWell ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
}

/**
 * Counts the tests in Jest's JSON report. A file that could not be loaded is one failure, and so is
 * a run that ended badly without saying which test failed.
 */
export function countTests(report: string | undefined, exitedWell: boolean): Counts {
  if (report === undefined) return countChecks(exitedWell);
  const parsed = v.parse(jestReport, JSON.parse(report));
  const failed = parsed.numFailedTests + parsed.numRuntimeErrorTestSuites;
  return {
    passed: parsed.numPassedTests,
    failed: failed === 0 && !exitedWell ? 1 : failed,
    skipped: parsed.numPendingTests + parsed.numTodoTests,
  };
}

export function renderSummary(results: readonly PartResult[]): {
  readonly text: string;
  readonly ok: boolean;
} {
  const nameWidth = Math.max(...results.map((result) => result.name.length));
  const rows = results.map((result) => {
    const skipped = result.skipped === 0 ? '' : `, ${result.skipped} skipped`;
    const counts = `${result.passed} passed, ${result.failed} failed${skipped}`;
    return `${result.name.padEnd(nameWidth)}  ${result.seconds.toFixed(1).padStart(7)} s  ${counts}\n`;
  });
  const passed = sum(results.map((result) => result.passed));
  const failed = sum(results.map((result) => result.failed));
  return { text: `\n${rows.join('')}\n${passed} passed, ${failed} failed\n`, ok: failed === 0 };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
