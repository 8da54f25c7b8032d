/**
 * Folders with a Debian release in them, made by mmdebstrap from Debian's own mirror network. Only
 * the folder is made here; what it is for is decided by recipes.
 */

import { getEnvironment } from './machine.ts';
import { runIsolated } from './process.ts';

export interface DebianRoot {
  readonly suite: string;
  /** `essential` configures its packages; `extract` only unpacks them, without a package database. */
  readonly variant: 'essential' | 'extract';
  readonly packages: readonly string[];
  /** dpkg's `path-exclude=` and `path-include=` lines. */
  readonly pathFilters?: readonly string[];
  readonly users?: readonly RootUser[];
}

/** A user that must have this number; made before any package could make it with another one. */
export interface RootUser {
  readonly name: string;
  readonly id: number;
  readonly home: string;
  readonly shell: string;
}

/** Makes the root in a folder that is empty or absent. */
export async function makeDebianRoot(
  root: DebianRoot,
  target: { readonly folder: string; readonly logFile: string; readonly signal: AbortSignal },
): Promise<void> {
  await runIsolated({
    file: 'mmdebstrap',
    args: [
      `--variant=${root.variant}`,
      `--include=${root.packages.join(',')}`,
      // A mirror that stands still for a while is no harm: every index is signed all the same.
      '--aptopt=Acquire::Check-Valid-Until "false"',
      '--aptopt=Acquire::Retries "3"',
      // A root that a power cut spoils is made again.
      '--dpkgopt=force-unsafe-io',
      ...(root.pathFilters ?? []).map((filter) => `--dpkgopt=${filter}`),
      ...(root.users ?? []).map((user) => `--essential-hook=${renderUserHook(user)}`),
      root.suite,
      target.folder,
    ],
    env: { ...getEnvironment(), LC_ALL: 'C.UTF-8' },
    logFile: target.logFile,
    signal: target.signal,
  });
}

/** Runs a POSIX shell script inside a root. */
export async function runInRoot(
  script: string,
  target: { readonly folder: string; readonly logFile: string; readonly signal: AbortSignal },
): Promise<void> {
  await runIsolated({
    file: 'chroot',
    args: [target.folder, 'sh', '-eu', '-c', script],
    env: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      LC_ALL: 'C.UTF-8',
    },
    logFile: target.logFile,
    signal: target.signal,
  });
}

/** mmdebstrap runs hooks in a shell with the root's path as first argument. */
function renderUserHook(user: RootUser): string {
  const files = {
    passwd: `${user.name}:x:${user.id}:${user.id}::${user.home}:${user.shell}`,
    group: `${user.name}:x:${user.id}:`,
    shadow: `${user.name}:!:20000::::::`,
  };
  return Object.entries(files)
    .map(([file, line]) => `echo '${line}' >> "$1/etc/${file}"`)
    .join(' && ');
}
