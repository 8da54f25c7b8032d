// What is in the workload image, and the directories that PostgreSQL needs. The image may be
// anybody's: versions and libraries are looked up, not assumed.

import { CodedError } from '../../lib/base/error.ts';
import { dataDirectory, logDirectory, storageRoot, workloadUser } from '../core/names.ts';
import { launcherScripts } from '../core/render/launcher.ts';
import { scripts } from '../core/render/watcher.ts';
import { watcherFiles, watcherFolder } from '../core/render/watcher-program.ts';
import type { PostgresqlHook } from './cluster.ts';

const versionsDirectory = '/usr/lib/postgresql';
const owner = { user: workloadUser, group: workloadUser } as const;

export interface WorkloadFacts {
  /** `/usr/lib/postgresql/17/bin` */
  readonly binDir: string;
  /** Libraries to preload, of those that are wanted, that the image has. */
  readonly preloadLibraries: readonly string[];
}

const wantedLibraries = ['timescaledb', 'pgaudit', 'pg_stat_statements'] as const;

/** Looks into the image; the newest server version counts. */
export async function readWorkload(hook: PostgresqlHook): Promise<WorkloadFacts> {
  const { pebble } = hook.ports;
  const majors = (await pebble.list(versionsDirectory))
    .filter(({ type, name }) => type === 'directory' && /^\d+$/.test(name))
    .map(({ name }) => Number(name));
  if (majors.length === 0) {
    throw new CodedError(`cannot find PostgreSQL: nothing in "${versionsDirectory}"`, {
      code: 'no-postgresql',
      hint: 'Deploy with an image that has PostgreSQL in it.',
    });
  }
  const root = `${versionsDirectory}/${Math.max(...majors)}`;
  const libraries = new Set((await pebble.list(`${root}/lib`, '*.so')).map(({ name }) => name));
  return {
    binDir: `${root}/bin`,
    preloadLibraries: wantedLibraries.filter((library) => libraries.has(`${library}.so`)),
  };
}

/** Version of the server in the image, for `juju status`. */
export async function readVersion(
  hook: PostgresqlHook,
  binDir: string,
): Promise<string | undefined> {
  const result = await hook.ports.pebble.exec([`${binDir}/postgres`, '--version'], {
    timeoutMs: 10_000,
  });
  return /\b(\d+(?:\.\d+)+)/.exec(result.stdout)?.[1];
}

/** Makes data and log directories, owned by the server's user. */
export async function ensureDirectories(hook: PostgresqlHook): Promise<void> {
  const { pebble } = hook.ports;
  const root = await pebble.stat(storageRoot);
  if (root?.user !== workloadUser) {
    const result = await pebble.exec(['chown', `${workloadUser}:${workloadUser}`, storageRoot], {
      timeoutMs: 10_000,
    });
    if (result.exitCode !== 0) {
      throw new CodedError(`cannot give "${storageRoot}" to ${workloadUser}: ${result.stderr}`, {
        code: 'chown-failed',
      });
    }
  }
  for (const [path, mode] of [
    [dataDirectory, '0700'],
    [logDirectory, '0750'],
  ] as const) {
    if ((await pebble.stat(path)) === undefined) {
      await pebble.makeDir(path, { makeDirs: true, mode, ...owner });
    }
  }
}

/** Puts the charm's own programs in place. */
export async function ensureScripts(hook: PostgresqlHook): Promise<void> {
  for (const [path, content] of Object.entries({ ...scripts, ...launcherScripts })) {
    await pushIfChanged(hook, { path, content, mode: '0755' });
  }
  await ensureWatcher(hook);
}

/** A file that is in the folder of this version is this version's: Pebble writes all of one, or none. */
async function ensureWatcher({ ports: { pebble } }: PostgresqlHook): Promise<void> {
  const folder = watcherFolder();
  await pebble.makeDir(folder, { makeDirs: true });
  const present = new Set((await pebble.list(folder)).map(({ name }) => name));
  for (const [name, content] of Object.entries(watcherFiles)) {
    if (present.has(name)) continue;
    await pebble.push(`${folder}/${name}`, content, { mode: '0644' });
  }
}

export interface WorkloadFile {
  readonly path: string;
  readonly content: string;
  readonly mode: string;
  readonly user?: string;
  readonly group?: string;
}

/** Writes the file unless it has this content already; says whether it wrote. */
export async function pushIfChanged(hook: PostgresqlHook, file: WorkloadFile): Promise<boolean> {
  const { path, content, ...ownership } = file;
  if ((await hook.ports.pebble.pull(path)) === content) return false;
  await hook.ports.pebble.push(path, content, { makeDirs: true, ...ownership });
  return true;
}
