// Dependencies point downwards only: entry, handlers, core and adapters, framework, base. A row
// below lists what the files of one layer may import from the repository; what no row allows fails.

import { describe, expect, test } from '@jest/globals';

import { repository } from '../../scripts/charms.ts';
import { findCycle, type Import, readImports } from '../support/import-graph.ts';

interface Layer {
  readonly name: string;
  readonly files: RegExp;
  readonly mayImport: readonly RegExp[];
}

const pureLib =
  /^lib\/(?:base\/(?:cut|error|fingerprint|lazy|outcome|present|secret)|sql\/(?:quoting|sql)|pebble\/(?:layer|pebble)|juju\/(?:event|juju|hook))\.ts$/;

/** The first row that fits a file counts. */
const layers: readonly Layer[] = [
  { name: 'base', files: /^lib\/base\//, mayImport: [/^lib\/base\//] },
  { name: 'framework', files: /^lib\//, mayImport: [/^lib\//] },
  // Programs of the workload are imported as their text.
  {
    name: 'core',
    files: /^src\/core\//,
    mayImport: [/^src\/core\//, /^src\/static\/[\w/-]+\.py$/, pureLib],
  },
  {
    name: 'adapters',
    files: /^src\/adapters\//,
    mayImport: [/^src\/adapters\//, /^src\/core\//, /^src\/ports\.ts$/, /^lib\//],
  },
  { name: 'ports', files: /^src\/ports\.ts$/, mayImport: [/^lib\//, /^src\/core\//] },
  { name: 'entry', files: /^src\/main\.ts$/, mayImport: [/^src\//, /^lib\//] },
  { name: 'handlers', files: /^src\//, mayImport: [/^src\/(?!main\.ts)/, /^lib\//] },
];

const imports = await readImports(repository, ['lib', 'src', 'charms', 'cloud', 'rock']);
const local = imports.filter(({ isPackage }) => !isPackage);

describe.each(layers)('the layer $name', (layer) => {
  test('imports only what is below it', () => {
    const own = local.filter(({ from }) => layerOf(from) === layer);

    expect(refused(own, layer.mayImport)).toEqual([]);
  });
});

test('a charm below charms/ imports only its own files and lib', () => {
  const wrong = local
    .filter(({ from }) => from.startsWith('charms/'))
    .filter(({ from, to }) => !to.startsWith(`${charmOf(from)}/`) && !to.startsWith('lib/'));

  expect(describeAll(wrong)).toEqual([]);
});

test('the local cloud and the images import nothing of the charms', () => {
  const own = local.filter(({ from }) => /^(?:cloud|rock)\//.test(from));

  expect(refused(own, [/^cloud\//, /^rock\//])).toEqual([]);
});

test('the core imports no Node module, and of packages only valibot', () => {
  const packages = imports.filter(
    ({ from, isPackage }) => isPackage && from.startsWith('src/core/'),
  );

  expect(describeAll(packages.filter(({ to }) => to !== 'valibot'))).toEqual([]);
});

test('no file imports itself by way of others, not even for types', () => {
  expect(findCycle(imports)).toBeUndefined();
});

function layerOf(file: string): Layer | undefined {
  return layers.find(({ files }) => files.test(file));
}

function charmOf(file: string): string {
  return file.split('/').slice(0, 2).join('/');
}

function refused(found: readonly Import[], allowed: readonly RegExp[]): readonly string[] {
  return describeAll(found.filter(({ to }) => !allowed.some((pattern) => pattern.test(to))));
}

function describeAll(found: readonly Import[]): readonly string[] {
  return found.map(({ from, to }) => `${from} imports ${to}`);
}
