// Packed charms before the eyes of those who read them: Juju's parser, charmcraft, the launcher on a
// machine that gives it nothing.

import { mkdtemp, rm, stat, truncate } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { execa } from 'execa';
import * as v from 'valibot';

import { machineArchitecture } from '../../scripts/carried-node.ts';
import { distFolder, findCharms, repository } from '../../scripts/charms.ts';
import { codePath } from '../../scripts/program.ts';
import { ensureProgram } from '../support/binaries.ts';
import { type Charmcraft, ensureCharmcraft } from '../support/charmcraft.ts';

const maximumBytes = 45e6;

const findingsSchema = v.array(
  v.object({ name: v.string(), result: v.string(), text: v.string() }),
);

const charms = await findCharms();

let charmcraft: Charmcraft;
let charmCheck: string;
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(path.join(os.tmpdir(), 'packing-'));
  charmcraft = await ensureCharmcraft();
  charmCheck = await ensureProgram('charm-check');
  await runPack([]);
}, 600_000);

afterAll(async () => {
  await rm(scratch, { recursive: true, force: true });
});

describe.each(charms)('$name', ({ name, folder }) => {
  const archive = path.join(distFolder, `${name}_${machineArchitecture()}.charm`);

  test('the archive is one that Juju can read', async () => {
    const check = await execa(charmCheck, [archive], { reject: false });

    expect(check.stderr).toBe('');
    expect(check.exitCode).toBe(0);
  });

  test('no linter of charmcraft finds an error in the archive', async () => {
    const findings = v.parse(findingsSchema, JSON.parse(await charmcraft.analyse(archive)));

    const errors = findings.filter(({ result }) => ['error', 'fatal'].includes(result));
    expect(findings.map((finding) => finding.name)).toContain('entrypoint');
    expect(errors).toEqual([]);
  });

  test('charmcraft.yaml is valid together with the files that charmcraft merges into it', async () => {
    await expect(charmcraft.validateProject(folder)).resolves.toBeUndefined();
  });

  test('the archive is small enough', async () => {
    const { size } = await stat(archive);

    expect(size).toBeLessThanOrEqual(maximumBytes);
  });

  test('an archive whose inputs did not change is left alone', async () => {
    const before = await stat(archive);

    await runPack([name]);

    expect((await stat(archive)).mtimeMs).toBe(before.mtimeMs);
  });

  test('the launcher runs the charm with an empty environment and hands its exit code on', async () => {
    const unpacked = path.join(scratch, name);
    await runPack(['--dir', unpacked, name]);

    const run = await execa(path.join(unpacked, 'dispatch'), { extendEnv: false, reject: false });

    expect(run.exitCode).toBe(1);
  });

  test.each([
    { code: 'is cut off', change: async (file: string) => await truncate(file, 100_000) },
    { code: 'is missing', change: async (file: string) => await rm(file) },
  ])('the launcher runs the charm as well when its compiled code $code', async ({ change }) => {
    const unpacked = path.join(scratch, `${name}-changed`);
    await runPack(['--dir', unpacked, name]);
    const dispatch = path.join(unpacked, 'dispatch');
    const usual = await execa(dispatch, { extendEnv: false, reject: false });
    await change(path.join(unpacked, codePath));

    const run = await execa(dispatch, { extendEnv: false, reject: false });

    expect([run.exitCode, firstLines(run.stderr)]).toEqual([1, firstLines(usual.stderr)]);
  });
});

/** Without the trace, in which the launcher is another one. */
function firstLines(text: string): string {
  return text.replace(/^ {4}at .*$/gm, '');
}

async function runPack(args: readonly string[]): Promise<void> {
  await execa(process.execPath, [path.join('scripts', 'pack.ts'), ...args], { cwd: repository });
}
