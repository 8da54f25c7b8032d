// A real pgBackRest for contract tests: a server that archives into a repository in a folder, and the
// program behind Pebble's `exec`, run as the server's own user.

import { chmod, chown, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { execa } from 'execa';

import { makeTemporaryFolder } from './child-server.ts';
import { createFakePebble, type ExecAnswer, type FakePebble } from './fake-pebble.ts';
import { type PostgresServer, startPostgresServer } from './postgres-server.ts';

export interface PgbackrestProgram {
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
  /** Writes a file into the repository, as pgBackRest would. */
  write(path: string, text: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startPgbackrest(stanza: string): Promise<PgbackrestProgram> {
  await ensureInstalled();
  const folder = await makeTemporaryFolder('pgbackrest');
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
  return {
    repository,
    scratch: folder.path,
    pebble: createFakePebble({
      container: 'postgresql',
      execs: [{ command: ['pgbackrest'], respond: async ({ command }) => await respond(command) }],
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
async function ensureInstalled(): Promise<void> {
  const { exitCode } = await execa('pgbackrest', ['version'], { reject: false });
  if (exitCode === 0) return;
  const options = { env: { DEBIAN_FRONTEND: 'noninteractive' }, timeout: 300_000 };
  await execa('apt-get', ['update', '--quiet'], options);
  await execa('apt-get', ['install', '--yes', '--quiet', 'pgbackrest'], options);
}

async function findPostgres(): Promise<{ readonly uid: number; readonly gid: number }> {
  const users = await readFile('/etc/passwd', 'utf8');
  const [, , uid, gid] = users.match(/^postgres:.*$/mu)?.[0].split(':') ?? [];
  return { uid: Number(uid), gid: Number(gid) };
}
