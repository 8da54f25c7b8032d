// TCP ports of this machine: one that nobody listens on, and whether somebody does.

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { isNativeError } from 'node:util/types';

// Below the ports that Linux gives to outgoing connections (32768 on) and those of Kubernetes' services
// (30000 on), so that nobody takes a port that a test has closed and opens again.
const firstPort = 20_000;
const workers = 20;
const portsEach = 500;

let tried = 0;

/** A port that nobody listens on; test files that run side by side never get the same one. */
export async function findFreePort(): Promise<number> {
  const worker = Number(process.env['JEST_WORKER_ID'] ?? 0) % workers;
  while (tried < portsEach) {
    const port = firstPort + worker * portsEach + ((process.pid + tried) % portsEach);
    tried += 1;
    if (await canListen(port)) return port;
  }
  throw new Error('cannot find a free port');
}

async function canListen(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
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
