// A real Pebble daemon for tests: one process with a folder of its own, ended by its id.

import { chmod } from 'node:fs/promises';
import { join } from 'node:path';

import { ensureProgram } from './binaries.ts';
import { makeTemporaryFolder, startChildServer } from './child-server.ts';

export interface PebbleDaemon {
  readonly socketPath: string;
  /** A folder that goes away with the daemon. */
  readonly folder: string;
  readonly stop: () => Promise<void>;
}

/** Starts a daemon with an empty plan; programs get the environment, too. */
export async function startPebbleDaemon(
  environment: Readonly<Record<string, string>> = {},
): Promise<PebbleDaemon> {
  const command = await ensureProgram('pebble');
  const folder = await makeTemporaryFolder('pebble');
  // Programs that run as other users must be able to enter it.
  await chmod(folder.path, 0o755);
  const socketPath = join(folder.path, 'pebble.socket');
  const variables = { PEBBLE: folder.path, PEBBLE_SOCKET: socketPath };
  const server = await startChildServer({
    command,
    args: ['run', '--create-dirs', '--hold'],
    spawn: { env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...environment, ...variables } },
    isReady: async (log) => await Promise.resolve(log.includes('Started daemon')),
  });
  return {
    socketPath,
    folder: folder.path,
    stop: async () => {
      await server.stop();
      await folder.remove();
    },
  };
}
