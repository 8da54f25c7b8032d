// Packs the contract charm, which record-hook-tools.ts wants deployed, into dist/ like the charms
// that are published, so that the recording also shows that those start.

import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { bundleCharm } from '../../scripts/bundle.ts';
import { ensureCarriedNode, machineArchitecture } from '../../scripts/carried-node.ts';
import { collectFiles } from '../../scripts/charm-files.ts';
import { type Charm, distFolder, repository } from '../../scripts/charms.ts';
import { fillCompileCache } from '../../scripts/compile-cache.ts';
import { deflateEntry, renderZip } from '../../scripts/zip.ts';

const folder = path.join(repository, 'tests/support/charms/contract-charm');
const charm: Charm = { name: 'contract-charm', folder, entry: path.join(folder, 'src/main.ts') };

const architecture = machineArchitecture();
const node = await ensureCarriedNode(architecture);
const bundle = await bundleCharm(charm, path.join(distFolder, charm.name));
await fillCompileCache(charm, bundle, node.program);
const files = await collectFiles(charm, bundle, node);
const archive = path.join(distFolder, `${charm.name}_${architecture}.charm`);
await writeFile(archive, renderZip([node.entry, ...files.map(deflateEntry)]));
process.stdout.write(`${path.relative(repository, archive)}\n`);
