// Fills the compile cache that ships in a charm: one run of the bundle, all chunks loaded, with the
// Node.js that will be carried. It doubles as a first test of the bundle: a charm that cannot handle
// an unknown hook on a machine without anything is not packed.

import { chmod, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { execa } from 'execa';

export const cacheFolderName = 'cache';

/** Answers of a Juju that knows nothing, by hook tool; the others answer nothing. */
const answers: Readonly<Record<string, string>> = {
  'config-get': '{}',
  'goal-state': '{"units":{},"relations":{}}',
  'is-leader': 'false',
  'relation-ids': '[]',
  'relation-list': '[]',
  'state-get': '{}',
};
const silentTools = [
  'application-version-set',
  'juju-log',
  'open-port',
  'opened-ports',
  'state-delete',
  'state-set',
  'status-get',
  'status-set',
];

/** Runs the bundle in a folder and leaves what V8 compiled in its `cache` folder. */
export async function fillCompileCache(
  folder: string,
  files: readonly string[],
  program: string,
): Promise<void> {
  const cache = path.join(folder, cacheFolderName);
  const tools = await mkdtemp(path.join(os.tmpdir(), 'hook-tools-'));
  try {
    await writeTools(tools);
    const [entry = '', ...chunks] = files.map((file) => `./${file}`);
    await execa(program, [...chunks.flatMap((chunk) => ['--require', chunk]), entry], {
      cwd: folder,
      extendEnv: false,
      env: {
        ...environmentOf(folder),
        PATH: `${tools}:/usr/bin:/bin`,
        NODE_COMPILE_CACHE: cache,
        NODE_COMPILE_CACHE_PORTABLE: '1',
      },
      timeout: 60_000,
    });
  } finally {
    await rm(tools, { recursive: true, force: true });
  }
  await shareWithAnyUser(cache, files.length);
}

function environmentOf(folder: string): Readonly<Record<string, string>> {
  return {
    JUJU_CHARM_DIR: folder,
    JUJU_DISPATCH_PATH: 'hooks/packed',
    JUJU_HOOK_NAME: 'packed',
    JUJU_MODEL_NAME: 'packing',
    JUJU_MODEL_UUID: '00000000-0000-4000-8000-000000000000',
    JUJU_UNIT_NAME: 'packed/0',
    JUJU_VERSION: '3.6.0',
  };
}

/** One small program under the names of all hook tools. */
async function writeTools(folder: string): Promise<void> {
  const cases = Object.entries(answers).map(([tool, answer]) => `${tool}) echo '${answer}' ;;\n`);
  const program = path.join(folder, 'tool');
  await writeFile(program, `#!/bin/sh\ncase "\${0##*/}" in\n${cases.join('')}esac\n`, {
    mode: 0o755,
  });
  for (const name of [...Object.keys(answers), ...silentTools]) {
    await symlink('tool', path.join(folder, name));
  }
}

/**
 * Node.js keeps a folder for each user id and each set of processor features. Hooks run as root,
 * whoever packs: the folder gets root's id, and everybody may read it.
 */
async function shareWithAnyUser(cache: string, expectedFiles: number): Promise<void> {
  const [own] = await readdir(cache);
  if (own === undefined) throw new Error('cannot fill the compile cache: Node.js wrote none');
  const shared = own.replace(/-\d+$/, '-0');
  if (shared !== own) await rename(path.join(cache, own), path.join(cache, shared));
  const files = await readdir(path.join(cache, shared));
  if (files.length < expectedFiles) {
    throw new Error(
      `cannot fill the compile cache: ${files.length} of ${expectedFiles} files in it`,
    );
  }
  for (const file of files) await chmod(path.join(cache, shared, file), 0o644);
}
