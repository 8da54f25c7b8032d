/**
 * What the build needs to know about this machine: its architecture under each naming scheme, its
 * environment, its clock. Every difference between architectures is a row of the table below;
 * nothing else in the build names an architecture.
 */

import os from 'node:os';
import path from 'node:path';

export interface Platform {
  /** Go's and the image specification's name, which happens to be Debian's name too. */
  readonly name: 'amd64' | 'arm64';
  /** The folder of shared libraries below `/usr/lib`. */
  readonly libraryFolder: string;
}

const platforms: Readonly<Record<string, Platform>> = {
  x64: { name: 'amd64', libraryFolder: 'x86_64-linux-gnu' },
  arm64: { name: 'arm64', libraryFolder: 'aarch64-linux-gnu' },
};

export type Environment = Readonly<Record<string, string | undefined>>;

/** The platform of a Node architecture name; that of this machine when none is given. */
export function getPlatform(architecture: string = process.arch): Platform {
  const platform = platforms[architecture];
  if (platform === undefined) {
    throw new Error(
      `cannot build the local cloud: architecture "${architecture}" is not one of ${Object.keys(platforms).join(', ')}`,
    );
  }
  return platform;
}

export function getEnvironment(): Environment {
  return process.env;
}

/** Where this user's caches are, by the XDG rules: a relative XDG_CACHE_HOME counts as absent. */
export function getCacheHome(environment: Environment = getEnvironment()): string {
  const configured = environment['XDG_CACHE_HOME'];
  if (configured !== undefined && path.isAbsolute(configured)) return configured;
  return path.join(environment['HOME'] ?? os.homedir(), '.cache');
}

/** Milliseconds of a clock that never jumps. */
export function readClockMs(): number {
  return performance.now();
}

/** Where the Go programs of the local cloud are pinned: one module for each. */
export const programsFolder: string = path.join(path.dirname(import.meta.dirname), 'programs');
