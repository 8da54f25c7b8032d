// Packages of Debian that tests need: installed where they are missing, by one test file at a time.

import path from 'node:path';

import { execa } from 'execa';

import { withLock } from '../../cloud/build/lock.ts';
import { getCacheHome } from '../../cloud/build/machine.ts';

const lockFile = path.join(getCacheHome(), 'charmed-postgresql-k8s', 'locks', 'packages.lock');

/** Installs a package unless it is there; nobody takes it for there while it is being installed. */
export async function ensurePackage(
  name: string,
  isThere: () => Promise<boolean>,
  options: readonly string[] = [],
): Promise<void> {
  await withLock(lockFile, async () => {
    if (await isThere()) return;
    await runApt(['update', '--quiet']);
    await runApt(['install', '--yes', '--quiet', ...options, name]);
  });
}

async function runApt(args: readonly string[]): Promise<void> {
  await execa('apt-get', args, { env: { DEBIAN_FRONTEND: 'noninteractive' }, timeout: 300_000 });
}
