// The data directory as a restore handles it: the server that must not run on it, the room on its volume,
// and the data of before, which stand aside under another name on the same volume.

import { CodedError } from '../../lib/base/error.ts';
import { isPebbleError } from '../../lib/pebble/errors.ts';
import type { ExecResult } from '../../lib/pebble/pebble.ts';
import {
  asideDirectory,
  dataDirectory,
  discardedDirectory,
  failedDirectory,
  storageRoot,
  workloadUser,
} from '../core/names.ts';
import { patroniService } from '../core/render/pebble-layer.ts';
import type { PostgresqlHook } from './cluster.ts';
import type { RestoreMark } from './restore-mark.ts';
import { endRestoringProgram } from './restoring-program.ts';
import { forgetView } from './view.ts';
import { readWorkload } from './workload.ts';

const commandTimeoutMs = 30_000;
// Counting or removing the files of a large database takes a while.
const filesTimeoutMs = 1_800_000;
const shutdownSeconds = 60;

const patienceCodes = ['still-running', 'not-removed', 'move-failed', 'no-space'];

/**
 * Whether something takes longer than a hook waits, or is held up, be it for want of room: whatever it was can
 * be done again.
 */
export function isHeldUp(error: unknown): error is CodedError {
  return error instanceof CodedError && patienceCodes.includes(error.code);
}

/**
 * Stops Patroni, and PostgreSQL and pgBackRest, which outlive a Patroni that was killed. Rejects with
 * `CodedError` when something still runs.
 */
export async function stopDatabase(hook: PostgresqlHook): Promise<void> {
  const { pebble } = hook.ports;
  const [service] = await pebble.services([patroniService]);
  if (service !== undefined) await pebble.stop(patroniService);
  forgetView(hook);
  await endRestoringProgram(pebble);
  if (!(await doesServerRun(hook))) return;
  const { binDir } = await readWorkload(hook);
  const command = ['stop', '-m', 'fast', '-w', '-t', `${shutdownSeconds}`];
  await pebble.exec([`${binDir}/pg_ctl`, '-D', dataDirectory, ...command], {
    user: workloadUser,
    group: workloadUser,
    timeoutMs: (shutdownSeconds + 10) * 1000,
  });
  if (await doesServerRun(hook)) {
    throw new CodedError('PostgreSQL does not end', { code: 'still-running' });
  }
}

async function doesServerRun(hook: PostgresqlHook): Promise<boolean> {
  const { pebble } = hook.ports;
  // pg_ctl is not content with a directory that is not there.
  if ((await pebble.stat(`${dataDirectory}/postmaster.pid`)) === undefined) return false;
  const { binDir } = await readWorkload(hook);
  const { exitCode } = await pebble.exec([`${binDir}/pg_ctl`, '-D', dataDirectory, 'status'], {
    user: workloadUser,
    group: workloadUser,
    timeoutMs: commandTimeoutMs,
  });
  return exitCode === 0;
}

/** Whether there is a database on the volume. */
export async function hasData(hook: PostgresqlHook): Promise<boolean> {
  return (await hook.ports.pebble.stat(`${dataDirectory}/PG_VERSION`)) !== undefined;
}

/**
 * Whether some of the data are elsewhere, with only a link to them in the data directory: these would neither
 * stand aside nor be removed, and a restore, or a copy, would write over them.
 */
export async function hasTablespaces(hook: PostgresqlHook): Promise<boolean> {
  try {
    return (await hook.ports.pebble.list(`${dataDirectory}/pg_tblspc`)).length > 0;
  } catch (error) {
    if (isPebbleError(error, 'not-found')) return false;
    throw error;
  }
}

export async function isAside(hook: PostgresqlHook): Promise<boolean> {
  return (await hook.ports.pebble.stat(asideDirectory)) !== undefined;
}

/** Whether there are data of before to go back to: on this volume, or on those of other units. */
export async function hasWayBack(
  hook: PostgresqlHook,
  { request }: Pick<RestoreMark, 'request'>,
): Promise<boolean> {
  return request !== undefined || (await isAside(hook));
}

/** Bytes that are free on the volume, and those that the data take. */
export async function measureRoom(
  hook: PostgresqlHook,
): Promise<{ readonly free: number; readonly old: number }> {
  const available = await run(hook, ['df', '--block-size=1', '--output=avail', storageRoot]);
  const free = numberIn(/^\s*(\d+)\s*$/m, available);
  let old = 0;
  for (const directory of [dataDirectory, failedDirectory]) {
    if ((await hook.ports.pebble.stat(directory)) === undefined) continue;
    const used = await run(hook, ['du', '--summarize', '--block-size=1', directory]);
    old += numberIn(/^(\d+)\s/m, used);
  }
  return { free, old };
}

