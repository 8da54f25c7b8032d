/**
 * The cloud's object storage, or a server of its own, behind something that can be told to go wrong. It
 * has the name and the certificate of the cloud's, and another port.
 */

import path from 'node:path';
import { createInterface } from 'node:readline';

import { afterAll, beforeAll } from '@jest/globals';
import { execa } from 'execa';
import * as v from 'valibot';

import { certificateFiles } from '../../../cloud/certificates.ts';
import { type S3Info, s3Info } from '../../../cloud/client.ts';
import { getLayout } from '../../../cloud/layout.ts';
import { settings } from '../../../cloud/settings.ts';
import { notYet, type Say, there, waitFor } from '../../../scripts/demo/wait.ts';
import {
  type Answer,
  answerSchema,
  type Change,
  type Effect,
  type Request,
  type SetUp,
  type User,
} from './storage/requests.ts';

export interface FaultyStorage {
  /** How clients find it; the keys are those of the cloud's storage. */
  readonly info: S3Info;
  /** As where no server runs. */
  refuse(): Promise<void>;
  /** As a server that hangs. */
  pause(): Promise<void>;
  /** As it was at first. */
  pass(): Promise<void>;
  throttle(bytesPerSecond: number): Promise<void>;
  /** Cuts, refuses or drops when clients have sent so much more. */
  whenSent(bytes: number, effect: Effect): Promise<void>;
  /** The same when they have got so much more. */
  whenGot(bytes: number, effect: Effect): Promise<void>;
  /** The same when a program starts, in whichever pod, whose command has all these words. */
  whenRuns(words: readonly string[], effect: Effect): Promise<void>;
  /** Whether that has happened. */
  hasFired(): Promise<boolean>;
  /** Bytes that clients have sent. */
  sent(): Promise<number>;
  /** Only of a server of its own. */
  setUsers(users: readonly User[]): Promise<void>;
  fill(): Promise<void>;
  free(): Promise<void>;
  hide(bucket: string): Promise<void>;
  show(bucket: string): Promise<void>;
  stop(): Promise<void>;
}

const enter = path.join(import.meta.dirname, '..', '..', '..', 'cloud', 'enter');
const program = path.join(import.meta.dirname, 'storage', 'stand.ts');
const { address, name } = settings.s3;

/** Where the cloud's own server listens. */
const cloudServer = { host: address, port: 443 };

export interface OwnServerOptions {
  readonly megabytes: number;
  readonly users: readonly User[];
}

/** Without options it stands before the cloud's storage. */
export async function startFaultyStorage(own?: OwnServerOptions): Promise<FaultyStorage> {
  const child = execa(enter, [process.execPath, program], {
    reject: false,
    buffer: false,
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
  });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const tell = async (line: SetUp | Request): Promise<Answer> => {
    child.stdin.write(`${JSON.stringify(line)}\n`);
    const answer = await answers.next();
    if (answer.done === true) throw new Error('cannot ask the storage: its stand has ended');
    return v.parse(answerSchema, JSON.parse(answer.value));
  };
  const ask = async (request: Request): Promise<void> => {
    await tell(request);
  };
  const change = async (wanted: Change): Promise<void> => {
    await ask({ kind: 'server', change: wanted });
  };
  const whenMoved = async (direction: 'up' | 'down', bytes: number, effect: Effect) => {
    await ask({ kind: 'when-moved', direction, bytes, effect });
  };
  const { port } = await tell({ host: address, target: targetOf(own) });
  return {
    info: { ...(await s3Info()), endpoint: `https://${name}:${port}` },
    refuse: async () => await ask({ kind: 'behave', how: 'refuse' }),
    pause: async () => await ask({ kind: 'behave', how: 'pause' }),
    pass: async () => await ask({ kind: 'behave', how: 'pass' }),
    throttle: async (bytesPerSecond) => await ask({ kind: 'throttle', bytesPerSecond }),
    whenSent: async (bytes, effect) => await whenMoved('up', bytes, effect),
    whenGot: async (bytes, effect) => await whenMoved('down', bytes, effect),
    whenRuns: async (words, effect) => await ask({ kind: 'when-runs', words: [...words], effect }),
    hasFired: async () => (await tell({ kind: 'look' })).fired,
    sent: async () => (await tell({ kind: 'look' })).sent,
    setUsers: async (users) => await change({ kind: 'users', users: [...users] }),
    fill: async () => await change({ kind: 'fill' }),
    free: async () => await change({ kind: 'free' }),
    hide: async (bucket) => await change({ kind: 'hide', bucket }),
    show: async (bucket) => await change({ kind: 'show', bucket }),
    stop: async () => {
      child.stdin.end();
      await child;
    },
  };
}

function targetOf(own: OwnServerOptions | undefined): SetUp['target'] {
  if (own === undefined) return cloudServer;
  const { certificate, key } = certificateFiles(getLayout(), 's3');
  return { megabytes: own.megabytes, users: [...own.users], certificate, key };
}

/** A storage for the tests of one file, stopped when they have ended. */
export function useFaultyStorage(own?: OwnServerOptions): () => FaultyStorage {
  let storage: FaultyStorage | undefined;
  beforeAll(async () => {
    storage = await startFaultyStorage(own);
  });
  afterAll(async () => {
    await storage?.stop();
  });
  return () => {
    if (storage === undefined) throw new Error('cannot use the storage: it was never started');
    return storage;
  };
}

/** Waits until clients have sent so much more than they had. */
export async function waitUntilSent(
  storage: FaultyStorage,
  bytes: number,
  say: Say,
): Promise<void> {
  const before = await storage.sent();
  await waitFor(
    async () => {
      const sent = (await storage.sent()) - before;
      return sent >= bytes ? there(true) : notYet(`${Math.round(sent / 1e6)} MB sent`);
    },
    { what: 'the middle of a backup', timeoutMs: 120_000, say, intervalMs: 200 },
  );
}
