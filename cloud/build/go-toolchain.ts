/**
 * The Go that everything is compiled with. A present Go that is new enough is used; otherwise any
 * Go (Debian's, when there is none) fetches the pinned toolchain, which Go's module proxy serves as
 * a module. Its checksums are in `cloud/programs/toolchain/go.sum`, so no checksum database is needed.
 */

import { chmod, mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';

import type { Cache } from './cache.ts';
import { isPresent } from './file-presence.ts';
import { computeKey, readSources } from './keys.ts';
import { type Environment, getEnvironment, type Platform, programsFolder } from './machine.ts';
import { ensurePackages } from './packages.ts';
import { captureOutput, runLogged } from './process.ts';
import type { Progress } from './progress.ts';

export interface GoToolchain {
  /** Path of the `go` program. */
  readonly program: string;
  /** The whole environment that it runs in: the user's own settings cannot change what is built. */
  readonly env: Environment;
}

export interface ToolchainRequest {
  readonly cache: Cache;
  readonly progress: Progress;
  readonly platform: Platform;
}

/** The Go version that the pinned modules need. */
export const goVersion = '1.26.8';

/** The linker drops debug information anyway: not making it saves a tenth of the compile time. */
export const goFlags = '-mod=readonly -trimpath -buildvcs=false -gcflags=all=-dwarf=false';

const installFolders = ['/usr/local/go/bin', '/usr/lib/go/bin'];

/** These would change what is built; where modules come from is the user's business and stays. */
const droppedVariables = [
  'CC',
  'CGO_CFLAGS',
  'CGO_LDFLAGS',
  'GO111MODULE',
  'GOAMD64',
  'GOARCH',
  'GOARM64',
  'GODEBUG',
  'GOEXPERIMENT',
  'GOOS',
  'GOROOT',
];

/** Finds or fetches a Go toolchain. */
export async function ensureGo(request: ToolchainRequest): Promise<GoToolchain> {
  const present = await findGo();
  if (present !== undefined && isAtLeast(present.version, goVersion)) return describe(present.file);
  const id = { name: 'go', key: await computeToolchainKey(request.platform) };
  const logFile = request.cache.logFile('go');
  let folder = await request.cache.find(id);
  if (folder === undefined) {
    const fetcher = present?.file ?? (await installDebianGo(request));
    folder = await request.progress.step(`Go ${goVersion}`, logFile, async () => {
      return await request.cache.ensure(id, async (target) => {
        await fetchToolchain(fetcher, { target, logFile, platform: request.platform });
      });
    });
  }
  return describe(path.join(folder, 'bin', 'go'));
}

/** Compares versions such as 1.26.8 and 1.27rc1, number by number. */
export function isAtLeast(version: string, wanted: string): boolean {
  const numbers = version.split(/\D+/).map(Number);
  for (const [index, number] of wanted.split('.').map(Number).entries()) {
    const difference = (numbers[index] ?? 0) - number;
    if (difference !== 0) return difference > 0;
  }
  return true;
}

function describe(program: string): GoToolchain {
  const env: Record<string, string | undefined> = { ...getEnvironment() };
  for (const name of droppedVariables) delete env[name];
  return {
    program,
    env: {
      ...env,
      PATH: `${path.dirname(program)}:${env['PATH'] ?? '/usr/bin:/bin'}`,
      CGO_ENABLED: '0',
      GOFLAGS: goFlags,
      GOTOOLCHAIN: 'local',
      GOWORK: 'off',
    },
  };
}

interface PresentGo {
  readonly file: string;
  readonly version: string;
}

/** The first Go that is new enough; without one, the first of any age. */
async function findGo(): Promise<PresentGo | undefined> {
  const folders = [...(getEnvironment()['PATH'] ?? '').split(':'), ...installFolders];
  let outdated: PresentGo | undefined;
  for (const folder of new Set(folders.filter((name) => path.isAbsolute(name)))) {
    const file = path.join(folder, 'go');
    if (!(await isPresent(file))) continue;
    const version = await readGoVersion(file);
    if (version === undefined) continue;
    if (isAtLeast(version, goVersion)) return { file, version };
    outdated ??= { file, version };
  }
  return outdated;
}

async function readGoVersion(file: string): Promise<string | undefined> {
  const env = { ...getEnvironment(), GOTOOLCHAIN: 'local' };
  const output = await captureOutput({ file, args: ['version'], env, cwd: '/' });
  return /go version go(\S+)/.exec(output)?.[1];
}

async function installDebianGo(request: ToolchainRequest): Promise<string> {
  const { cache, progress } = request;
  await ensurePackages({ packages: ['golang-go'], progress, logFile: cache.logFile('golang-go') });
  const installed = await findGo();
  if (installed === undefined) {
    throw new Error('cannot find Go: the package golang-go is installed but "go" is not there');
  }
  return installed.file;
}

async function fetchToolchain(
  fetcher: string,
  task: { target: string; logFile: string; platform: Platform },
): Promise<void> {
  const version = `v0.0.1-go${goVersion}.linux-${task.platform.name}`;
  const modules = path.join(task.target, 'modules');
  await mkdir(modules);
  await runLogged({
    file: fetcher,
    args: ['mod', 'download', '-json', `golang.org/toolchain@${version}`],
    cwd: path.join(programsFolder, 'toolchain'),
    env: {
      ...describe(fetcher).env,
      GOFLAGS: '-modcacherw',
      GOMODCACHE: modules,
    },
    logFile: task.logFile,
  });
  const source = path.join(modules, 'golang.org', `toolchain@${version}`);
  for (const name of await readdir(source)) {
    await rename(path.join(source, name), path.join(task.target, name));
  }
  await rm(modules, { recursive: true });
  await makeProgramsExecutable(task.target);
}

/** Module archives carry no file modes. */
async function makeProgramsExecutable(root: string): Promise<void> {
  for (const folder of ['bin', path.join('pkg', 'tool')]) {
    const entries = await readdir(path.join(root, folder), {
      recursive: true,
      withFileTypes: true,
    });
    for (const entry of entries) {
      if (entry.isFile()) await chmod(path.join(entry.parentPath, entry.name), 0o755);
    }
  }
}

async function computeToolchainKey(platform: Platform): Promise<string> {
  const sources = await readSources(path.join(programsFolder, 'toolchain'));
  return computeKey({ goVersion, platform: platform.name, sources });
}
