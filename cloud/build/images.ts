/**
 * The images of the local cloud, made from the recipes in `rock/`: each becomes a cache entry with
 * one file, `image.tar`. Where an image carries our own programs, they are its last layer.
 */

import { copyFile, lstat, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';

import {
  addLayer,
  addLayersOf,
  type ImageContent,
  type Staging,
  writeArchive,
} from '../../rock/oci-archive.ts';
import {
  type ContainerConfig,
  type DebianImageRecipe,
  defaultPath,
  type VersionsFile,
} from '../../rock/recipe.ts';
import { makeDebianRoot, runInRoot } from './debian-root.ts';
import { computeKey } from './keys.ts';
import type { Platform } from './machine.ts';
import { captureOutput, runLogged } from './process.ts';
import { type Making, type Part, providePart, type Workshop } from './workshop.ts';

export const imageFile = 'image.tar';

/** An image of programs, alone or on top of another image. */
export interface ProgramImage {
  readonly name: string;
  readonly title: string;
  readonly imageNames: readonly string[];
  /** Program names to their paths in the image. */
  readonly programs: Readonly<Record<string, string>>;
  /** Symbolic links and their targets. */
  readonly links: Readonly<Record<string, string>>;
  readonly emptyFolders: readonly string[];
  readonly config: ContainerConfig;
}

export const pauseImage: ProgramImage = {
  name: 'pause-image',
  title: 'pause image',
  imageNames: ['docker.io/local/pause:1'],
  programs: { pause: '/pause' },
  links: {},
  emptyFolders: [],
  config: { entrypoint: ['/pause'], workingFolder: '/', environment: { PATH: defaultPath } },
};

/** Where Juju's own controller image has things; Juju's start scripts rely on these paths. */
export const jujuImage: ProgramImage = {
  name: 'juju-image',
  title: 'Juju image',
  imageNames: ['ghcr.io/juju/jujud-operator:4.1-beta2'],
  programs: {
    containeragent: '/opt/containeragent',
    jujuagentd: '/opt/jujuagentd',
    jujuc: '/opt/jujuc',
    pebble: '/opt/pebble',
  },
  links: { '/opt/jujud': 'jujuagentd' },
  emptyFolders: ['/var/lib/juju'],
  config: {
    entrypoint: ['sh', '-c'],
    workingFolder: '/var/lib/juju',
    environment: { PATH: defaultPath },
  },
};

/** Changes when what this file does to every image changes. */
const builderVersion = 1;

/** State of the package tools and of the machine that the root was made on. */
const leftOut = [
  './dev/*',
  './proc/*',
  './sys/*',
  './run/lock/*',
  './tmp/*',
  './etc/hostname',
  './etc/resolv.conf',
  './var/cache/*',
  './var/lib/apt/*',
  './var/lib/dpkg/*-old',
  './var/log/*.log',
  './var/log/apt/*',
];

export function describeDebianImage(recipe: DebianImageRecipe, platform: Platform): Part {
  const { title, ...inputs } = recipe;
  const key = computeKey({ recipe: inputs, leftOut, builderVersion, platform: platform.name });
  return { id: { name: recipe.name, key }, title };
}

/** `inside` are the keys of what goes into the image. */
export function describeProgramImage(
  image: ProgramImage,
  inside: readonly string[],
  platform: Platform,
): Part {
  const { title, ...inputs } = image;
  const key = computeKey({ image: inputs, inside, builderVersion, platform: platform.name });
  return { id: { name: image.name, key }, title };
}

/** The folder with the image of a Debian recipe. */
export async function provideDebianImage(
  workshop: Workshop,
  part: Part,
  recipe: DebianImageRecipe,
): Promise<string> {
  return await workshop.lanes.debian.run(async () => {
    return await providePart(workshop, part, async (making) => {
      const root = path.join(making.folder, 'root');
      const target = { folder: root, logFile: making.logFile, signal: workshop.signal };
      await makeDebianRoot({ ...recipe, variant: 'essential' }, target);
      if (recipe.script !== '') await runInRoot(recipe.script, target);
      if (recipe.versions !== undefined) await writeVersions(root, recipe.versions);
      await checkLacks(root, recipe.mustLack);
      await pack(workshop, making, {
        ...recipe,
        layer: { folder: root, exclude: leftOut, newestTime: await findNewestModuleTime(root) },
      });
      await rm(root, { recursive: true });
    });
  });
}

/** The folder with an image of programs; `sources` are their files, by program name. */
export async function provideProgramImage(
  workshop: Workshop,
  part: Part,
  task: {
    readonly image: ProgramImage;
    readonly sources: Readonly<Record<string, string>>;
    readonly baseArchive?: string;
  },
): Promise<string> {
  return await providePart(workshop, part, async (making) => {
    const root = path.join(making.folder, 'root');
    await mkdir(root);
    await fillProgramRoot(root, task.image, task.sources);
    await pack(workshop, making, {
      ...task.image,
      layer: { folder: root, newestTime: 0 },
      ...(task.baseArchive === undefined ? {} : { baseArchive: task.baseArchive }),
    });
    await rm(root, { recursive: true });
  });
}

async function pack(
  workshop: Workshop,
  making: Making,
  task: Pick<ImageContent, 'imageNames' | 'config'> & {
    readonly layer: Parameters<typeof addLayer>[1];
    readonly baseArchive?: string;
  },
): Promise<void> {
  const staging: Staging = {
    folder: path.join(making.folder, 'staging'),
    run: async (file, args) => {
      await runLogged({ file, args, logFile: making.logFile, signal: workshop.signal });
    },
  };
  await mkdir(staging.folder);
  const { baseArchive, imageNames, config } = task;
  const base = baseArchive === undefined ? [] : await addLayersOf(staging, baseArchive);
  const layers = [...base, await addLayer(staging, task.layer)];
  const content = { imageNames, config, layers, architecture: workshop.platform.name };
  await writeArchive(staging, content, path.join(making.folder, imageFile));
  await rm(staging.folder, { recursive: true });
}

async function fillProgramRoot(
  root: string,
  image: ProgramImage,
  sources: Readonly<Record<string, string>>,
): Promise<void> {
  for (const folder of image.emptyFolders)
    await mkdir(path.join(root, folder), { recursive: true });
  for (const [program, target] of Object.entries(image.programs)) {
    const source = sources[program];
    if (source === undefined) throw new Error(`cannot make the ${image.title}: no "${program}"`);
    await mkdir(path.dirname(path.join(root, target)), { recursive: true });
    await copyFile(source, path.join(root, target));
  }
  for (const [link, target] of Object.entries(image.links))
    await symlink(target, path.join(root, link));
}

async function writeVersions(root: string, versions: VersionsFile): Promise<void> {
  const found: Record<string, string> = {};
  for (const [part, name] of Object.entries(versions.packages)) {
    found[part] = await captureOutput({
      file: 'dpkg-query',
      args: [
        `--admindir=${root}/var/lib/dpkg`,
        '--show',
        '--showformat',
        '${source:Upstream-Version}',
        name,
      ],
    });
  }
  await writeInRoot(root, versions.file, `${JSON.stringify(found, null, 2)}\n`);
  const workloadVersion = Object.values(found)[0] ?? '';
  await writeInRoot(root, versions.workloadVersionFile, `version: "${workloadVersion}"\n`);
}

async function writeInRoot(root: string, file: string, text: string): Promise<void> {
  const target = path.join(root, file);
  await mkdir(path.dirname(target), { recursive: true });
  await writeFile(target, text);
}

async function checkLacks(root: string, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const present = new Set(
    (await readdir(path.join(root, 'usr'), { recursive: true })).map((file) => path.basename(file)),
  );
  const unwanted = names.filter((name) => present.has(name));
  if (unwanted.length > 0) {
    throw new Error(`cannot use the image: it must not contain ${unwanted.join(', ')}`);
  }
}

/**
 * The time of the newest Python module, in seconds: later times are the build's own. Compiled
 * modules remember the time of their source, which therefore must not change.
 */
async function findNewestModuleTime(root: string): Promise<number> {
  const folder = path.join(root, 'usr', 'lib');
  let newest = 0;
  for (const name of await readdir(folder)) {
    if (!name.startsWith('python3')) continue;
    for (const file of await readdir(path.join(folder, name), { recursive: true })) {
      if (!file.endsWith('.py')) continue;
      newest = Math.max(newest, (await lstat(path.join(folder, name, file))).mtimeMs);
    }
  }
  return Math.floor(newest / 1000);
}