/** Bytes of the volume, and those of them that are free. */
export async function measureVolume(
  hook: PostgresqlHook,
): Promise<{ readonly free: number; readonly total: number }> {
  const measured = await run(hook, ['df', '--block-size=1', '--output=avail,size', storageRoot]);
  const form = /^\s*(\d+)\s+(\d+)\s*$/m;
  const [, free, total] = form.exec(measured.stdout) ?? [];
  if (free === undefined) numberIn(form, measured);
  return { free: Number(free), total: Number(total) };
}

/** `du` also counts what goes away while it looks. */
function numberIn(form: RegExp, { stdout, stderr }: ExecResult): number {
  const found = form.exec(stdout)?.[1];
  if (found !== undefined) return Number(found);
  throw new CodedError(`cannot measure the volume: ${stderr.trim()}`, { code: 'no-size' });
}

/**
 * Makes an empty data directory. What was there stands aside from then on, unless it does already, or
 * is not to be kept. May be repeated.
 */
export async function clearDataDirectory(
  hook: PostgresqlHook,
  old: 'aside' | 'removed' | 'none',
): Promise<void> {
  await remove(hook, failedDirectory);
  if (old === 'aside' && !(await isAside(hook))) {
    await move(hook, dataDirectory, asideDirectory);
  }
  await discard(hook);
  await hook.ports.pebble.makeDir(dataDirectory, {
    user: workloadUser,
    group: workloadUser,
    mode: '0700',
  });
}

/** The data of before, in their place again; what has come there since goes. May be repeated. */
export async function putBack(hook: PostgresqlHook): Promise<void> {
  if (!(await isAside(hook))) return;
  await removeRestored(hook);
  await move(hook, asideDirectory, dataDirectory);
}

/** Frees what a restore has made, when what stands in the place of the data is not those of before. */
export async function removeRestored(hook: PostgresqlHook): Promise<void> {
  await remove(hook, failedDirectory);
  await discard(hook);
}

/** Frees what only a restore needs. */
export async function removeLeftovers(hook: PostgresqlHook): Promise<void> {
  await remove(hook, asideDirectory);
  await remove(hook, failedDirectory);
}

/** The data of before are nothing to go back to any more. */
export async function removeAside(hook: PostgresqlHook): Promise<void> {
  await discard(hook, asideDirectory);
}

/** Takes the data away at once, and then removes them: nobody ever finds half of them in their place. */
async function discard(hook: PostgresqlHook, directory = dataDirectory): Promise<void> {
  await remove(hook, discardedDirectory);
  if ((await hook.ports.pebble.stat(directory)) === undefined) return;
  await move(hook, directory, discardedDirectory);
  await remove(hook, discardedDirectory);
}

/** What a hook has left that was killed while it removed data. It only takes room: nothing waits for it. */
export async function finishRemoval(hook: PostgresqlHook): Promise<void> {
  try {
    await remove(hook, discardedDirectory);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    hook.log('WARNING', error.message);
  }
}

/** A large database takes longer than a request to Pebble may. */
async function remove(hook: PostgresqlHook, directory: string): Promise<void> {
  if ((await hook.ports.pebble.stat(directory)) === undefined) return;
  const { exitCode, stderr } = await run(hook, ['rm', '--recursive', '--force', directory]);
  if (exitCode === 0) return;
  throw new CodedError(`cannot remove "${directory}": ${stderr.trim()}`, { code: 'not-removed' });
}

async function move(hook: PostgresqlHook, from: string, to: string): Promise<void> {
  const { exitCode, stderr } = await run(hook, ['mv', '--no-target-directory', from, to]);
  if (exitCode === 0) return;
  throw new CodedError(`cannot move "${from}": ${stderr.trim()}`, { code: 'move-failed' });
}

async function run(hook: PostgresqlHook, command: readonly string[]): Promise<ExecResult> {
  try {
    return await hook.ports.pebble.exec(command, { timeoutMs: filesTimeoutMs });
  } catch (error) {
    if (!isPebbleError(error, 'not-found')) throw error;
    throw new CodedError(error.message, { code: 'no-program' });
  }
}
