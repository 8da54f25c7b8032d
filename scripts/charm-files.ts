// What is in a packed charm besides Node.js: everything that Juju reads, the launcher, the bundle
// and its compile cache.

import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

import { execa } from 'execa';
import * as v from 'valibot';
import { stringify } from 'yaml';

import type { Bundle } from './bundle.ts';
import type { Architecture, CarriedNode } from './carried-node.ts';
import { type Charm, repository } from './charms.ts';
import { cacheFolderName } from './compile-cache.ts';
import { loaderOf } from './elf.ts';
import type { FileContent } from './zip.ts';

/** Ubuntu releases whose charm container a charm runs in; the first is the default of a deploy. */
const baseChannels = ['22.04', '24.04'];

/** Files that Juju reads, where the charm has them. */
const jujuFiles = ['metadata.yaml', 'config.yaml', 'actions.yaml', 'icon.svg', 'README.md'];

const packageSchema = v.object({ version: v.string() });

export async function collectFiles(
  charm: Charm,
  bundle: Bundle,
  node: CarriedNode,
): Promise<readonly FileContent[]> {
  const files = [
    text('manifest.yaml', renderManifest(node.architecture)),
    // Where it is missing, the launcher says so.
    text('loader', `${loaderOf(await readFile(node.program))}\n`),
    text('version', `${await readVersion()}\n`),
    { ...(await load(path.join(repository, 'dispatch'), 'dispatch')), mode: 0o755 },
    await load(path.join(repository, 'LICENSE'), 'LICENSE'),
  ];
  for (const name of jujuFiles) {
    const file = path.join(charm.folder, name);
    if (existsSync(file)) files.push(await load(file, name));
  }
  const cached = await listFiles(path.join(bundle.folder, cacheFolderName));
  for (const name of [...bundle.files, ...cached.map((file) => path.join(cacheFolderName, file))]) {
    const file = await load(path.join(bundle.folder, name), name);
    // charmcraft wants the file that the launcher names last to have its run bit.
    files.push({ ...file, mode: name === 'main.cjs' ? 0o755 : file.mode });
  }
  return files;
}

/** What charmcraft would say about how the charm was built. */
export function renderManifest(architecture: Architecture): string {
  const bases = baseChannels.map((channel) => ({
    name: 'ubuntu',
    channel,
    architectures: [architecture],
  }));
  return stringify({ bases }, { version: '1.1' });
}

/** The project's version and the commit: what `juju status` shows as the charm's version. */
export async function readVersion(): Promise<string> {
  const text = await readFile(path.join(repository, 'package.json'), 'utf8');
  const { version } = v.parse(packageSchema, JSON.parse(text));
  const commit = await execa('git', ['describe', '--always', '--dirty', '--exclude=*'], {
    cwd: repository,
    reject: false,
  });
  return commit.exitCode === 0 ? `${version}+${commit.stdout}` : version;
}

async function load(file: string, name: string): Promise<FileContent> {
  return { name, mode: 0o644, content: await readFile(file) };
}

function text(name: string, content: string): FileContent {
  return { name, mode: 0o644, content: Buffer.from(content) };
}

/** Files below a folder, relative to it; none when there is no such folder. */
async function listFiles(folder: string): Promise<readonly string[]> {
  if (!existsSync(folder)) return [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
}
