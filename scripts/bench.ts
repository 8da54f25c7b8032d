// Measures what a hook costs before its first line: Node.js alone, each entry bundle, and the entry
// bundle of the first charm with each of its chunks. Packs first, so that the cache is warm.

import path from 'node:path';

import { execa } from 'execa';

import { ensureCarriedNode, machineArchitecture } from './carried-node.ts';
import { distFolder, findCharms, repository } from './charms.ts';
import { lazyPackages } from './lazy-packages.ts';
import { measureStart, measureVariants, renderStart } from './start-up.ts';

await execa(process.execPath, ['scripts/pack.ts'], { cwd: repository, stdio: 'ignore' });
const { program } = await ensureCarriedNode(machineArchitecture());
const charms = await findCharms();
for (const { name } of charms) {
  const start = await measureStart(program, path.join(distFolder, name));
  process.stdout.write(`${name}\n${renderStart(start)}`);
}
const [first] = charms;
if (first !== undefined) {
  const variants = Object.values(lazyPackages).map((chunk) => ({
    name: `node with ${chunk}.cjs`,
    args: ['--require', `./chunks/${chunk}.cjs`, '--eval', '0'],
  }));
  const bare = { name: 'node alone', args: ['--eval', '0'] };
  const folder = path.join(distFolder, first.name);
  const start = await measureVariants(program, folder, [bare, ...variants]);
  process.stdout.write(`chunks of ${first.name}\n${renderStart(start)}`);
}
