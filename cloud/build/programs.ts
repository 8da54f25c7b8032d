/**
 * The Go programs of the local cloud, as a table, and how one is compiled: first its modules are
 * downloaded, then, in its turn, it is compiled. The controller agent, which needs C libraries, is
 * in `controller-agent.ts`.
 */

import path from 'node:path';

import { isPresent } from './file-presence.ts';
import { goFlags, goVersion } from './go-toolchain.ts';
import { computeKey, readSources } from './keys.ts';
import { type Platform, programsFolder } from './machine.ts';
import { captureOutput, runLogged } from './process.ts';
import { type Making, type Part, providePart, type Workshop } from './workshop.ts';

export interface ProgramRecipe {
  readonly name: string;
  readonly title: string;
  /** Folder below `cloud/` with the go.mod and go.sum that pin everything. */
  readonly module: string;
  /** The main packages, and the programs that they become, in the same order. */
  readonly packages: readonly string[];
  readonly programs: readonly string[];
  readonly tags?: readonly string[];
  /** Builds inside this module's own source, because its `replace` lines matter. */
  readonly insideModule?: string;
  /** A variable that the linker sets to the pinned version of a module. */
  readonly versionVariable?: { readonly variable: string; readonly module: string };
  /** Left out while its folder is not there. */
  readonly optional?: boolean;
}

export interface Program extends Part {
  readonly recipe: ProgramRecipe;
  readonly goMod: string;
}

const stripped = '-s -w';

export const jujuModule = 'github.com/juju/juju';
export const jujuTags: readonly string[] = ['notest', 'minimal', 'provider_kubernetes'];

const kubernetesPrograms = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'kubectl',
];

/** In the order in which they are compiled. */
export const programRecipes: readonly ProgramRecipe[] = [
  {
    name: 'pebble',
    title: 'Pebble',
    module: 'pebble',
    packages: ['github.com/canonical/pebble/cmd/pebble'],
    programs: ['pebble'],
  },
  {
    name: 'juju',
    title: 'Juju client and agents',
    module: 'juju',
    packages: ['./cmd/juju', './cmd/jujuc', './cmd/containeragent'],
    programs: ['juju', 'jujuc', 'containeragent'],
    tags: jujuTags,
    insideModule: jujuModule,
  },
  {
    name: 'kubernetes',
    title: 'Kubernetes',
    module: 'kubernetes',
    packages: kubernetesPrograms.map((program) => `k8s.io/kubernetes/cmd/${program}`),
    programs: kubernetesPrograms,
    versionVariable: {
      variable: 'k8s.io/component-base/version.gitVersion',
      module: 'k8s.io/kubernetes',
    },
  },
  {
    name: 'coredns',
    title: 'CoreDNS',
    module: 'coredns',
    packages: ['.'],
    programs: ['coredns'],
  },
  {
    name: 'provisioner',
    title: 'volume provisioner',
    module: 'provisioner',
    packages: ['.'],
    programs: ['provisioner'],
    optional: true,
  },
  {
    name: 'versitygw',
    title: 'S3 server',
    module: 's3',
    packages: ['github.com/versity/versitygw/cmd/versitygw'],
    programs: ['versitygw'],
  },
  {
    name: 'charm-check',
    title: 'charm checker',
    module: 'charm-check',
    packages: ['.'],
    programs: ['charm-check'],
  },
];

export const pauseRecipe: ProgramRecipe = {
  name: 'pause',
  title: 'pause program',
  module: 'pause',
  packages: ['.'],
  programs: ['pause'],
};

/** Reads what pins a program; undefined for an optional one that is not there. */
export async function readProgram(
  recipe: ProgramRecipe,
  platform: Platform,
): Promise<Program | undefined> {
  const folder = path.join(programsFolder, recipe.module);
  if (recipe.optional === true && !(await isPresent(folder))) return undefined;
  const sources = await readSources(folder);
  const goMod = sources['go.mod'];
  if (goMod === undefined) {
    if (recipe.optional === true) return undefined;
    throw new Error(`cannot build ${recipe.title}: cloud/${recipe.module} has no go.mod`);
  }
  const { title, optional: _, ...inputs } = recipe;
  const key = computeKey({ recipe: inputs, sources, goFlags, goVersion, platform: platform.name });
  return { id: { name: recipe.name, key }, title, recipe, goMod };
}

