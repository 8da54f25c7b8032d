/**
 * Builds everything that the local cloud is made of, lists what is there, or removes older
 * versions of it: `node cloud/build/main.ts [--list|--prune]`. Running it again continues
 * where it was interrupted.
 */

import { ensureArtifacts, listEntries, readPlan } from './artifacts.ts';
import { entryName, openCache } from './cache.ts';
import { getPlatform } from './machine.ts';
import { createProgress, StepError } from './progress.ts';

const usage = 'usage: node cloud/build/main.ts [--list|--prune]';

async function main(args: readonly string[]): Promise<number> {
  const [option, ...others] = args;
  if (option === undefined) return await build();
  if (option === '--list' && others.length === 0) return await list();
  if (option === '--prune' && others.length === 0) return await prune();
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

async function prune(): Promise<number> {
  const cache = openCache();
  const used = listEntries(await readPlan(getPlatform()));
  const usedKeys = new Map(used.map(({ name, key }) => [name, key]));
  await cache.removeLeftovers();
  for (const entry of await cache.list()) {
    // Other tools keep entries of their own here; those are theirs to remove.
    const usedKey = usedKeys.get(entry.name);
    if (usedKey === undefined || usedKey === entry.key) continue;
    await cache.remove(entry);
    process.stdout.write(`removed ${entryName(entry)}\n`);
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
