// Servers made by others that tests start as children: in a folder of their own, waited for until
// they answer, ended by their process id.

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { systemClock } from '../../lib/base/clock.ts';
import { poll } from '../../lib/base/retry.ts';

export interface ChildServer {
  /** Everything that it has written to its standard output and error. */
  log(): string;
  /** Ends it; its folder stays with whoever made it. */
  stop(): Promise<void>;
}

export interface ChildServerOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly spawn?: SpawnOptions;
  readonly isReady: (log: string) => Promise<boolean>;
  /** `SIGTERM` unless told. */
  readonly stopSignal?: NodeJS.Signals;
}

/** Starts a server and waits until it is ready; rejects with its log when it does not get there. */
export async function startChildServer(options: ChildServerOptions): Promise<ChildServer> {
  const stdio = ['ignore', 'pipe', 'pipe'] as const;
  const child = spawn(options.command, options.args, { ...options.spawn, stdio: [...stdio] });
  const parts: string[] = [];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => parts.push(text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => parts.push(text));
  child.on('error', (error) => parts.push(error.message));
  const log = () => parts.join('');
  const stop = async () => {
    await end(child, options.stopSignal ?? 'SIGTERM');
  };

  const outcome = await poll(
    { clock: systemClock, intervalMs: 50, timeoutMs: 30_000 },
    async () => {
      if (hasEnded(child)) return 'ended';
      return (await options.isReady(log())) ? 'ready' : undefined;
    },
  );
  if (outcome === 'ready') return { log, stop };
  await stop();
  throw new Error(`cannot start ${options.command}: ${log()}`);
}

/** A new folder under another one, the system's temporary one unless told, and how to remove it. */
export async function makeTemporaryFolder(
  prefix: string,
  parent = tmpdir(),
): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(parent, `${prefix}-`));
  return {
    path,
    remove: async () => {
      await rm(path, { recursive: true, force: true });
    },
  };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}
