// One project for each kind of test, so that `--selectProjects unit` runs one kind alone.
// What each kind may use and how long it may take: style guide, section 8.

const shared = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  injectGlobals: false,
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/cloud/.*/go/'],
  transform: { '\\.ts$': '<rootDir>/tests/support/esbuild-transform.ts' },
};

/** @param {string} kind */
function project(kind) {
  return {
    ...shared,
    displayName: kind,
    roots: ['<rootDir>/tests'],
    testMatch: [`<rootDir>/tests/${kind}/**/*.test.ts`],
  };
}

const kinds = ['unit', 'scenario', 'architecture', 'contract', 'integration', 'e2e'];

export default {
  projects: kinds.map(project),
  cacheDirectory: '<rootDir>/node_modules/.cache/jest',
  coverageProvider: 'v8',
  coverageDirectory: 'dist/coverage',
};
