import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { execa } from 'execa';

import {
  addLayer,
  addLayersOf,
  renderImageConfig,
  renderManifest,
  type Staging,
  writeArchive,
} from '../../../rock/oci-archive.ts';

const content = {
  imageNames: ['docker.io/local/a:1', 'docker.io/local/a:2'],
  architecture: 'amd64',
  config: {
    entrypoint: ['sh', '-c'],
    workingFolder: '/var/lib/juju',
    environment: { PATH: '/usr/bin', LANG: 'C.UTF-8' },
  },
  layers: ['aa', 'bb'],
};

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'image-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function createStaging(name: string): Promise<Staging> {
  const staging = path.join(folder, name);
  await mkdir(staging);
  return {
    folder: staging,
    run: async (file, args) => {
      await execa(file, args);
    },
  };
}

async function createSource(mtime: Date): Promise<string> {
  const source = await mkdtemp(path.join(folder, 'source-'));
  for (const name of ['b', 'a']) {
    await writeFile(path.join(source, name), `content of ${name}`);
    await utimes(path.join(source, name), mtime, mtime);
  }
  return source;
}

test('an image configuration lists the layers, lowest first', () => {
  expect(JSON.parse(renderImageConfig(content))).toEqual({
    architecture: 'amd64',
    os: 'linux',
    config: {
      Entrypoint: ['sh', '-c'],
      WorkingDir: '/var/lib/juju',
      Env: ['PATH=/usr/bin', 'LANG=C.UTF-8'],
    },
    rootfs: { type: 'layers', diff_ids: ['sha256:aa', 'sha256:bb'] },
  });
});

test('a manifest gives the image all of its names', () => {
  expect(JSON.parse(renderManifest(content, 'cc.json'))).toEqual([
    {
      Config: 'cc.json',
      RepoTags: ['docker.io/local/a:1', 'docker.io/local/a:2'],
      Layers: ['aa.tar', 'bb.tar'],
    },
  ]);
});

test('the same content packed later gives the same archive', async () => {
  const archives: Buffer[] = [];
  for (const time of ['2026-01-01', '2026-02-02']) {
    const staging = await createStaging(time);
    const source = await createSource(new Date(time));
    const layer = await addLayer(staging, { folder: source, newestTime: 0 });
    const outFile = path.join(folder, `${time}.tar`);
    await writeArchive(staging, { ...content, layers: [layer] }, outFile);
    archives.push(await readFile(outFile));
  }

  expect(archives[0]?.equals(archives[1] ?? Buffer.alloc(0))).toBe(true);
});

test('an image on top of another one has the layers of both', async () => {
  const source = await createSource(new Date('2026-01-01'));
  const baseStaging = await createStaging('base-staging');
  const baseLayer = await addLayer(baseStaging, { folder: source, newestTime: 0 });
  const baseFile = path.join(folder, 'base.tar');
  await writeArchive(baseStaging, { ...content, layers: [baseLayer] }, baseFile);

  const staging = await createStaging('staging');
  const layers = [
    ...(await addLayersOf(staging, baseFile)),
    await addLayer(staging, { folder: source, exclude: ['./b'], newestTime: 0 }),
  ];
  const outFile = path.join(folder, 'out.tar');
  await writeArchive(staging, { ...content, layers }, outFile);

  expect(layers).toEqual([baseLayer, expect.stringMatching(/^[0-9a-f]{64}$/)]);
  const { stdout } = await execa('tar', ['--list', '--file', outFile]);
  expect(stdout.split('\n')).toEqual([
    'manifest.json',
    expect.stringMatching(/^[0-9a-f]{64}\.json$/),
    `${layers[0]}.tar`,
    `${layers[1]}.tar`,
  ]);
});
