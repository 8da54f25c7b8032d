/**
 * Runs inside the cloud, where the processes of all containers can be seen. A hook of the model is
 * known by its environment; nothing else is touched.
 */

import { readdir, readFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

import * as v from 'valibot';

const requestSchema = v.object({
  model: v.string(),
  delaysMs: v.array(v.number()),
  quietMs: v.number(),
});
const { model, delaysMs, quietMs } = v.parse(requestSchema, JSON.parse(process.argv[2] ?? ''));

const intervalMs = 10;
/** A process may yet become a hook: the shell that starts it keeps its number. */
const undecidedMs = 2000;
const ordinary = new Map<string, number>();
const hooks = new Map<string, { readonly name: string; readonly dueMs: number }>();
/** Each hook of each unit is killed once, or else none would ever be done. */
const killed = new Set<string>();
let seenCount = 0;
let lastSeenMs = Number.POSITIVE_INFINITY;

while (performance.now() - lastSeenMs < quietMs) {
  await lookForHooks();
  killDue();
  await sleep(intervalMs);
}
process.stdout.write(JSON.stringify([...killed]));

async function lookForHooks(): Promise<void> {
  const present = new Set((await readdir('/proc')).filter((name) => /^\d+$/.test(name)));
  for (const pid of hooks.keys()) if (!present.has(pid)) hooks.delete(pid);
  for (const pid of ordinary.keys()) if (!present.has(pid)) ordinary.delete(pid);
  for (const pid of present) if (!hooks.has(pid)) await judge(pid);
}

async function judge(pid: string): Promise<void> {
  const nowMs = performance.now();
  const sinceMs = ordinary.get(pid) ?? nowMs;
  if (nowMs - sinceMs >= undecidedMs) return;
  const name = await readHookName(pid);
  if (name === undefined) {
    ordinary.set(pid, sinceMs);
    return;
  }
  const delayMs = delaysMs[seenCount % delaysMs.length] ?? 0;
  seenCount += 1;
  lastSeenMs = nowMs;
  hooks.set(pid, { name, dueMs: nowMs + delayMs });
}

function killDue(): void {
  for (const [pid, { name, dueMs }] of hooks) {
    if (killed.has(name) || performance.now() < dueMs) continue;
    if (kill(Number(pid))) killed.add(name);
  }
}

function kill(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

/** The hook that a process runs: the charm's Node.js, not the shell that starts it or its tools. */
async function readHookName(pid: string): Promise<string | undefined> {
  const command = await readProc(pid, 'cmdline');
  if (!command.some((word) => word.endsWith('main.cjs'))) return undefined;
  const environment = await readProc(pid, 'environ');
  if (!environment.includes(`JUJU_MODEL_NAME=${model}`)) return undefined;
  const find = (key: string): string =>
    environment.find((entry) => entry.startsWith(`${key}=`))?.slice(key.length + 1) ?? '';
  return `${find('JUJU_UNIT_NAME')} ${find('JUJU_DISPATCH_PATH')}`;
}

async function readProc(pid: string, file: string): Promise<readonly string[]> {
  try {
    return (await readFile(`/proc/${pid}/${file}`, 'utf8')).split('\0');
  } catch {
    return []; // It has ended.
  }
}
