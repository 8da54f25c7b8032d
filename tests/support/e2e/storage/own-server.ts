/**
 * An S3 server of its own, whose buckets and users are in memory that nobody else sees: mounted in a
 * namespace of the server's process, so that all of it goes with that, whatever ends it.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { open, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { canConnect, findFreePort } from '../../free-port.ts';
import type { Address } from './proxy.ts';
import type { OwnServer, User } from './requests.ts';

export interface RunningServer {
  readonly address: Address;
  setUsers(users: readonly User[]): Promise<void>;
  /** Takes all space that is left, and, as others would, whatever becomes free later. */
  fill(): Promise<void>;
  /** Gives it back. */
  free(): Promise<void>;
  /** Takes a bucket away with all that is in it. */
  hide(bucket: string): Promise<void>;
  /** Brings it back. */
  show(bucket: string): Promise<void>;
  stop(): Promise<void>;
}

const place = '/mnt';
const script = `set -eu
mount -t tmpfs -o size=1m,mode=700 tmpfs ${place}
mkdir ${place}/users ${place}/disk
mount -t tmpfs -o size="$0m" tmpfs ${place}/disk
mkdir ${place}/disk/data ${place}/disk/notes
echo '{"accessAccounts":{}}' > ${place}/users/users.json
exec "$@"`;

/** Beside the proxy, which is the only way to it that clients are told. */
const host = '127.0.0.1';
const patienceMs = 20_000;
const pollMs = 50;

export async function startOwnServer(wanted: OwnServer): Promise<RunningServer> {
  const port = await findFreePort();
  const listen = ['--port', `${host}:${port}`, '--cert', wanted.certificate, '--key', wanted.key];
  const users = ['--iam-dir', `${place}/users`, '--iam-cache-disable'];
  const disk = ['posix', '--sidecar', `${place}/disk/notes`, `${place}/disk/data`];
  const gateway = ['versitygw', '--quiet', ...listen, ...users, ...disk];
  const isolated = ['unshare', '--mount', 'sh', '-c', script, `${wanted.megabytes}`, ...gateway];
  const keys = {
    ROOT_ACCESS_KEY: randomBytes(8).toString('hex'),
    ROOT_SECRET_KEY: randomBytes(16).toString('hex'),
  };
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...isolated], {
    env: { ...process.env, ...keys },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await waitUntilUp(child, port);
  const folder = `/proc/${child.pid}/root${place}`;
  const ballast = createBallast(path.join(folder, 'disk', 'ballast'));
  const server: RunningServer = {
    address: { host, port },
    setUsers: async (users) => {
      await writeUsers(path.join(folder, 'users'), users);
    },
    fill: ballast.fill,
    free: ballast.free,
    hide: async (bucket) => {
      await rename(path.join(folder, 'disk', 'data', bucket), path.join(folder, 'disk', bucket));
    },
    show: async (bucket) => {
      await rename(path.join(folder, 'disk', bucket), path.join(folder, 'disk', 'data', bucket));
    },
    stop: async () => {
      await ballast.free();
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
  await server.setUsers(wanted.users);
  return server;
}

async function waitUntilUp(child: ChildProcess, port: number): Promise<void> {
  for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += pollMs) {
    if (child.exitCode !== null) throw new Error(`the S3 server ended: ${child.exitCode}`);
    if (await canConnect(port)) return;
    await sleep(pollMs);
  }
  child.kill('SIGKILL');
  throw new Error('the S3 server does not answer');
}

/** The server reads them anew for each request. */
async function writeUsers(folder: string, users: readonly User[]): Promise<void> {
  const accounts = new Map(
    users.map(({ accessKey, secretKey, role }) => [
      accessKey,
      { access: accessKey, secret: secretKey, role, userID: 0, groupID: 0, projectID: 0 },
    ]),
  );
  const content = JSON.stringify({ accessAccounts: Object.fromEntries(accounts) });
  const fresh = path.join(folder, 'fresh');
  await writeFile(fresh, content, { mode: 0o600 });
  await rename(fresh, path.join(folder, 'users.json'));
}

/** A request that fails gives its space back, in which the next one would have room. */
const refillMs = 20;

function createBallast(file: string) {
  let held = new AbortController();
  let holding = Promise.resolve();
  const hold = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      await sleep(refillMs);
      await fillUp(file);
    }
  };
  const free = async (): Promise<void> => {
    held.abort();
    await holding;
    await rm(file, { force: true });
  };
  return {
    fill: async (): Promise<void> => {
      await free();
      await fillUp(file);
      held = new AbortController();
      holding = hold(held.signal);
    },
    free,
  };
}

async function fillUp(file: string): Promise<void> {
  const ballast = await open(file, 'a');
  try {
    for (const size of [1024 * 1024, 4096]) await writeUntilFull(ballast, Buffer.alloc(size));
  } finally {
    await ballast.close();
  }
}

async function writeUntilFull(
  file: Awaited<ReturnType<typeof open>>,
  block: Buffer,
): Promise<void> {
  try {
    for (;;) await file.write(block);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
  }
}
