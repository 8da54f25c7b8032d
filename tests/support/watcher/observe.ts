// What tests of the watcher look at and wait for, over and over.

import { systemClock } from '../../../lib/base/clock.ts';
import { endOf, type Stage, until } from './stage.ts';

export async function sleep(seconds: number): Promise<void> {
  await systemClock.sleep(seconds * 1000);
}

/** The first notice that starts so. */
export async function noticed(stage: Stage, start: string): Promise<string> {
  return await until(async () =>
    (await stage.notices()).find((notice) => notice.startsWith(start)),
  );
}

export async function fences(stage: Stage): Promise<readonly string[]> {
  return (await stage.notices()).filter((notice) => notice.startsWith('test/fenced'));
}

/** The signal that ends it. */
export async function ended(stage: Stage, name: 'patroni' | 'postmaster'): Promise<string> {
  return await until(async () => await Promise.resolve(endOf(stage[name])));
}

/** Waits until the watcher has asked Patroni so often again, by default for everything that is current. */
export async function asked(stage: Stage, path = '/cluster', times = 2): Promise<void> {
  const count = async () =>
    (await stage.requests()).filter((line) => line === `GET ${path}`).length;
  const before = await count();
  await until(async () => ((await count()) >= before + times ? true : undefined));
}
