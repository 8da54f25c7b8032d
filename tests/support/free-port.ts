// TCP ports of this machine: one that nobody listens on, and whether somebody does.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { isNativeError } from 'node:util/types';

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

/** Whether somebody accepts connections on the port. */
export async function canConnect(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch (error) {
    if (isNativeError(error)) return false;
    throw error;
  } finally {
    socket.destroy();
  }
}
