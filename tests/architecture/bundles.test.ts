// What every hook loads: the packages in the entry bundles, their size, and the chunks that are
// loaded on first use. Each of these packages has its decision record in docs/decisions.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execa as execaProgram } from 'execa';

import { type Bundle, bundleCharm } from '../../scripts/bundle.ts';
import { findCharms } from '../../scripts/charms.ts';
import { lazyPackages } from '../../scripts/lazy-packages.ts';
import { programName } from '../../scripts/program.ts';
import { countBytes, listPackages } from '../../scripts/size-report.ts';

const valibot = 'valibot';
/** execa and what it depends on. */
const execa = [
  '@sec-ant/readable-stream',
  '@sindresorhus/merge-streams',
  'execa',
  'figures',
  'get-stream',
  'human-signals',
  'is-plain-obj',
  'is-stream',
  'is-unicode-supported',
  'npm-run-path',
  'parse-ms',
  'path-key',
  'pretty-ms',
  'signal-exit',
  'strip-final-newline',
  'unicorn-magic',
  'which-command',
  'yoctocolors',
];

/** Of packages in the entry bundle, and of our own code: see decision 2. */
const maximumBytes = { packages: 285_000, own: 800_000 };

const charms = await findCharms();

describe.each(charms)('the bundle of $name', (charm) => {
  let folder: string;
  let bundle: Bundle;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'bundle-'));
    bundle = await bundleCharm(charm, path.join(folder, charm.name));
  });

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  test('loads modules of Node.js that take long when they are used', async () => {
    const probe = path.join(folder, 'probe.cjs');
    const lines = [
      "process.on('unhandledRejection', () => {});",
      `require(${JSON.stringify(path.join(bundle.folder, programName))});`,
      "process.stdout.write(process.moduleLoadList.join('\\n'));",
    ];
    await writeFile(probe, lines.join('\n'));
    const { stdout } = await execaProgram(process.execPath, [probe], { reject: false });
    const loaded = stdout.split('\n');

    expect(loaded).toContain('NativeModule child_process');
    expect(loaded.filter((name) => /^NativeModule (?:crypto|v8|https)$/.test(name))).toEqual([]);
  });

  test('loads execa and valibot in every hook, and no other package', () => {
    const packages = listPackages(bundle.metafiles.entry);

    expect(packages.filter((name) => name !== valibot)).toEqual(execa);
  });

  test('stays within its size', () => {
    const { packages, own } = countBytes(bundle.metafiles.entry);

    expect(packages).toBeLessThanOrEqual(maximumBytes.packages);
    expect(own).toBeLessThanOrEqual(maximumBytes.own);
  });

  test('is all ASCII: with one other character V8 keeps all of it in two bytes each', async () => {
    const code = await readFile(path.join(bundle.folder, programName), 'utf8');

    const lines = code.split('\n').filter((line) => /[\u0080-\uffff]/.test(line));
    expect(lines).toEqual([]);
  });

  test('requires each chunk by a path that exists, and keeps no dynamic import', async () => {
    const code = await readFile(path.join(bundle.folder, programName), 'utf8');

    const found = code.matchAll(/require\("\.\/(?<file>chunks\/[^"]+)"\)/g);
    const required = [...found].flatMap(({ groups }) => groups?.['file'] ?? []);
    expect([...new Set(required)].toSorted()).toEqual(bundle.files.slice(2).toSorted());
    expect(code).not.toMatch(/\bimport\("/);
  });
});

test('only packages that load on first use have chunks', () => {
  expect(Object.keys(lazyPackages).toSorted()).toEqual([
    '@aws-sdk/client-s3',
    'croner',
    'pg',
    'yaml',
  ]);
});
