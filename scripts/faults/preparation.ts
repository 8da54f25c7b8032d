/**
 * The cloud up and the charms packed. What these say is progress: it goes to standard error.
 *
 * A cloud that runs is joined as it is, even if `cloud/up` would make another one by now: `up` would
 * replace it, with everything that anybody else has in it.
 */

import path from 'node:path';

import { execa } from 'execa';

import { getLayout } from '../../cloud/layout.ts';
import { findRunningCloud } from '../../cloud/running.ts';
import { isCloudUp } from '../demo/cloud.ts';

const root = path.join(import.meta.dirname, '..', '..');

export async function ensureCloud(): Promise<void> {
  if ((await findRunningCloud(getLayout())) === undefined) {
    await runScript('cloud/up.ts');
    return;
  }
  if (await isCloudUp()) return;
  throw new Error(
    'cannot begin: the local cloud is half up; `cloud/status` says what is missing, ' +
      '`cloud/component start NAME` starts it',
  );
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
