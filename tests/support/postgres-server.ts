// A real PostgreSQL server for integration tests: its own cluster in a temporary folder, a free
// port, run as the user `postgres` when we are root, which PostgreSQL refuses to be run by.

import { chown, glob, readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname, join } from 'node:path';

import { execa } from 'execa';

import { Secret } from '../../lib/base/secret.ts';
import { type Certificate, makeCertificate } from './certificate.ts';
import { makeTemporaryFolder, startChildServer } from './child-server.ts';
import { ensurePackage } from './debian-package.ts';
import { findFreePort } from './free-port.ts';

export interface PostgresServer {
  readonly host: string;
  readonly port: number;
  /** The superuser, as Patroni makes it. */
  readonly user: string;
  readonly password: Secret;
  readonly database: string;
  /** Of the unix socket, through which the server's own user of the system may be the superuser. */
  readonly socket: string;
  /** The server's own user of the system. */
  readonly systemUser: string;
  /** Folder of `psql` and its like. */
  readonly binaries: string;
  /** Connections may be encrypted. */
  readonly certificate: Certificate;
  log(): string;
  stop(): Promise<void>;
}

/** Starts a server that asks everybody for a SCRAM password and logs every statement. */
export async function startPostgresServer(
  parameters: Readonly<Record<string, string>> = {},
): Promise<PostgresServer> {
  const binaries = await ensureBinaries();
  const folder = await makeTemporaryFolder('postgres');
  const identity = await findIdentity();
  const options = { ...identity, cwd: folder.path, env: { LC_ALL: 'C.UTF-8' } };
  const [data, passwordFile] = [join(folder.path, 'data'), join(folder.path, 'password')];
  const password = new Secret('integration');
  await writeFile(passwordFile, password.reveal());
  const certificate = await makeCertificate(folder.path);
  if (identity !== undefined) {
    for (const path of [folder.path, certificate.keyFile, certificate.certificateFile]) {
      await chown(path, identity.uid, identity.gid);
    }
  }

  await execa(
    join(binaries, 'initdb'),
    [
      '--pgdata',
      data,
      '--username',
      'operator',
      '--no-sync',
      '--encoding',
      'UTF8',
      '--auth',
      'scram-sha-256',
      '--pwfile',
      passwordFile,
    ],
    options,
  );
  const systemUser = identity === undefined ? userInfo().username : 'postgres';
  await trustLocally(data, systemUser);
  const port = await findFreePort();
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: folder.path,
    fsync: 'off',
    ssl: 'on',
    ssl_cert_file: certificate.certificateFile,
    ssl_key_file: certificate.keyFile,
    log_statement: 'all',
    log_min_duration_statement: '0',
    ...parameters,
  };
  const server = await startChildServer({
    command: join(binaries, 'postgres'),
    args: ['-D', data, '-p', String(port), ...Object.entries(settings).flatMap(toArguments)],
    spawn: options,
    isReady: async (log) => await Promise.resolve(log.includes('ready to accept connections')),
    // Fast shutdown: does not wait for clients.
    stopSignal: 'SIGINT',
  });
  return {
    host: '127.0.0.1',
    port,
    user: 'operator',
    password,
    database: 'postgres',
    socket: join(folder.path, `.s.PGSQL.${port}`),
    systemUser,
    binaries,
    certificate,
    log: () => server.log(),
    stop: async () => {
      await server.stop();
      await folder.remove();
    },
  };
}

/** As the charm does: the superuser and `backup` by the system's user, the others not at all. */
async function trustLocally(data: string, systemUser: string): Promise<void> {
  const [hba, ident] = [join(data, 'pg_hba.conf'), join(data, 'pg_ident.conf')];
  const lines = [
    'local all operator peer map=operator',
    'local all backup peer map=operator',
    'local all,replication all reject',
  ];
  await writeFile(hba, `${lines.join('\n')}\n${await readFile(hba, 'utf8')}`);
  await writeFile(ident, `operator ${systemUser} operator\noperator ${systemUser} backup\n`);
}

function toArguments([name, value]: readonly [string, string]): readonly string[] {
  return ['-c', `${name}=${value}`];
}

/** Debian keeps them out of the search path. */
async function ensureBinaries(): Promise<string> {
  await ensurePackage('postgresql', async () => (await findBinaries()) !== undefined);
  const found = await findBinaries();
  if (found === undefined) throw new Error('cannot find initdb after installing postgresql');
  return found;
}

async function findBinaries(): Promise<string | undefined> {
  const found: string[] = [];
  for await (const path of glob('/usr/lib/postgresql/*/bin/initdb')) found.push(path);
  const newest = found.toSorted().at(-1);
  return newest === undefined ? undefined : dirname(newest);
}

async function findIdentity(): Promise<{ readonly uid: number; readonly gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const users = await readFile('/etc/passwd', 'utf8');
  const [, , uid, gid] = users.match(/^postgres:.*$/mu)?.[0].split(':') ?? [];
  if (uid === undefined || gid === undefined) throw new Error('cannot find the user "postgres"');
  return { uid: Number(uid), gid: Number(gid) };
}
