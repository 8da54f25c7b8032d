// The way to a server's unix socket from outside its pod: a program that is sent along with the
// call, so it needs nothing of the container but Python, which Patroni runs on.

import bridge from '../../static/socket-bridge.py';
import { postgresSocket, workloadUser } from '../names.ts';

// After so long without a word the charm is gone, and nobody has said so.
const patienceSeconds = 600;

/** Its own input and output lead to PostgreSQL's socket, as the user that owns the server. */
export const bridgeCommand: readonly string[] = [
  'python3',
  // Neither the environment, nor the current directory, nor installed packages matter to it.
  '-I',
  '-S',
  '-c',
  bridge,
  postgresSocket,
  workloadUser,
  String(patienceSeconds),
];
