// Sizes of files, and what may touch the process: the linter knows the rules for single lines, this
// looks at the whole.

import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { expect, test } from '@jest/globals';

import { repository } from '../../scripts/charms.ts';
import { listSources } from '../support/import-graph.ts';

const maximumLines = 600;
const maximumMedian = 150;

const folders = ['src', 'lib', 'charms', 'cloud', 'rock', 'scripts', 'tests'];
const files = await listSources(repository, folders);
const sources = await Promise.all(
  files.map(async (file) => ({ file, text: await readFile(path.join(repository, file), 'utf8') })),
);

test('no file is longer than the limit', () => {
  const long = sources.filter(({ text }) => countLines(text) > maximumLines);

  expect(long.map(({ file }) => file)).toEqual([]);
});

test('half of the files of the product are short', () => {
  const product = sources.filter(({ file }) => /^(?:src|lib|charms)\//.test(file));
  const lengths = product.map(({ text }) => countLines(text)).toSorted((one, other) => one - other);

  expect(lengths[Math.floor(lengths.length / 2)]).toBeLessThanOrEqual(maximumMedian);
});

test('only lib/base looks at the clock, at chance and at the environment', () => {
  const product = sources.filter(({ file }) => /^(?:src|lib(?!\/base)|charms)\//.test(file));
  const wrong = product.filter(({ text }) =>
    /\b(?:Date\.now|Math\.random|process\.env|performance\.now)\b|\bnew Date\(\)/.test(text),
  );

  expect(wrong.map(({ file }) => file)).toEqual([]);
});

test('files are named after a thing or a concern', () => {
  const vague = files.filter((file) =>
    /^(?:utils?|helpers?|common|misc)\.ts$/.test(path.basename(file)),
  );
  const odd = files.filter(
    (file) => !/^[a-z0-9]+(?:[.-][a-z0-9]+)*\.ts$/.test(path.basename(file)),
  );

  expect([...vague, ...odd]).toEqual([]);
});

function countLines(text: string): number {
  return text.split('\n').length - 1;
}
