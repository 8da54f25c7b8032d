// Bundles one charm: a launcher, the program that it loads in every hook, and a chunk for each package
// that is loaded on first use. CommonJS, since V8's compile cache serves it best; names and lines are kept, so
// that the trace of an uncaught error stays readable. Source maps are written beside and never loaded.

import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { type BuildOptions, build, type Metafile } from 'esbuild';

import type { Charm } from './charms.ts';
import { repository } from './charms.ts';
import { lazyBuiltinsPlugin, lazyPackages, lazyPackagesPlugin } from './lazy-packages.ts';
import { programName } from './program.ts';
import { pythonTextPlugin } from './python-text.ts';

const launcherName = 'main.cjs';

export interface Bundle {
  readonly folder: string;
  /** File names below `folder`: the launcher, the program, then the chunks. */
  readonly files: readonly string[];
  readonly metafiles: Metafiles;
}

export interface Metafiles {
  readonly entry: Metafile;
  /** By package. */
  readonly chunks: Readonly<Record<string, Metafile>>;
}

const options = {
  absWorkingDir: repository,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node24',
  // Where a package has both, its ES modules: what is not used is left out.
  mainFields: ['module', 'main'],
  // A dynamic import becomes a deferred require: it skips the loader of ES modules.
  supported: { 'dynamic-import': false },
  external: ['pg-native'],
  metafile: true,
  sourcemap: 'external',
  legalComments: 'none',
  minifySyntax: true,
  logLevel: 'warning',
} satisfies BuildOptions;

/** Bundles into a fresh folder: `main.cjs`, the program and `chunks/`, with `metafile.json` beside them. */
export async function bundleCharm(charm: Charm, folder: string): Promise<Bundle> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(path.join(folder, 'chunks'), { recursive: true });
  const used = new Set<string>();
  const entry = await build({
    ...options,
    entryPoints: [charm.entry],
    outfile: path.join(folder, programName),
    plugins: [lazyPackagesPlugin(used), lazyBuiltinsPlugin(), pythonTextPlugin],
  });
  await build({
    ...options,
    entryPoints: [path.join(repository, 'scripts', 'launcher.ts')],
    outfile: path.join(folder, launcherName),
  });
  const files = [launcherName, programName];
  const chunks: Record<string, Metafile> = {};
  for (const name of [...used].toSorted()) {
    const file = path.join('chunks', `${lazyPackages[name] ?? name}.cjs`);
    chunks[name] = await bundlePackage(name, path.join(folder, file));
    files.push(file);
  }
  const metafiles = { entry: entry.metafile, chunks };
  await writeFile(
    path.join(folder, 'metafile.json'),
    `${JSON.stringify(metafiles, undefined, 1)}\n`,
  );
  return { folder, files, metafiles };
}

async function bundlePackage(name: string, outfile: string): Promise<Metafile> {
  const stdin = { contents: `export * from '${name}';`, resolveDir: repository };
  const { metafile } = await build({ ...options, stdin, outfile });
  return metafile;
}
