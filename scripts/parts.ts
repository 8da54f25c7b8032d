// What `make check` and `make test` are made of: one row per part, in the order they start.
// How they run is the business of run.ts, what is counted that of summary.ts.

export interface Part {
  readonly name: string;
  readonly command: readonly string[];
  /** The kind of tests that it runs with Jest; any other part counts as one check. */
  readonly tests?: string;
  /** Parts that must have passed, or this one counts as failed without being run. */
  readonly needs?: readonly string[];
}

const jest = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  'node_modules/jest/bin/jest.js',
];

/** Quick ones; they share the machine's cores. */
export const checkParts: readonly Part[] = [
  tests('unit', []),
  tests('scenario', []),
  tool('types', ['node_modules/typescript/bin/tsc']),
  tool('lint', ['node_modules/oxlint/bin/oxlint', '--type-aware', '--deny-warnings']),
  tool('format', ['node_modules/@biomejs/biome/bin/biome', 'ci', '--colors=off', '.']),
  tool('unused', ['node_modules/knip/bin/knip.js', '--no-progress']),
  tool('generated', ['scripts/generate.ts', '--check']),
  tests('architecture', []),
];

/** Reads what the scenarios recorded. */
export const afterChecks: readonly Part[] = [
  tool('flowcharts', ['scripts/flowcharts.ts', '--check']),
];

/** Slow ones, one after another: some of them measure, most of them start servers. */
export const slowParts: readonly Part[] = [
  { name: 'pack', command: ['node', 'scripts/pack.ts'] },
  { ...tests('contract', ['--forceExit']), needs: ['pack'] },
  tests('integration', ['--runInBand', '--forceExit']),
  { name: 'cloud', command: ['cloud/up'] },
  { ...tests('e2e', ['--runInBand', '--forceExit']), needs: ['pack', 'cloud'] },
];

function tests(kind: string, options: readonly string[]): Part {
  const command = ['node', ...jest, '--selectProjects', kind, '--passWithNoTests', ...options];
  return { name: kind, command, tests: kind };
}

function tool(name: string, command: readonly string[]): Part {
  return { name, command: ['node', ...command] };
}
