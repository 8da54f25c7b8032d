/**
 * Builds everything that the local cloud is made of, or lists what is there:
 * `node cloud/build/main.ts [--list]`. Running it again continues where it was interrupted.
 */

import { ensureArtifacts } from './artifacts.ts';
import { openCache } from './cache.ts';
import { createProgress, StepError } from './progress.ts';

const usage = 'usage: node cloud/build/main.ts [--list]';

async function main(args: readonly string[]): Promise<number> {
  if (args.length === 0) return await build();
  if (args.length === 1 && args[0] === '--list') return await list();
  process.stderr.write(`${usage}\n`);
  return 2;
}

async function build(): Promise<number> {
  const { key, binDir } = await ensureArtifacts(createProgress());
  process.stdout.write(`complete: ${key}, programs in ${binDir}\n`);
  return 0;
}

async function list(): Promise<number> {
  const entries = await openCache().list();
  for (const { name, key, sizeBytes } of entries) {
    const size = `${(sizeBytes / 1e6).toFixed(1).padStart(8)} MB`;
    process.stdout.write(`${size}  ${name.padEnd(18)} ${key}\n`);
  }
  return 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof StepError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
