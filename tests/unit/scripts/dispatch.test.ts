// The launcher of a packed charm, among stand-ins for what is around it: Node.js and Juju's hook tools.

import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { execa } from 'execa';

import { repository } from '../../../scripts/charms.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'dispatch-'));
  const charm = path.join(folder, 'charm');
  await mkdir(charm);
  await copyFile(path.join(repository, 'dispatch'), path.join(charm, 'dispatch'));
  await writeFile(path.join(charm, 'loader'), '/bin/sh\n');
  await writeScript('charm/node', 'echo "$1 $NODE_COMPILE_CACHE"; exit 3');
  for (const tool of ['status-set', 'action-fail']) {
    await writeScript(tool, `echo "${tool} $*" >>${path.join(folder, 'told')}`);
  }
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function writeScript(name: string, body: string): Promise<void> {
  const file = path.join(folder, name);
  await writeFile(file, `#!/bin/sh\n${body}\n`);
  await chmod(file, 0o755);
}

/** What the launcher does: exit code, what Node.js printed, and what Juju was told. */
async function dispatch(env: Readonly<Record<string, string>> = {}) {
  const told = path.join(folder, 'told');
  await writeFile(told, '');
  const run = await execa(path.join(folder, 'charm/dispatch'), {
    env: { PATH: `${folder}:/usr/bin:/bin`, ...env },
    extendEnv: false,
    reject: false,
  });
  return [run.exitCode, run.stdout, await readFile(told, 'utf8')];
}

test('Node.js is started in the folder of the charm, and its exit code is that of the hook', async () => {
  expect(await dispatch()).toEqual([3, `main.cjs ${path.join(folder, 'charm/cache')}`, '']);
});

test('nothing but Node.js is started where nothing is wrong', async () => {
  const calls = path.join(folder, 'calls');
  await writeScript('uname', `echo called >>${calls}`);

  await dispatch();

  await expect(readFile(calls, 'utf8')).rejects.toThrow('ENOENT');
});

test('a charm that is switched off answers nothing until its file is gone', async () => {
  const file = path.join(folder, 'charm/disable');
  await writeFile(file, '');

  expect(await dispatch()).toEqual([0, '', 'status-set blocked Disabled\n']);
  expect(await dispatch({ JUJU_ACTION_NAME: 'restore' })).toEqual([
    0,
    '',
    'status-set blocked Disabled\naction-fail Disabled\n',
  ]);
  await rm(file);
  expect(await dispatch()).toEqual([3, expect.any(String), '']);
});

test.each(['/lib/ld-linux-of-another.so.1\n', ''])(
  'a machine that cannot run the Node.js of the charm is named (loader %j)',
  async (loader) => {
    await writeFile(path.join(folder, 'charm/loader'), loader);
    await writeScript('uname', '[ "$1" = -m ] && echo riscv64');
    await writeFile(path.join(folder, 'charm/disable'), '');

    expect(await dispatch()).toEqual([
      0,
      '',
      'status-set blocked Error: Charm version incompatible with riscv64 architecture\n',
    ]);
  },
);
