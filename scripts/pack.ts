// Packs charms into dist/<charm>_<architecture>.charm. A charm whose inputs did not change since it
// was packed is left alone. Usage:
//   pack.ts [--arch amd64|arm64] [charm …]            archives
//   pack.ts [--arch amd64|arm64] --dir FOLDER charm   the same files into a folder, for charmcraft

import { copyFile, mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { withLock } from '../cloud/build/lock.ts';
import { type Bundle, bundleCharm } from './bundle.ts';
import {
  type Architecture,
  architectures,
  type CarriedNode,
  ensureCarriedNode,
  machineArchitecture,
} from './carried-node.ts';
import { collectFiles } from './charm-files.ts';
import { type Charm, distFolder, findCharms, repository } from './charms.ts';
import { fillCompileCache } from './compile-cache.ts';
import { computePackKey, findPacked, notePacked } from './packed.ts';
import { formatBytes, renderBundleSizes } from './size-report.ts';
import { measureStart, renderStart } from './start-up.ts';
import { deflateEntry, type FileContent, renderZip } from './zip.ts';

interface Contents {
  readonly node: CarriedNode;
  readonly bundle: Bundle;
  readonly files: readonly FileContent[];
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { arch: { type: 'string' }, dir: { type: 'string' } },
    allowPositionals: true,
  });
  const architecture = parseArchitecture(values.arch ?? machineArchitecture());
  const charms = await findCharms(positionals);
  const { dir } = values;
  // Bundles are made in dist/: whoever else packs from this checkout waits.
  await withLock(path.join(distFolder, '.pack.lock'), async () => {
    if (dir === undefined) {
      for (const charm of charms) process.stdout.write(await packArchive(charm, architecture));
      return;
    }
    const [charm] = charms;
    if (charm === undefined || charms.length > 1) throw new Error('--dir wants exactly one charm');
    await packFolder(charm, architecture, path.resolve(dir));
  });
}

function parseArchitecture(given: string): Architecture {
  const found = architectures.find((architecture) => architecture === given);
  if (found === undefined)
    throw new Error(`cannot pack for "${given}": not ${architectures.join(' or ')}`);
  return found;
}

async function packArchive(charm: Charm, architecture: Architecture): Promise<string> {
  const archive = path.join(distFolder, `${charm.name}_${architecture}.charm`);
  const key = await computePackKey(charm, architecture);
  const packed = await findPacked(archive, key);
  if (packed !== undefined) return packed;
  const contents = await makeContents(charm, architecture);
  const pieces = renderZip([contents.node.entry, ...contents.files.map(deflateEntry)]);
  await writeFile(`${archive}.partial`, pieces);
  await rename(`${archive}.partial`, archive);
  const bytes = pieces.reduce((total, piece) => total + piece.length, 0);
  const size = `${path.relative(repository, archive)} ${formatBytes(bytes)}\n`;
  const rows = renderBundleSizes(contents.bundle.metafiles);
  return await notePacked(archive, { key, report: size + rows + (await reportStart(contents)) });
}

/** Nothing for an architecture whose Node.js this machine cannot run. */
async function reportStart({ node, bundle }: Contents): Promise<string> {
  if (node.architecture !== machineArchitecture()) return '';
  return renderStart(await measureStart(node.program, bundle.folder));
}

async function packFolder(charm: Charm, architecture: Architecture, folder: string): Promise<void> {
  const contents = await makeContents(charm, architecture);
  for (const file of contents.files) {
    const target = path.join(folder, file.name);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, file.content, { mode: file.mode });
  }
  await copyFile(contents.node.program, path.join(folder, 'node'));
}

async function makeContents(charm: Charm, architecture: Architecture): Promise<Contents> {
  const node = await ensureCarriedNode(architecture);
  const bundle = await bundleCharm(charm, path.join(distFolder, charm.name));
  // A cache for another architecture cannot be made here: its charm fills its own in the first hook.
  if (architecture === machineArchitecture()) {
    await fillCompileCache(charm, bundle, node.program);
  }
  return { node, bundle, files: await collectFiles(charm, bundle, node) };
}

await main();
