// The way to a server's unix socket from outside its pod: a program that is sent along with the
// call, so it needs nothing of the container but Python, which Patroni runs on.

import bridge from '../../static/socket-bridge.py';

export interface BridgeFacts {
  readonly socket: string;
  /** Of the operating system. */
  readonly user: string;
  /** After so long without a word whoever called is gone, and nobody has said so. */
  readonly patienceSeconds: number;
}

/** Its input and output lead to the socket, as that user. */
export function bridgeCommand({ socket, user, patienceSeconds }: BridgeFacts): readonly string[] {
  // Neither the environment, nor the current directory, nor installed packages matter to it.
  return ['python3', '-I', '-S', '-c', bridge, socket, user, String(patienceSeconds)];
}
