/** Waits until a hook of a model runs: the charm's process is known by its environment. */

import { readdir, readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

const intervalMs = 20;

interface Wanted {
  readonly model: string;
  readonly hook: string;
  readonly noticeKey?: string | undefined;
  readonly timeoutMs: number;
}

/** The unit whose hook runs. */
export async function awaitHook({ model, hook, noticeKey, timeoutMs }: Wanted): Promise<string> {
  const deadlineMs = performance.now() + timeoutMs;
  const wanted = [
    `JUJU_MODEL_NAME=${model}`,
    `JUJU_DISPATCH_PATH=hooks/${hook}`,
    ...(noticeKey === undefined ? [] : [`JUJU_NOTICE_KEY=${noticeKey}`]),
  ];
  while (performance.now() < deadlineMs) {
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const environment = await readWords(pid, 'environ');
      if (!wanted.every((word) => environment.includes(word))) continue;
      const [, unit] = /^JUJU_UNIT_NAME=(.+)$/m.exec(environment.join('\n')) ?? [];
      if (unit !== undefined) return unit;
    }
    await sleep(intervalMs);
  }
  throw new Error(`cannot find a ${hook} hook: none ran within ${timeoutMs / 1000} s`);
}

async function readWords(pid: string, file: string): Promise<readonly string[]> {
  try {
    return (await readFile(`/proc/${pid}/${file}`, 'utf8')).split('\0');
  } catch {
    return []; // It has ended.
  }
}
