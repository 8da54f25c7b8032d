/**
 * Juju's controller agent. It needs dqlite in C, newer than the one of Debian's stable release, so
 * it is compiled inside an unpacked testing release and linked statically: the result runs on any
 * Linux and its image needs no library. The root serves as compiler only; it never starts anything.
 */

import { mkdir } from 'node:fs/promises';
import path from 'node:path';

import { type DebianRoot, makeDebianRoot } from './debian-root.ts';
import { goFlags, goVersion } from './go-toolchain.ts';
import { computeKey, readSources } from './keys.ts';
import { type Platform, programsFolder } from './machine.ts';
import { captureOutput, runIsolated } from './process.ts';
import {
  fetchModules,
  jujuModule,
  jujuTags,
  type Program,
  type ProgramRecipe,
} from './programs.ts';
import { type Making, type Part, providePart, type Workshop } from './workshop.ts';

/** Everything that the controller agent is compiled with and linked to. */
const compilerRoot: DebianRoot = {
  suite: 'forky',
  variant: 'extract',
  packages: ['base-files', 'gcc', 'libc6-dev', 'libdqlite-dev', 'libsqlite3-dev', 'pkgconf'],
};

const agentRecipe: ProgramRecipe = {
  name: 'controller-agent',
  title: 'Juju controller agent',
  module: 'juju',
  packages: ['./cmd/jujuagentd'],
  programs: ['jujuagentd'],
  // The last two keep the C library's name look-ups, which cannot be linked statically, out.
  tags: [...jujuTags, 'dqlite', 'libsqlite3', 'osusergo', 'netgo'],
  insideModule: jujuModule,
};

const linkerFlags =
  '-s -w -linkmode=external -extldflags "-static -Wl,--start-group -ldqlite -luv -llz4 -lxxhash -lsqlite3 -lm -Wl,--end-group"';

/** The Go bindings of dqlite pass these to the linker; Go wants them allowed by name. */
const allowedLinkerFlags = '(-Wl,-wrap,pthread_create)|(-Wl,-z,now)';

/** Where things of this machine appear inside the root. */
const mountPoints = {
  go: '/opt/go',
  modules: '/opt/modules',
  cache: '/opt/cache',
  out: '/opt/out',
};

/** Arguments: the root, then pairs of a folder and where in the root it appears, `--`, the command. */
const enterRootScript = `
root=$1; shift
while [ "$1" != -- ]; do mount --bind "$1" "$root$2"; shift 2; done
shift
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
exec chroot "$root" "$@"
`;

export interface ControllerAgent {
  readonly compiler: Part;
  readonly agent: Program;
}

export async function readControllerAgent(platform: Platform): Promise<ControllerAgent> {
  const sources = await readSources(path.join(programsFolder, agentRecipe.module));
  const compilerInputs = {
    ...compilerRoot,
    users: undefined,
    mountPoints,
    platform: platform.name,
  };
  const compiler = {
    id: { name: 'compiler', key: computeKey(compilerInputs) },
    title: 'compiler for the controller agent',
  };
  const { title, optional: _, ...recipe } = agentRecipe;
  const key = computeKey({
    recipe,
    sources,
    linkerFlags,
    goFlags,
    goVersion,
    compiler: compiler.id.key,
  });
  const agent = {
    id: { name: agentRecipe.name, key },
    title,
    recipe: agentRecipe,
    goMod: sources['go.mod'] ?? '',
  };
  return { compiler, agent };
}

/** The folder with the compiled controller agent. */
export async function provideControllerAgent(
  workshop: Workshop,
  { compiler, agent }: ControllerAgent,
): Promise<string> {
  // Nothing is awaited before this: the first in the lane is the one that others wait for longest.
  const { present, root } = await workshop.lanes.debian.run(async () => {
    const found = await workshop.cache.find(agent.id);
    if (found !== undefined) return { present: found, root: '' };
    return { present: undefined, root: await provideCompiler(workshop, compiler) };
  });
  if (present !== undefined) return present;
  const source = await fetchModules(workshop, agent);
  return await workshop.lanes.compile.run(async () => {
    return await providePart(workshop, agent, async (making) => {
      await compileInRoot(workshop, { ...making, root, source });
    });
  });
}

async function provideCompiler(workshop: Workshop, compiler: Part): Promise<string> {
  return await providePart(workshop, compiler, async ({ folder, logFile }) => {
    await makeDebianRoot(compilerRoot, { folder, logFile, signal: workshop.signal });
    for (const mountPoint of Object.values(mountPoints)) {
      await mkdir(path.join(folder, mountPoint), { recursive: true });
    }
  });
}

async function compileInRoot(
  workshop: Workshop,
  task: Making & { readonly root: string; readonly source: string },
): Promise<void> {
  const outside = await readGoFolders(workshop);
  const binds = [
    [outside.GOROOT, mountPoints.go],
    [outside.GOMODCACHE, mountPoints.modules],
    [outside.GOCACHE, mountPoints.cache],
    [task.folder, mountPoints.out],
  ].flat();
  const source = path.join(mountPoints.modules, path.relative(outside.GOMODCACHE, task.source));
  const build = [
    '-C',
    source,
    `-tags=${agentRecipe.tags?.join(',') ?? ''}`,
    `-ldflags=${linkerFlags}`,
    '-o',
    `${mountPoints.out}/`,
    ...agentRecipe.packages,
  ];
  await runIsolated({
    file: 'sh',
    args: [
      '-eu',
      '-c',
      enterRootScript,
      'sh',
      task.root,
      ...binds,
      '--',
      `${mountPoints.go}/bin/go`,
      'build',
      ...build,
    ],
    env: {
      CGO_ENABLED: '1',
      CGO_LDFLAGS_ALLOW: allowedLinkerFlags,
      GOCACHE: mountPoints.cache,
      GOFLAGS: goFlags,
      GOMODCACHE: mountPoints.modules,
      GOPROXY: 'off',
      GOTOOLCHAIN: 'local',
      HOME: '/tmp',
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    },
    logFile: task.logFile,
    signal: workshop.signal,
  });
}

async function readGoFolders(
  workshop: Workshop,
): Promise<Record<'GOROOT' | 'GOMODCACHE' | 'GOCACHE', string>> {
  const { go } = workshop;
  const output = await captureOutput({
    file: go.program,
    args: ['env', 'GOROOT', 'GOMODCACHE', 'GOCACHE'],
    cwd: programsFolder,
    env: go.env,
  });
  const [GOROOT = '', GOMODCACHE = '', GOCACHE = ''] = output.split('\n');
  await mkdir(GOCACHE, { recursive: true });
  return { GOROOT, GOMODCACHE, GOCACHE };
}
