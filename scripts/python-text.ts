// Python programs as the bundle carries them: without lines of comment and what their files say about
// themselves, which a hook would read each time, and no interpreter does.

import { readFile } from 'node:fs/promises';

import type { Plugin } from 'esbuild';

/** The same program; lines stay as they are, but not where they are. */
export function withoutRemarks(program: string): string {
  const text = program.replaceAll(/^ *#(?!!).*\n/gm, '');
  // A program that asks for it shows it to whoever asks for help.
  return text.includes('__doc__') ? text : text.replace(/^"""[^"]*(?:""?[^"]+)*"""\n+/, '');
}

/** Loads `.py` files as texts. */
export const pythonTextPlugin: Plugin = {
  name: 'python-text',
  setup: (build) => {
    build.onLoad({ filter: /\.py$/ }, async ({ path }) => ({
      contents: withoutRemarks(await readFile(path, 'utf8')),
      loader: 'text',
    }));
  },
};
