// A TCP port that nobody listens on right now.

import { once } from 'node:events';
import { createServer } from 'node:net';

/** Asks the system for one; somebody else may take it before the caller does. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('cannot find a free port');
  return address.port;
}
