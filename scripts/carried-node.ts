// The Node.js that travels in the charms, per architecture: the binary of the pinned npm package,
// stripped, and the same deflated. Both are made once and kept in the cache that the local cloud
// uses too, because deflating takes ten seconds.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { execa } from 'execa';
import * as v from 'valibot';

import { openCache } from '../cloud/build/cache.ts';
import { computeKey } from '../cloud/build/keys.ts';
import { repository } from './charms.ts';
import { stripElf } from './elf.ts';
import { deflateEntry, type ZipEntry } from './zip.ts';

/** Juju's names of the architectures that charms are packed for. */
export const architectures = ['amd64', 'arm64'] as const;
export type Architecture = (typeof architectures)[number];

export interface CarriedNode {
  readonly version: string;
  readonly architecture: Architecture;
  /** The stripped program; runs only on a machine of its architecture. */
  readonly program: string;
  readonly entry: ZipEntry;
}

const npmNames: Readonly<Record<Architecture, string>> = { amd64: 'x64', arm64: 'arm64' };

/** Raise it when what is made of the same package changes. */
const recipe = 1;

const lockSchema = v.object({
  packages: v.record(
    v.string(),
    v.object({ version: v.optional(v.string()), integrity: v.optional(v.string()) }),
  ),
});
const factsSchema = v.object({ sizeBytes: v.number(), crc: v.number() });

/** The architecture of this machine, under Juju's name. */
export function machineArchitecture(): Architecture {
  const found = architectures.find((architecture) => npmNames[architecture] === process.arch);
  if (found === undefined) throw new Error(`cannot pack: no Node.js package for ${process.arch}`);
  return found;
}

export async function ensureCarriedNode(architecture: Architecture): Promise<CarriedNode> {
  const name = `node-linux-${npmNames[architecture]}`;
  const { version, integrity } = await readLock(name);
  const id = { name: `carried-${name}`, key: computeKey({ version, integrity, recipe }) };
  const folder = await openCache().ensure(id, async (fresh) => {
    process.stdout.write(`making the Node.js ${version} for ${architecture} (once)\n`);
    const content = stripElf(await readProgram({ name, version, integrity }));
    const entry = deflateEntry({ name: 'node', mode: 0o755, content });
    await writeFile(path.join(fresh, 'node'), content, { mode: 0o755 });
    await writeFile(path.join(fresh, 'node.deflated'), entry.deflated);
    const facts = { sizeBytes: entry.sizeBytes, crc: entry.crc };
    await writeFile(path.join(fresh, 'facts.json'), JSON.stringify(facts));
  });
  const facts = v.parse(
    factsSchema,
    JSON.parse(await readFile(path.join(folder, 'facts.json'), 'utf8')),
  );
  const deflated = await readFile(path.join(folder, 'node.deflated'));
  const entry = { name: 'node', mode: 0o755, deflated, ...facts };
  return { version, architecture, program: path.join(folder, 'node'), entry };
}

interface NodePackage {
  readonly name: string;
  readonly version: string;
  /** `sha512-…` of the package's archive. */
  readonly integrity: string;
}

async function readLock(name: string): Promise<NodePackage> {
  const text = await readFile(path.join(repository, 'package-lock.json'), 'utf8');
  const { packages } = v.parse(lockSchema, JSON.parse(text));
  const { version, integrity } = packages[`node_modules/${name}`] ?? {};
  if (version === undefined || integrity === undefined) {
    throw new Error(`cannot find ${name} in package-lock.json`);
  }
  return { name, version, integrity };
}

/** From node_modules where npm installed it, which it does for this machine's architecture only. */
async function readProgram(wanted: NodePackage): Promise<Buffer> {
  const installed = path.join(repository, 'node_modules', wanted.name, 'bin', 'node');
  if (existsSync(installed)) return await readFile(installed);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'node-package-'));
  try {
    const spec = `${wanted.name}@${wanted.version}`;
    const archive = path.join(folder, `${wanted.name}-${wanted.version}.tgz`);
    await execa('npm', ['pack', '--silent', '--pack-destination', folder, spec]);
    verifyIntegrity(await readFile(archive), wanted);
    await execa('tar', ['-xzf', archive, '-C', folder, 'package/bin/node']);
    return await readFile(path.join(folder, 'package', 'bin', 'node'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function verifyIntegrity(archive: Buffer, wanted: NodePackage): void {
  const found = `sha512-${createHash('sha512').update(archive).digest('base64')}`;
  if (found !== wanted.integrity) {
    throw new Error(
      `cannot use ${wanted.name} ${wanted.version}: not what package-lock.json names`,
    );
  }
}
