/** The cloud up and the charms packed. What these say is progress: it goes to standard error. */

import path from 'node:path';

import { execa } from 'execa';

const root = path.join(import.meta.dirname, '..', '..');

export async function ensureCloud(): Promise<void> {
  await runScript('cloud/up.ts');
}

export async function packCharms(): Promise<void> {
  await runScript('scripts/pack.ts');
}

async function runScript(file: string): Promise<void> {
  const { exitCode } = await execa(process.execPath, [file], {
    cwd: root,
    reject: false,
    stdin: 'ignore',
    stdout: process.stderr,
    stderr: 'inherit',
  });
  if (exitCode !== 0) throw new Error(`cannot begin: node ${file} ended with ${exitCode ?? '?'}`);
}
