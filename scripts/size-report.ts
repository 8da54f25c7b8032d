// What is in the bundles: sizes, and the packages that every hook loads.

import type { Metafile } from 'esbuild';

import type { Metafiles } from './bundle.ts';
import { programName } from './program.ts';

/** Names of the packages that end up in a bundle, sorted. */
export function listPackages(metafile: Metafile): readonly string[] {
  const names = Object.keys(metafile.inputs).flatMap((input) => packageOf(input) ?? []);
  return [...new Set(names)].toSorted();
}

/** `node_modules/@scope/name/lib/x.js` to `@scope/name`; the innermost package when nested. */
export function packageOf(input: string): string | undefined {
  const rest = input.split('node_modules/').slice(1).at(-1);
  const [first, second] = rest?.split('/') ?? [];
  return first?.startsWith('@') === true ? `${first}/${second ?? ''}` : first;
}

/** Size of the one file of code that a metafile describes. */
export function codeBytes(metafile: Metafile): number {
  const outputs = Object.entries(metafile.outputs).filter(([file]) => !file.endsWith('.map'));
  return outputs.reduce((total, [, output]) => total + output.bytes, 0);
}

/** Bytes of the code that come from packages, and of ours. */
export function countBytes(metafile: Metafile): {
  readonly packages: number;
  readonly own: number;
} {
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
  const packages = inputs
    .filter(([file]) => file.includes('node_modules/'))
    .reduce((total, [, { bytesInOutput }]) => total + bytesInOutput, 0);
  return { packages, own: codeBytes(metafile) - packages };
}

export function renderBundleSizes(metafiles: Metafiles): string {
  const rows = [
    renderRow(programName, metafiles.entry),
    ...Object.entries(metafiles.chunks).map(([name, chunk]) => renderRow(`on use: ${name}`, chunk)),
  ];
  return `${rows.join('')}  in every hook: ${listPackages(metafiles.entry).join(' ')}\n`;
}

function renderRow(name: string, metafile: Metafile): string {
  return `  ${name.padEnd(28)} ${formatBytes(codeBytes(metafile)).padStart(9)}\n`;
}

export function formatBytes(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
