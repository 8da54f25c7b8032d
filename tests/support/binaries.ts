// Programs of others that tests run: from the environment, or else from the cache of the local
// cloud, which compiles what is not there.

import path from 'node:path';

import { openCache } from '../../cloud/build/cache.ts';
import { ensureGo } from '../../cloud/build/go-toolchain.ts';
import { createLane } from '../../cloud/build/lane.ts';
import { getEnvironment, getPlatform } from '../../cloud/build/machine.ts';
import { programRecipes, provideProgram, readProgram } from '../../cloud/build/programs.ts';
import { createProgress } from '../../cloud/build/progress.ts';

/**
 * The path of a program of the local cloud. A variable such as `PEBBLE_BIN` names another file;
 * otherwise the pinned version is used, and compiled once when no cache has it, which takes minutes.
 */
export async function ensureProgram(name: string): Promise<string> {
  const given = getEnvironment()[`${name.toUpperCase()}_BIN`];
  if (given !== undefined && given !== '') return given;
  const recipe = programRecipes.find(({ programs }) => programs.includes(name));
  const platform = getPlatform();
  const program = recipe === undefined ? undefined : await readProgram(recipe, platform);
  if (program === undefined) throw new Error(`cannot find the program "${name}"`);
  const cache = openCache();
  const present = await cache.find(program.id);
  if (present !== undefined) return path.join(present, name);
  const progress = createProgress({ isTerminal: false, write: () => undefined });
  const go = await ensureGo({ cache, progress, platform });
  const lanes = { download: createLane(), compile: createLane(), debian: createLane() };
  const { signal } = new AbortController();
  const workshop = { cache, progress, platform, go, lanes, signal };
  return path.join(await provideProgram(workshop, program), name);
}
