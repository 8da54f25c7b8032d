// Measures what a hook costs before its first line: the variants take turns, the first rounds do not
// count, minimum and median are reported with the load of the machine.

import os from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';

import { execa } from 'execa';

import { cacheFolderName } from './compile-cache.ts';

export interface Variant {
  readonly name: string;
  readonly args: readonly string[];
}

export interface Figures {
  readonly name: string;
  readonly minMs: number;
  readonly medianMs: number;
}

export interface StartUp {
  readonly figures: readonly Figures[];
  readonly load: number;
}

const warmUps = 2;
const rounds = 20;

/** Bare Node.js against the bundle in a folder, which ends at once for want of an environment. */
export async function measureStart(program: string, folder: string): Promise<StartUp> {
  const main = path.join(folder, 'main.cjs');
  return await measureVariants(program, folder, [
    { name: 'node alone', args: ['--eval', '0'] },
    { name: 'node with main.cjs', args: ['--require', main, '--eval', 'process.exit(0)'] },
  ]);
}

export async function measureVariants(
  program: string,
  folder: string,
  variants: readonly Variant[],
): Promise<StartUp> {
  const samples = variants.map((): number[] => []);
  for (let round = 0; round < warmUps + rounds; round += 1) {
    for (const [index, variant] of variants.entries()) {
      const tookMs = await timeRun(program, folder, variant);
      if (round >= warmUps) samples[index]?.push(tookMs);
    }
  }
  const figures = variants.map(({ name }, index) => ({ name, ...summarise(samples[index] ?? []) }));
  return { figures, load: os.loadavg()[0] ?? 0 };
}

export function summarise(samples: readonly number[]): Omit<Figures, 'name'> {
  const sorted = samples.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return {
    minMs: sorted[0] ?? Number.NaN,
    medianMs: ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2,
  };
}

export function renderStart(start: StartUp): string {
  const rows = start.figures.map(({ name, minMs, medianMs }) => {
    const times = `median ${medianMs.toFixed(1)} ms, least ${minMs.toFixed(1)} ms`;
    return `  ${name.padEnd(28)} ${times}\n`;
  });
  return `${rows.join('')}  (${rounds} runs of each in turn, load ${start.load.toFixed(1)})\n`;
}

async function timeRun(program: string, folder: string, variant: Variant): Promise<number> {
  const startMs = performance.now();
  await execa(program, variant.args, {
    cwd: folder,
    extendEnv: false,
    env: {
      NODE_COMPILE_CACHE: path.join(folder, cacheFolderName),
      NODE_COMPILE_CACHE_PORTABLE: '1',
    },
    stdio: 'ignore',
  });
  return performance.now() - startMs;
}
