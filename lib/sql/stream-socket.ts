// A stream as the driver wants its socket: something that is told to connect. It is connected
// already, so that only has to be said; the rest is tuning that a stream does not have.

import type { Duplex } from 'node:stream';

/** The same stream, with what the driver calls on a socket. */
export function asSocket(stream: Duplex): Duplex {
  const nothing = (): Duplex => stream;
  const connect = (): Duplex => {
    process.nextTick(() => {
      // Whoever listens only now has missed why it ended.
      if (stream.destroyed)
        stream.emit('error', stream.errored ?? new Error('the stream has ended'));
      else stream.emit('connect');
    });
    return stream;
  };
  const tuning = { setNoDelay: nothing, setKeepAlive: nothing, ref: nothing, unref: nothing };
  return Object.assign(stream, { connect, ...tuning });
}
