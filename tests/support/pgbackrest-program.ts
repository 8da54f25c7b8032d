// A real pgBackRest for contract tests: a server that archives into a repository in a folder, and the
// program behind Pebble's `exec`, run as the server's own user.

import {
  chmod,
  chown,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  statfs,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';

import { execa } from 'execa';

import { makeTemporaryFolder } from './child-server.ts';
import { ensurePackage } from './debian-package.ts';
import {
  createFakePebble,
  type ExecAnswer,
  type ExecCall,
  type FakePebble,
} from './fake-pebble.ts';
import { type PostgresServer, startPostgresServer } from './postgres-server.ts';

export interface PgbackrestProgram {
  /** Its configuration file, for whoever runs the program another way. */
  readonly config: string;
  readonly server: PostgresServer;
  /** Runs `pgbackrest` with the lab's configuration; knows no other program. */
  readonly pebble: FakePebble;
  /** Path of the repository, in its folder or, with lines that say so, in a bucket. */
  readonly repository: string;
  /** A folder for what a test makes, which the program may write into. */
  readonly scratch: string;
  /** Begins with an empty repository again. */
  empty(): Promise<void>;
  /** Lines to add to `[global]`. */
  configure(lines: readonly string[]): Promise<void>;
  /** Files of the repository, by their paths in it. */
  files(): Promise<readonly string[]>;
  /** Turns one bit in the middle of a file of the repository. */
  damage(path: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Writes a file into the repository, as pgBackRest would. */
  write(path: string, text: string): Promise<void>;
  stop(): Promise<void>;
}

export interface PgbackrestOptions {
  /** For backups that take their time. */
  readonly onDisk?: true;
}

export async function startPgbackrest(
  stanza: string,
  { onDisk }: PgbackrestOptions = {},
): Promise<PgbackrestProgram> {
  await ensurePgbackrest();
  const parent = onDisk === true ? tmpdir() : await findQuickFolder();
  const folder = await makeTemporaryFolder('pgbackrest', parent);
  const owner = await stat(folder.path);
  const identity = process.getuid?.() === 0 ? await findPostgres() : owner;
  const [config, repository] = [join(folder.path, 'pgbackrest.conf'), join(folder.path, 'repo')];
  const makeOwn = async (path: string): Promise<void> => {
    await mkdir(path, { recursive: true });
    await chown(path, identity.uid, identity.gid);
  };
  for (const path of [folder.path, repository]) await makeOwn(path);
  const server = await startPostgresServer({
    archive_mode: 'on',
    archive_command: `pgbackrest --config=${config} --stanza=${stanza} archive-push %p`,
  });
  const configure = async (lines: readonly string[]): Promise<void> => {
    await writeFile(config, describe({ repository, server, stanza, locks: folder.path, lines }));
    await chmod(config, 0o644);
  };
  await configure([]);

  const respond = async (command: readonly string[]): Promise<ExecAnswer> => {
    const [program = '', ...args] = command;
    const { exitCode, stdout, stderr } = await execa(program, args, {
      uid: identity.uid,
      gid: identity.gid,
      cwd: folder.path,
      env: { PGBACKREST_CONFIG: config, LC_ALL: 'C.UTF-8' },
      reject: false,
      stripFinalNewline: false,
    });
    return { exitCode: exitCode ?? -1, stdout, stderr };
  };
  const respondTo = (program: string) => ({
    command: [program],
    respond: async ({ command }: ExecCall) => await respond(command),
  });
  return {
    repository,
    scratch: folder.path,
    config,
    server,
    files: async () => await listFiles(repository),
    damage: async (path) => {
      const content = await readFile(join(repository, path));
      const middle = Math.floor(content.length / 2);
      content[middle] = (content[middle] ?? 0) ^ 1;
      await writeFile(join(repository, path), content);
    },
    remove: async (path) => {
      await rm(join(repository, path));
    },
    pebble: createFakePebble({
      container: 'postgresql',
      // The latter runs pgBackRest where it has time.
      execs: [respondTo('pgbackrest'), respondTo('nice')],
      state: { users: { postgres: 'postgres' } },
    }),
    empty: async () => {
      await rm(repository, { recursive: true, force: true });
      await makeOwn(repository);
    },
    configure,
    write: async (path, text) => {
      await writeFile(join(repository, path), text);
      await chown(join(repository, path), identity.uid, identity.gid);
    },
    stop: async () => {
      await server.stop();
      await folder.remove();
    },
  };
}

/** In memory where there is plenty: pgBackRest has each of its files written to the disk at once. */
async function findQuickFolder(): Promise<string> {
  const memory = '/dev/shm';
  const { bavail, bsize } = await statfs(memory).catch(() => ({ bavail: 0, bsize: 0 }));
  return bavail * bsize > 2e9 ? memory : tmpdir();
}

async function listFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .toSorted();
}

interface Description {
  readonly repository: string;
  readonly server: PostgresServer;
  readonly stanza: string;
  readonly locks: string;
  readonly lines: readonly string[];
}

function describe({ repository, server, stanza, locks, lines }: Description): string {
  const socket = dirname(server.socket);
  return [
    '[global]',
    `repo1-path=${repository}`,
    `lock-path=${locks}`,
    `spool-path=${locks}`,
    'log-level-file=off',
    'log-level-stderr=warn',
    'start-fast=y',
    // What cannot be read is tried again at once, and once more after so many seconds instead of 15.
    'job-retry-interval=1',
    ...lines,
    `[${stanza}]`,
    `pg1-path=${join(socket, 'data')}`,
    `pg1-socket-path=${socket}`,
    `pg1-port=${server.port}`,
    `pg1-user=${server.user}`,
    'pg1-database=postgres',
    '',
  ].join('\n');
}

/** Installs Debian's package where it is missing. */
export async function ensurePgbackrest(): Promise<void> {
  await ensurePackage('pgbackrest', async () => {
    const { exitCode } = await execa('pgbackrest', ['version'], { reject: false });
    return exitCode === 0;
  });
}

async function findPostgres(): Promise<{ readonly uid: number; readonly gid: number }> {
  const users = await readFile('/etc/passwd', 'utf8');
  const [, , uid, gid] = users.match(/^postgres:.*$/mu)?.[0].split(':') ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}
