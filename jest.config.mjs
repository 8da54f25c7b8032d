// One project for each kind of test, so that `--selectProjects unit` runs one kind alone.
// What each kind may use and how long it may take: style guide, section 8.

import { chooseEndToEndTests } from './tests/support/e2e/levels.ts';

const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  injectGlobals: false,
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/cloud/.*/go/'],
  transform: { '\\.(ts|py)$': '<rootDir>/tests/support/esbuild-transform.ts' },
};

/** Kinds of tests, with what one test of each may take on a busy machine. */
const timeoutsMs = {
  unit: 10_000,
  scenario: 30_000,
  architecture: 30_000,
  contract: 120_000,
  integration: 300_000,
  e2e: 1_800_000,
};

/** @param {[string, number]} row */
function project([kind, testTimeoutMs]) {
  return {
    ...shared,
    displayName: kind,
    roots: ['<rootDir>/tests'],
    testMatch:
      kind === 'e2e' ? [...chooseEndToEndTests()] : [`<rootDir>/tests/${kind}/**/*.test.ts`],
    globals: { testTimeoutMs },
    setupFilesAfterEnv: ['<rootDir>/tests/support/set-timeout.ts'],
  };
}

export default {
  projects: Object.entries(timeoutsMs).map(project),
  // Of one file: those that are marked as concurrent start processes, and then mostly wait for them.
  maxConcurrency: 6,
  cacheDirectory: '<rootDir>/node_modules/.cache/jest',
  coverageProvider: 'v8',
  coverageDirectory: 'dist/coverage',
};
