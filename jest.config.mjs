// One project for each kind of test, so that `--selectProjects unit` runs one kind alone.
// What each kind may use and how long it may take: style guide, section 8.

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

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

/**
 * The end-to-end tests up to the level that is asked for (E2E_LEVEL, 1 unless told); each states its
 * own in its first line, `// Level 2. Labels: …`, and is of level 0 otherwise.
 */
function chooseEndToEndTests() {
  const folder = path.join(import.meta.dirname, 'tests', 'e2e');
  const highest = Number(process.env['E2E_LEVEL'] ?? 1);
  return readdirSync(folder)
    .filter((file) => file.endsWith('.test.ts'))
    .filter((file) => {
      const [first = ''] = readFileSync(path.join(folder, file), 'utf8').split('\n', 1);
      return Number(/^\/\/ Level (\d)\./.exec(first)?.[1] ?? 0) <= highest;
    })
    .map((file) => `<rootDir>/tests/e2e/${file}`);
}

/** @param {[string, number]} row */
function project([kind, testTimeoutMs]) {
  return {
    ...shared,
    displayName: kind,
    roots: ['<rootDir>/tests'],
    testMatch: kind === 'e2e' ? chooseEndToEndTests() : [`<rootDir>/tests/${kind}/**/*.test.ts`],
    globals: { testTimeoutMs },
    setupFilesAfterEnv: ['<rootDir>/tests/support/set-timeout.ts'],
  };
}

export default {
  projects: Object.entries(timeoutsMs).map(project),
  cacheDirectory: '<rootDir>/node_modules/.cache/jest',
  coverageProvider: 'v8',
  coverageDirectory: 'dist/coverage',
};
