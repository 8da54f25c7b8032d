/** The commands around the demo: the local cloud up and down, the charms packed. */

import path from 'node:path';

import { execa } from 'execa';

import { DemoError } from './failure.ts';

const root = path.join(import.meta.dirname, '..', '..');

/** Whether the local cloud runs and is complete. */
export async function isCloudUp(): Promise<boolean> {
  const status = await execa(process.execPath, ['cloud/status.ts', '--format=json'], {
    cwd: root,
    reject: false,
  });
  return status.exitCode === 0 && /"state": "up"/.test(status.stdout);
}

/** Brings the local cloud up, or joins it. */
export async function ensureCloud(): Promise<void> {
  await runScript('cloud/up.ts');
}

export async function removeCloud(): Promise<void> {
  await runScript('cloud/down.ts');
}

export async function packCharms(): Promise<void> {
  await runScript('scripts/pack.ts');
}

/** Runs one of the repository's own scripts and shows what it says. */
async function runScript(file: string): Promise<void> {
  const ended = await execa(process.execPath, [file], {
    cwd: root,
    reject: false,
    stdin: 'ignore',
    stdout: 'inherit',
    stderr: 'inherit',
  });
  if (ended.exitCode !== 0) {
    throw new DemoError(`cannot go on: node ${file} ended with exit code ${ended.exitCode}`, {
      hint: 'Its output above says what is wrong.',
    });
  }
}
