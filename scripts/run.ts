// Runs the parts of `check` or `test` and ends with the line `N passed, N failed`. A part that fails
// does not keep the others from running. Usage: run.ts check | test

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { performance } from 'node:perf_hooks';

import { execa } from 'execa';

import { afterChecks, checkParts, cloudDown, type Part, slowParts } from './parts.ts';
import { countChecks, countTests, type PartResult, renderSummary } from './summary.ts';

/** Ends the part that runs; what it began is then cleared away. */
const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interruption.abort();
  });
}

const root = path.join(import.meta.dirname, '..');
const resultsDir = path.join(root, 'dist', 'results');

async function main(what: string | undefined): Promise<void> {
  if (what !== 'check' && what !== 'test') throw new Error('usage: run.ts check | test');
  await rm(resultsDir, { recursive: true, force: true });
  await mkdir(resultsDir, { recursive: true });
  const results = await runTogether(checkParts, 2);
  results.push(...(await runTogether(afterChecks, 1)));
  if (what === 'test') results.push(...(await runSlowParts(results)));
  const all = [...checkParts, ...afterChecks, ...slowParts, cloudDown];
  const order = all.map((part) => part.name);
  results.sort((one, other) => order.indexOf(one.name) - order.indexOf(other.name));
  const summary = renderSummary(results);
  await writeFile(path.join(resultsDir, 'summary.txt'), summary.text);
  process.stdout.write(summary.text);
  process.exitCode = summary.ok ? 0 : 1;
}

/** A cloud that was not up before is taken down again, also after Ctrl-C. */
async function runSlowParts(before: readonly PartResult[]): Promise<readonly PartResult[]> {
  const wasUp = await isCloudUp();
  const results: PartResult[] = [];
  for (const part of slowParts) {
    if (interruption.signal.aborted) break;
    results.push(await runAlone(part, [...before, ...results]));
  }
  if (!wasUp) results.push(await runAlone(cloudDown, []));
  return results;
}

async function isCloudUp(): Promise<boolean> {
  const status = await execa(path.join(root, 'cloud', 'status'), ['--format=json'], {
    reject: false,
  });
  return status.exitCode === 0 && /"state": "up"/.test(status.stdout);
}

/** Several at a time; what a part printed appears when it is done, and only when it failed. */
async function runTogether(parts: readonly Part[], lanes: number): Promise<PartResult[]> {
  const waiting = [...parts];
  const results: PartResult[] = [];
  async function work(): Promise<void> {
    for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) {
      const { result, output } = await runPart(part, 'keep');
      process.stdout.write(`${describe(result)}\n${result.failed > 0 ? `${output}\n` : ''}`);
      results.push(result);
    }
  }
  await Promise.all(Array.from({ length: lanes }, work));
  return results;
}

/** One, with its output shown as it comes. */
async function runAlone(part: Part, before: readonly PartResult[]): Promise<PartResult> {
  const missing = (part.needs ?? []).filter((name) =>
    before.some((result) => result.name === name && result.failed > 0),
  );
  if (missing.length > 0) {
    const result = { name: part.name, passed: 0, failed: 1, skipped: 0, seconds: 0 };
    process.stdout.write(`${describe(result)}: not run, it needs ${missing.join(' and ')}\n`);
    return result;
  }
  process.stdout.write(`== ${part.name}\n`);
  const { result } = await runPart(part, 'show');
  process.stdout.write(`${describe(result)}\n`);
  return result;
}

const outputs = {
  show: { stdout: 'inherit', stderr: 'inherit' },
  keep: { stdout: 'pipe', stderr: 'pipe', env: { NO_COLOR: '1' } },
} as const;

async function runPart(
  part: Part,
  output: 'keep' | 'show',
): Promise<{ readonly result: PartResult; readonly output: string }> {
  const startMs = performance.now();
  const report = path.join(resultsDir, `${part.name}.jest.json`);
  const [program = '', ...args] = part.command;
  const reportArgs = part.tests === undefined ? [] : ['--json', `--outputFile=${report}`];
  const ended = await execa(
    program === 'node' ? process.execPath : program,
    [...args, ...reportArgs],
    {
      cwd: root,
      all: true,
      reject: false,
      stdin: 'ignore',
      timeout: part.minutes * 60_000,
      forceKillAfterDelay: 5000,
      ...(part === cloudDown ? {} : { cancelSignal: interruption.signal }),
      ...outputs[output],
    },
  );
  if (ended.timedOut) process.stdout.write(`${part.name}: ended after ${part.minutes} minutes\n`);
  const exitedWell = ended.exitCode === 0;
  const counts =
    part.tests === undefined
      ? countChecks(exitedWell)
      : countTests(await readOptional(report), exitedWell);
  const result = { name: part.name, ...counts, seconds: (performance.now() - startMs) / 1000 };
  await writeFile(path.join(resultsDir, `${part.name}.json`), `${JSON.stringify(result)}\n`);
  return { result, output: ended.all ?? '' };
}

function describe(result: PartResult): string {
  const mark = result.failed === 0 ? 'ok    ' : 'FAILED';
  return `${mark} ${result.name} (${result.seconds.toFixed(1)} s)`;
}

async function readOptional(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    return undefined; // Jest died before it could write a report: counted as one failure.
  }
}

await main(process.argv[2]);
