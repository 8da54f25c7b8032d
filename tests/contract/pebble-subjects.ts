// The two Pebbles that the contract suite compares, and what one test may ask of either.

import { join } from 'node:path';

import { systemClock } from '../../lib/base/clock.ts';
import { createPebble } from '../../lib/pebble/client.ts';
import { isPebbleError, type PebbleError, pebbleErrorCodes } from '../../lib/pebble/errors.ts';
import type { Pebble } from '../../lib/pebble/pebble.ts';
import {
  createFakePebble,
  type ExecResponder,
  programMissing,
  programTimedOut,
} from '../support/fake-pebble.ts';
import { startPebbleDaemon } from '../support/pebble-daemon.ts';
import { directoryEntry, type PebbleState } from '../support/pebble-state.ts';

export interface Subject {
  readonly pebble: Pebble;
  /** An empty directory of the container. */
  readonly folder: string;
  /** Nobody answers from now on. */
  cut(): Promise<void>;
  close(): Promise<void>;
}

export interface Kind {
  readonly name: string;
  /** What the fake must be told because it runs no programs; the real one finds out by itself. */
  open(told?: Partial<PebbleState>): Promise<Subject>;
}

export const scripts = {
  outputs: 'echo out; echo error >&2; exit 3',
  killed: 'kill -9 $$',
} as const;

const responders: readonly ExecResponder[] = [
  { command: ['cat'], respond: ({ stdin = '' }) => ({ stdout: stdin }) },
  {
    command: ['id', '--user', '--name'],
    respond: ({ user = 'root' }) => ({ stdout: `${user}\n` }),
  },
  { command: ['pwd'], respond: ({ workingDir = '/' }) => ({ stdout: `${workingDir}\n` }) },
  {
    command: ['printenv', 'GREETING'],
    respond: ({ environment = {} }) => ({ stdout: `${environment['GREETING'] ?? ''}\n` }),
  },
  {
    command: ['sh', '-c', scripts.outputs],
    respond: () => ({ exitCode: 3, stdout: 'out\n', stderr: 'error\n' }),
  },
  { command: ['sh', '-c', scripts.killed], respond: () => ({ exitCode: 137 }) },
  {
    command: ['sleep', '60'],
    respond: ({ command }) => {
      throw programTimedOut(command);
    },
  },
  {
    command: ['no-such-program'],
    respond: ({ command }) => {
      throw programMissing(command);
    },
  },
];

const inMemory: Kind = {
  name: 'in memory',
  open: async (told = {}) => {
    const folder = '/srv/test';
    const pebble = createFakePebble({
      container: 'workload',
      execs: responders,
      state: {
        users: { root: 'root', daemon: 'daemon', nobody: 'nogroup' },
        files: { [folder]: directoryEntry() },
        ...told,
      },
    });
    const cut = async () => {
      await Promise.resolve();
      pebble.update((state) => ({ ...state, canConnect: false }));
    };
    return await Promise.resolve({ pebble, folder, cut, close: cut });
  },
};

const daemon: Kind = {
  name: 'as a daemon',
  open: async () => {
    const { socketPath, folder, stop } = await startPebbleDaemon();
    const pebble = createPebble({ container: 'workload', socketPath, clock: systemClock });
    const files = join(folder, 'test');
    await pebble.makeDir(files);
    return { pebble, folder: files, cut: stop, close: stop };
  },
};

export const kinds: readonly Kind[] = [inMemory, daemon];

/** The value, or the code of the `PebbleError`: what can be compared between two Pebbles. */
export async function outcomeOf<T>(call: Promise<T>): Promise<T | PebbleError['code']> {
  try {
    return await call;
  } catch (error) {
    const code = pebbleErrorCodes.find((one) => isPebbleError(error, one));
    if (code === undefined) throw error;
    return code;
  }
}
