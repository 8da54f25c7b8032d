/**
 * Debian packages of this machine that the local cloud is built with and runs on. What is there
 * already is left alone; apt is called for the rest only.
 */

import { access, readdir } from 'node:fs/promises';

import { getEnvironment } from './machine.ts';
import { CommandError, captureOutput, runLogged } from './process.ts';
import type { Progress } from './progress.ts';

/** For building: roots of other Debian releases. */
const buildPackages = [
  'ca-certificates',
  'debian-archive-keyring',
  'mmdebstrap',
  'tar',
  'util-linux',
];

/** For running: what is taken from Debian as it is. */
const runtimePackages = [
  'conntrack',
  'containerd',
  'containernetworking-plugins',
  'etcd-server',
  'iproute2',
  'iptables',
  'mount',
  'openssl',
  'procps',
  'runc',
];

export const machinePackages: readonly string[] = [...buildPackages, ...runtimePackages];

const listsFolder = '/var/lib/apt/lists';

export interface PackageRequest {
  readonly packages: readonly string[];
  readonly progress: Progress;
  readonly logFile: string;
}

/** Installs those of the packages that are missing. */
export async function ensurePackages(request: PackageRequest): Promise<void> {
  const missing = await listMissing(request.packages);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) {
    throw new Error(
      `cannot install ${missing.join(', ')}: not root; install them or run this as root`,
    );
  }
  await request.progress.step(
    `Debian packages: ${missing.join(' ')}`,
    request.logFile,
    async () => {
      await install(missing, request.logFile);
    },
  );
}

/** The packages that dpkg does not know as installed. */
export async function listMissing(packages: readonly string[]): Promise<readonly string[]> {
  const args = ['--show', '--showformat', '${Package} ${db:Status-Status}\\n', ...packages];
  const output = await queryDpkg(args);
  const installed = new Set(
    output.split('\n').flatMap((line) => (line.endsWith(' installed') ? line.split(' ', 1) : [])),
  );
  return packages.filter((name) => !installed.has(name));
}

async function queryDpkg(args: readonly string[]): Promise<string> {
  await access('/usr/bin/dpkg-query').catch((cause: unknown) => {
    throw new Error('cannot look at the installed packages: this is not a Debian machine', {
      cause,
    });
  });
  try {
    return await captureOutput({ file: 'dpkg-query', args });
  } catch (error) {
    // Exit code 1 says that some of the packages are unknown; the others are in the output.
    if (error instanceof CommandError && error.exitCode === 1) return error.stdout;
    throw error;
  }
}

async function install(packages: readonly string[], logFile: string): Promise<void> {
  const env = { ...getEnvironment(), DEBIAN_FRONTEND: 'noninteractive' };
  const apt = async (...args: readonly string[]) => {
    const options = ['--quiet', '--yes', '-o', 'DPkg::Lock::Timeout=300'];
    await runLogged({ file: 'apt-get', args: [...options, ...args], env, logFile });
  };
  const installMissing = async () => await apt('install', '--no-install-recommends', ...packages);
  if (await hasPackageLists()) {
    try {
      return await installMissing();
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
    }
  }
  await apt('update');
  await installMissing();
}

async function hasPackageLists(): Promise<boolean> {
  const names = await readdir(listsFolder).catch(() => []);
  return names.some((name) => name.includes('_Packages'));
}
