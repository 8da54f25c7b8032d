// Writes the files that follow from tables in the code: config.yaml, actions.yaml and the reference
// pages of options and actions. `--check` writes nothing and fails when a file differs.

import { readFileSync, writeFileSync } from 'node:fs';

import { actionPages } from './action-pages.ts';
import { optionPages } from './option-pages.ts';

const files: Readonly<Record<string, string>> = { ...optionPages, ...actionPages };

const check = process.argv.includes('--check');
for (const [path, text] of Object.entries(files)) {
  const url = new URL(`../${path}`, import.meta.url);
  if (!check) writeFileSync(url, text);
  else if (readFileSync(url, 'utf8') !== text) {
    process.stderr.write(`${path} differs from its table: run make generate\n`);
    process.exitCode = 1;
  }
}
