// Bundles every charm, or the named ones, into dist/<charm>/. Usage: build.ts [charm …]

import path from 'node:path';

import { bundleCharm } from './bundle.ts';
import { distFolder, findCharms } from './charms.ts';
import { renderBundleSizes } from './size-report.ts';

for (const charm of await findCharms(process.argv.slice(2))) {
  const bundle = await bundleCharm(charm, path.join(distFolder, charm.name));
  process.stdout.write(`${charm.name}\n${renderBundleSizes(bundle.metafiles)}`);
}