/** The folder with the compiled programs. */
export async function provideProgram(workshop: Workshop, program: Program): Promise<string> {
  const present = await workshop.cache.find(program.id);
  if (present !== undefined) return present;
  const source = await fetchModules(workshop, program);
  return await workshop.lanes.compile.run(async () => {
    return await providePart(workshop, program, async (making) => {
      await compile(workshop, program, { ...making, source });
    });
  });
}

/** Downloads all that the packages import, and returns the folder to compile in. */
export async function fetchModules(workshop: Workshop, program: Program): Promise<string> {
  const { go, signal } = workshop;
  const { recipe } = program;
  const logFile = workshop.cache.logFile(`${recipe.name}-modules`);
  const format = ['-f', '{{with .Error}}{{.}}{{end}}'];
  const args = ['list', '-deps', ...format, ...tagArgs(recipe), ...recipe.packages];
  return await workshop.lanes.download.run(async () => {
    signal.throwIfAborted();
    return await workshop.progress.step(`${program.title}: modules`, logFile, async () => {
      const cwd = await locateSource(workshop, program);
      await runLogged({ file: go.program, args, cwd, env: go.env, logFile, signal });
      return cwd;
    });
  });
}

/** The version that a go.mod pins a module to. */
export function parseModuleVersion(goMod: string, module: string): string {
  for (const line of goMod.split('\n')) {
    const [name, version] = line
      .replace(/^require\s/, '')
      .trim()
      .split(/\s+/);
    if (name === module && version?.startsWith('v') === true) return version;
  }
  throw new Error(`cannot find the version of "${module}": its go.mod does not require it`);
}

async function locateSource(workshop: Workshop, { recipe, goMod }: Program): Promise<string> {
  const moduleFolder = path.join(programsFolder, recipe.module);
  if (recipe.insideModule === undefined) return moduleFolder;
  const { go, signal } = workshop;
  const version = parseModuleVersion(goMod, recipe.insideModule);
  const args = ['mod', 'download', '-json', `${recipe.insideModule}@${version}`];
  const output = await captureOutput({
    file: go.program,
    args,
    cwd: moduleFolder,
    env: go.env,
    signal,
  });
  return readField(output, 'Dir');
}

async function compile(
  workshop: Workshop,
  program: Program,
  making: Making & { readonly source: string },
): Promise<void> {
  const { go, signal } = workshop;
  const { recipe } = program;
  const { folder, logFile, source: cwd } = making;
  const [single] = recipe.programs;
  const isSingle = recipe.programs.length === 1 && single !== undefined;
  const output = isSingle ? path.join(folder, single) : `${folder}/`;
  const flags = [...tagArgs(recipe), `-ldflags=${renderLinkerFlags(program)}`, '-o', output];
  const args = ['build', ...flags, ...recipe.packages];
  await runLogged({ file: go.program, args, cwd, env: go.env, logFile, signal });
}

function renderLinkerFlags({ recipe, goMod }: Program): string {
  if (recipe.versionVariable === undefined) return stripped;
  const { variable, module } = recipe.versionVariable;
  return `${stripped} -X ${variable}=${parseModuleVersion(goMod, module)}`;
}

function tagArgs(recipe: ProgramRecipe): readonly string[] {
  return recipe.tags === undefined ? [] : [`-tags=${recipe.tags.join(',')}`];
}

function readField(json: string, field: string): string {
  const parsed: unknown = JSON.parse(json);
  if (typeof parsed === 'object' && parsed !== null) {
    const value: unknown = Reflect.get(parsed, field);
    if (typeof value === 'string') return value;
  }
  throw new Error(`cannot read what Go said about a module: it has no field "${field}"`);
}
