// What `make check` and `make test` are made of: one row per part, in the order they start.
// How they run is the business of run.ts, what is counted that of summary.ts.

export interface Part {
  readonly name: string;
  readonly command: readonly string[];
  /** The kind of tests that it runs with Jest; any other part counts as one check. */
  readonly tests?: string;
  /** Parts that must have passed, or this one counts as failed without being run. */
  readonly needs?: readonly string[];
  /** When it hangs it is ended after this time and counts as failed. */
  readonly minutes: number;
}

const jest = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
];

/** Quick ones; they share the machine's cores. */
export const checkParts: readonly Part[] = [
  tests('unit', []),
  tool('types', ['node_modules/typescript/bin/tsc']),
  tool('lint', ['node_modules/oxlint/bin/oxlint', '--type-aware', '--deny-warnings']),
  tool('format', ['node_modules/@biomejs/biome/bin/biome', 'ci', '--colors=off', '.']),
  tool('unused', ['node_modules/knip/bin/knip.js', '--no-progress']),
  tool('generated', ['scripts/generate.ts', '--check']),
  tests('architecture', []),
];

/** Scenarios have all cores for themselves, or one would wait for them; then what they recorded is read. */
export const afterChecks: readonly Part[] = [
  tests('scenario', ['--maxWorkers=100%']),
  tool('flowcharts', ['scripts/flowcharts.ts', '--check']),
];

/**
 * Slow ones, one after another: some of them measure, most of them start servers. Files of contract
 * tests keep the cores busy; those of integration tests mostly wait, and have bounds for what follows.
 */
export const slowParts: readonly Part[] = [
  { name: 'pack', command: ['node', 'scripts/pack.ts'], minutes: 15 },
  { ...tests('contract', ['--maxWorkers=100%', '--forceExit']), needs: ['pack'], minutes: 20 },
  { ...tests('integration', ['--maxWorkers=2', '--forceExit']), minutes: 30 },
  { name: 'cloud', command: ['cloud/up'], minutes: 90 },
  { ...tests('e2e', ['--runInBand', '--forceExit']), needs: ['pack', 'cloud'], minutes: 180 },
];

/** Clears the local cloud away when the slow parts brought it up. */
export const cloudDown: Part = { name: 'cloud-down', command: ['cloud/down'], minutes: 5 };

function tests(kind: string, options: readonly string[]): Part {
  const command = ['node', ...jest, '--selectProjects', kind, ...options];
  return { name: kind, command, tests: kind, minutes: 5 };
}

function tool(name: string, command: readonly string[]): Part {
  return { name, command: ['node', ...command], minutes: 5 };
}
