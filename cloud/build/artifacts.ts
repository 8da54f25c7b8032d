/**
 * The one door to everything that the local cloud is made of: programs and images, built or found
 * in the cache. Starting them is the business of others.
 */

import { link, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';

import { charmBase } from '../../rock/charm-base.ts';
import { workload } from '../../rock/workload.ts';
import { type Cache, type EntryId, openCache } from './cache.ts';
import {
  type ControllerAgent,
  provideControllerAgent,
  readControllerAgent,
} from './controller-agent.ts';
import { ensureGo } from './go-toolchain.ts';
import {
  describeDebianImage,
  describeProgramImage,
  imageFile,
  jujuImage,
  pauseImage,
  provideDebianImage,
  provideProgramImage,
} from './images.ts';
import { computeKey } from './keys.ts';
import { createLane, runTogether } from './lane.ts';
import { getPlatform, type Platform } from './machine.ts';
import { ensurePackages, machinePackages } from './packages.ts';
import {
  type Program,
  pauseRecipe,
  programRecipes,
  provideProgram,
  readProgram,
} from './programs.ts';
import type { Progress } from './progress.ts';
import type { Part, Workshop } from './workshop.ts';

export interface ImageArchives {
  readonly pause: string;
  readonly jujud: string;
  readonly charmBase: string;
  readonly workload: string;
}

export interface ImageNames {
  readonly pause: string;
  readonly jujud: string;
  /** One archive under several names: the charm bases that Juju may ask for. */
  readonly charmBase: readonly string[];
  readonly workload: string;
}

export interface Artifacts {
  /** Changes when any part changes: state made with one key does not fit another. */
  readonly key: string;
  /** One folder with every program. */
  readonly binDir: string;
  /** Paths of image archives for `ctr images import`. */
  readonly images: ImageArchives;
  /** The names, with tags, that the archives import as. */
  readonly imageNames: ImageNames;
}

export const imageNames: ImageNames = {
  pause: firstOf(pauseImage.imageNames),
  jujud: firstOf(jujuImage.imageNames),
  charmBase: charmBase.imageNames,
  workload: firstOf(workload.imageNames),
};

/** Everything that has to be there, with its keys; reading it changes nothing. */
export interface Plan {
  readonly programs: readonly Program[];
  readonly pause: Program;
  readonly controller: ControllerAgent;
  readonly images: Readonly<Record<keyof ImageArchives, Part>>;
  /** The whole: links to all the others. */
  readonly whole: Part;
}

interface Tools {
  readonly cache: Cache;
  readonly progress: Progress;
  readonly platform: Platform;
}

const imageKinds = ['pause', 'jujud', 'charmBase', 'workload'] as const;

/** Builds what is missing and returns where everything is. */
export async function ensureArtifacts(progress: Progress): Promise<Artifacts> {
  const cache = openCache();
  const platform = getPlatform();
  const logFile = cache.logFile('packages');
  await ensurePackages({ packages: machinePackages, progress, logFile });
  const plan = await readPlan(platform);
  const folder =
    (await cache.find(plan.whole.id)) ?? (await buildAll({ cache, progress, platform }, plan));
  return describe(folder, plan);
}

/** Reads the recipes and computes the key of each part. */
export async function readPlan(platform: Platform): Promise<Plan> {
  const read = await Promise.all(
    programRecipes.map(async (recipe) => await readProgram(recipe, platform)),
  );
  const programs = read.filter((program) => program !== undefined);
  const pause = await readProgram(pauseRecipe, platform);
  if (pause === undefined) throw new Error('cannot build the pause image: its program is missing');
  const controller = await readControllerAgent(platform);
  const images = describeImages({ programs, pause, controller, platform });
  const parts = [...programs, controller.agent, ...Object.values(images)];
  const key = computeKey(parts.map((part) => part.id.key));
  return {
    programs,
    pause,
    controller,
    images,
    whole: { id: { name: 'artifacts', key }, title: 'one folder of it all' },
  };
}

/** The cache entries that a plan consists of, but for the Go toolchain. */
export function listEntries({
  programs,
  pause,
  controller,
  images,
  whole,
}: Plan): readonly EntryId[] {
  const { compiler, agent } = controller;
  const parts = [...programs, pause, compiler, agent, ...Object.values(images), whole];
  return parts.map((part) => part.id);
}

function describeImages(
  made: Omit<Plan, 'images' | 'whole'> & { readonly platform: Platform },
): Plan['images'] {
  const { platform, programs, controller, pause } = made;
  const charmBasePart = describeDebianImage(charmBase, platform);
  const inJujuImage = programs.filter(isInJujuImage).map((program) => program.id.key);
  return {
    pause: describeProgramImage(pauseImage, [pause.id.key], platform),
    charmBase: charmBasePart,
    jujud: describeProgramImage(
      jujuImage,
      [charmBasePart.id.key, controller.agent.id.key, ...inJujuImage],
      platform,
    ),
    workload: describeDebianImage(workload, platform),
  };
}

async function buildAll(tools: Tools, plan: Plan): Promise<string> {
  const { cache } = tools;
  if (process.getuid?.() !== 0) throw new Error('cannot build the local cloud: not root');
  await cache.removeLeftovers();
  const go = await ensureGo(tools);
  const stopping = new AbortController();
  const lanes = { download: createLane(), compile: createLane(), debian: createLane() };
  const workshop: Workshop = { ...tools, go, lanes, signal: stopping.signal };
  const works = createWorks(workshop, plan);
  await runTogether(Object.values(works).flat(), () => stopping.abort());
  return await cache.ensure(plan.whole.id, async (folder) => {
    await linkPrograms(folder, await Promise.all([works.controller(), ...works.programs.map(run)]));
    await linkImages(folder, cache, plan);
  });
}

/** Every part's work; the order is that of starting, and each work is done once however often asked. */
function createWorks(workshop: Workshop, plan: Plan) {
  const controller = once(async () => await provideControllerAgent(workshop, plan.controller));
  const inJuju: Work[] = [controller];
  const programs = plan.programs.map((program) => {
    const work = once(async () => await provideProgram(workshop, program));
    if (isInJujuImage(program)) inJuju.push(work);
    return work;
  });
  const { images } = plan;
  const base = once(async () => await provideDebianImage(workshop, images.charmBase, charmBase));
  const rock = async () => await provideDebianImage(workshop, images.workload, workload);
  const pause = async () => {
    const sources = await listPrograms([await provideProgram(workshop, plan.pause)]);
    return await provideProgramImage(workshop, images.pause, { image: pauseImage, sources });
  };
  const juju = async () => {
    const sources = await listPrograms(await Promise.all(inJuju.map(run)));
    const baseArchive = path.join(await base(), imageFile);
    return await provideProgramImage(workshop, images.jujud, {
      image: jujuImage,
      sources,
      baseArchive,
    });
  };
  return { controller, programs, images: [base, rock, pause, juju] };
}

function isInJujuImage(program: Program): boolean {
  return program.recipe.programs.some((name) => name in jujuImage.programs);
}

/** Program names to files, of folders with nothing but programs in them. */
async function listPrograms(folders: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const files: Record<string, string> = {};
  for (const folder of folders) {
    for (const name of await readdir(folder)) files[name] = path.join(folder, name);
  }
  return files;
}

async function linkPrograms(folder: string, programFolders: readonly string[]): Promise<void> {
  const binDir = path.join(folder, 'bin');
  await mkdir(binDir);
  const files = await listPrograms(programFolders);
  for (const [name, file] of Object.entries(files)) await link(file, path.join(binDir, name));
}

async function linkImages(folder: string, cache: Cache, plan: Plan): Promise<void> {
  const { images } = describe(folder, plan);
  await mkdir(path.join(folder, 'images'));
  for (const kind of imageKinds) {
    const made = await cache.find(plan.images[kind].id);
    if (made === undefined) throw new Error(`cannot find the image "${kind}" after building it`);
    await link(path.join(made, imageFile), images[kind]);
  }
}

function describe(folder: string, plan: Plan): Artifacts {
  const archive = (kind: keyof ImageArchives) => path.join(folder, 'images', `${kind}.tar`);
  return {
    key: plan.whole.id.key,
    binDir: path.join(folder, 'bin'),
    images: {
      pause: archive('pause'),
      jujud: archive('jujud'),
      charmBase: archive('charmBase'),
      workload: archive('workload'),
    },
    imageNames,
  };
}

type Work = () => Promise<string>;

async function run(work: Work): Promise<string> {
  return await work();
}

/** Does the work when first asked and gives the same result ever after. */
function once(work: Work): Work {
  let result: Promise<string> | undefined;
  return async () => {
    result ??= work();
    return await result;
  };
}

function firstOf(names: readonly string[]): string {
  const [first] = names;
  if (first === undefined) throw new Error('cannot name an image: its recipe has no names');
  return first;
}
