/**
 * Starts and stops the components as plain processes of the node. Each writes its own identity down
 * before it becomes the program, so none can run unrecorded.
 */

import { mkdir, readdir, readFile, readlink, rm } from 'node:fs/promises';
import path from 'node:path';

import { hasErrorCode, isMissing, readTextIfPresent } from './files.ts';
import { type Inside, runInside } from './inside.ts';
import { type ProcessId, parseStat, readStat, sendSignal } from './process-id.ts';
import { waitUntil } from './wait.ts';

export interface ProcessInNode extends ProcessId {
  readonly memoryBytes: number;
}

/** Arguments: file for the identity, log file, then the command. */
const launcher = `id=$1 log=$2; shift 2
rm -f "$id"
setsid sh -c 'IFS= read -r line <"/proc/$$/stat" && echo "$line" >"$0" && exec "$@"' "$id" "$@" </dev/null >>"$log" 2>&1 &
while [ ! -s "$id" ]; do sleep 0.01; done`;

export async function startComponent(
  inside: Inside,
  component: { readonly name: string; readonly command: readonly string[] },
): Promise<void> {
  await mkdir(inside.layout.pids, { recursive: true });
  const files = [pidFile(inside, component.name), componentLog(inside, component.name)];
  await runInside(inside, ['sh', '-c', launcher, 'sh', ...files, ...component.command], {
    timeoutMs: 10_000,
  });
}

/** Ends a component: asks first, then insists. */
export async function stopComponent(inside: Inside, name: string): Promise<void> {
  const running = await findComponent(inside, name);
  if (running === undefined) return;
  await sendSignal(running, 'SIGTERM');
  const isGone = async (): Promise<boolean> => (await findComponent(inside, name)) === undefined;
  try {
    await waitUntil(isGone, { what: `${name} still runs`, timeoutMs: 5000 });
  } catch {
    await sendSignal(running, 'SIGKILL');
    await waitUntil(isGone, { what: `${name} still runs`, timeoutMs: 10_000 });
  }
  await rm(pidFile(inside, name), { force: true });
}

/** The component's process as the machine sees it, if it runs. */
export async function findComponent(
  inside: Inside,
  name: string,
): Promise<ProcessInNode | undefined> {
  const line = await readTextIfPresent(pidFile(inside, name));
  if (line === undefined || line === '') return undefined;
  const recorded = parseStat(line);
  const processes = await listProcesses(inside.node);
  return processes.find(({ idInNode, startTicks, isEnded }) => {
    return idInNode === recorded.pid && startTicks === recorded.startTicks && !isEnded;
  });
}

export function componentLog(inside: Pick<Inside, 'layout'>, name: string): string {
  return path.join(inside.layout.logs, `${name}.log`);
}

interface ListedProcess extends ProcessInNode {
  readonly idInNode: number;
  readonly isEnded: boolean;
}

/** The processes of the node's own process namespace; those of pods are in others below it. */
async function listProcesses(node: ProcessId): Promise<readonly ListedProcess[]> {
  const namespace = await readlink(`/proc/${node.pid}/ns/pid`);
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const listed = await Promise.all(
    names.map(async (name) => await describe(Number(name), namespace)),
  );
  return listed.filter((process) => process !== undefined);
}

async function describe(pid: number, namespace: string): Promise<ListedProcess | undefined> {
  try {
    if ((await readlink(`/proc/${pid}/ns/pid`)) !== namespace) return undefined;
    const stat = await readStat(pid);
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const idInNode = Number(/^NSpid:.*?(\d+)$/m.exec(status)?.[1]);
    const memoryBytes = Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
    if (stat === undefined) return undefined;
    const { startTicks, state } = stat;
    return { pid, startTicks, memoryBytes, idInNode, isEnded: 'ZX'.includes(state) };
  } catch (error) {
    if (isMissing(error) || isForbidden(error)) return undefined;
    throw error;
  }
}

/** The machine may have processes that even root may not look at: they are none of ours. */
function isForbidden(error: unknown): boolean {
  return hasErrorCode(error, 'EACCES');
}

function pidFile(inside: Inside, name: string): string {
  return path.join(inside.layout.pids, name);
}
