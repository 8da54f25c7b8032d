// Fills the compile cache that ships in a charm, with the Node.js that will be carried: one run of the
// bundle, all chunks loaded, and one of a quiet hook, whose functions the launcher finds compiled. The
// first doubles as a test of the bundle: a charm that cannot handle an unknown hook on a machine
// without anything is not packed.

import { existsSync } from 'node:fs';
import {
  chmod,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { execa } from 'execa';
import * as v from 'valibot';
import { parse } from 'yaml';

import type { Bundle } from './bundle.ts';
import { type Charm, repository } from './charms.ts';
import { toolAnswers, warmUnit } from './warm-up.ts';

export const cacheFolderName = 'cache';

const tools = [
  'config-get',
  'goal-state',
  'is-leader',
  'relation-get',
  'relation-ids',
  'relation-list',
  'relation-set',
  'state-get',
  'application-version-set',
  'juju-log',
  'open-port',
  'opened-ports',
  'state-delete',
  'state-set',
  'status-get',
  'status-set',
];

/** Runs a bundle and leaves what V8 compiled in its `cache` folder. */
export async function fillCompileCache(
  charm: Charm,
  { folder, files }: Pick<Bundle, 'folder' | 'files'>,
  program: string,
): Promise<void> {
  const cache = path.join(folder, cacheFolderName);
  const toolFolder = await mkdtemp(path.join(os.tmpdir(), 'hook-tools-'));
  const run = async (args: readonly string[], env: Readonly<Record<string, string>>) => {
    const PATH = `${toolFolder}:/usr/bin:/bin`;
    await execa(program, args, { cwd: folder, extendEnv: false, env: { ...env, PATH }, timeout });
  };
  try {
    await writeTools(toolFolder, await readDefaults(charm));
    const [entry = '', ...chunks] = files.map((file) => `./${file}`);
    await run([...chunks.flatMap((chunk) => ['--require', chunk]), entry], {
      ...environmentOf(folder, 'packed'),
      NODE_COMPILE_CACHE: cache,
      NODE_COMPILE_CACHE_PORTABLE: '1',
    });
    // After that run, which has left what Node.js goes back to when V8 refuses this.
    await run([compiler, folder], environmentOf(folder, 'update-status'));
    await run([compiler, '--check', folder], {});
  } finally {
    await rm(toolFolder, { recursive: true, force: true });
  }
  await shareWithAnyUser(cache, files.length);
}

const compiler = path.join(repository, 'scripts', 'compile-program.ts');
const timeout = 60_000;

const configSchema = v.object({
  options: v.optional(v.record(v.string(), v.object({ default: v.optional(v.unknown()) })), {}),
});

/** The options of a charm that nobody has set. */
async function readDefaults({ folder }: Charm): Promise<Readonly<Record<string, unknown>>> {
  const file = path.join(folder, 'config.yaml');
  if (!existsSync(file)) return {};
  const { options } = v.parse(configSchema, parse(await readFile(file, 'utf8')));
  return Object.fromEntries(Object.entries(options).map(([name, one]) => [name, one.default]));
}

function environmentOf(folder: string, hook: string): Readonly<Record<string, string>> {
  return {
    JUJU_CHARM_DIR: folder,
    JUJU_DISPATCH_PATH: `hooks/${hook}`,
    JUJU_HOOK_NAME: hook,
    JUJU_MODEL_NAME: 'packing',
    JUJU_MODEL_UUID: '00000000-0000-4000-8000-000000000000',
    JUJU_UNIT_NAME: warmUnit,
    JUJU_VERSION: '3.6.0',
  };
}

/** One small program under the names of all hook tools; without an answer a tool prints nothing. */
async function writeTools(folder: string, config: unknown): Promise<void> {
  const cases = toolAnswers(config).map(([pattern, answer]) => {
    const text = JSON.stringify(answer).replaceAll("'", String.raw`'\''`);
    return `${pattern.replaceAll(' ', String.raw`\ `)}) printf '%s\\n' '${text}' ;;\n`;
  });
  const program = path.join(folder, 'tool');
  await writeFile(program, `#!/bin/sh\ncase "\${0##*/} $*" in\n${cases.join('')}esac\n`, {
    mode: 0o755,
  });
  for (const name of tools) await symlink('tool', path.join(folder, name));
}

/**
 * Node.js keeps a folder for each user id and each set of processor features. Hooks run as root,
 * whoever packs: the folder gets root's id, and everybody may read it.
 */
async function shareWithAnyUser(cache: string, expectedFiles: number): Promise<void> {
  const [own] = (await readdir(cache)).filter((name) => name.startsWith('v'));
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
