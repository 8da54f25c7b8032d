// How a restore ends: the restored database is in force, or the data of before are again.

import { CodedError } from '../../lib/base/error.ts';
import { PostgresError } from '../../lib/sql/error.ts';
import type { Cluster, PostgresqlHook } from '../adapters/cluster.ts';
import { applyConfiguration, readSettings, writeMemberConfig } from '../adapters/configuration.ts';
import {
  clearDataDirectory,
  hasWayBack,
  isAside,
  removeAside,
  removeLeftovers,
  stopDatabase,
} from '../adapters/data-directory.ts';
import { hasNamedError, readFailureReason } from '../adapters/restore-failure.ts';
import {
  type RestoreMark,
  removeCopiedMark,
  removeRestoreMark,
  writeMarkIfRoom,
  writeRestoreMark,
} from '../adapters/restore-mark.ts';
import { endRestoringProgram } from '../adapters/restoring-program.ts';
import { setUpDatabase } from '../adapters/users.ts';
import { restoreNotSetUp } from '../core/status.ts';
import { extensionsAnew, updateExtensions } from '../extensions.ts';
import {
  doesPrimaryAnswer,
  findStranger,
  isServiceActive,
  resumeService,
  setLayer,
} from './services.ts';
import { type Ending, endedRestore, nameOf, noteOf, publishResult, resultKey } from './told.ts';
import { bringBack, resumeWithData, withOldAsItIs, writeSaved, writeUndoing } from './way-back.ts';

/**
 * Ends a restore that has succeeded or failed; one that goes on is left as it is. Says whether the
 * restored database is in force: then it has to be asked anew whose the repository is.
 */
export async function settleRestore(
  hook: PostgresqlHook,
  cluster: Cluster,
  mark: RestoreMark,
): Promise<boolean> {
  const stranger = await findStranger(cluster, mark);
  if (stranger === undefined) {
    if (await doesPrimaryAnswer(cluster)) return await finishRestore(hook, cluster, mark);
    if (await isServiceActive(hook)) {
      await endFailedProgram(hook, mark);
      return false;
    }
  }
  const failure = mark.failure ?? stranger ?? (await readFailureReason(hook, mark));
  if (mark.request === undefined && !(await isAside(hook))) {
    if (mark.failure === undefined) {
      hook.log('ERROR', `the restore of ${nameOf(mark)} failed: ${failure}`);
      await writeFailure(hook, { ...mark, failure });
    }
    if (stranger !== undefined) await stopDatabase(hook);
    return false;
  }
  await undoRestore(hook, cluster, { ...mark, failure });
  return false;
}

/**
 * pgBackRest that has failed may wait half an hour for a process of its own that waits for it. Patroni gives up
 * when it has ended, and that is told.
 */
async function endFailedProgram(hook: PostgresqlHook, mark: RestoreMark): Promise<void> {
  if (!(await hasNamedError(hook, mark))) return;
  try {
    await endRestoringProgram(hook.ports.pebble);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    hook.log('WARNING', error.message);
  }
}

/** Of a restore that has left nothing to go back to, nor anything that another one would use. */
async function writeFailure(hook: PostgresqlHook, mark: RestoreMark): Promise<void> {
  if (await writeMarkIfRoom(hook, mark)) return;
  hook.log('WARNING', 'the volume is full: what has been restored goes');
  await stopDatabase(hook);
  await clearDataDirectory(hook, 'none');
  await writeRestoreMark(hook, mark);
}

async function finishRestore(
  hook: PostgresqlHook,
  cluster: Cluster,
  { notSetUp: before, ...mark }: RestoreMark,
): Promise<boolean> {
  const notSetUp = await whyNotSetUp(hook, cluster);
  if (notSetUp !== undefined) {
    await tellNotSetUp(hook, { ...mark, notSetUp }, before);
    return false;
  }
  const restored = { ...mark, phase: 'restored' } as const;
  // Written first: half of the old data are nothing to go back to. On a full volume they go at once.
  if (!(await writeMarkIfRoom(hook, restored))) {
    await removeAside(hook);
    await writeRestoreMark(hook, restored);
  }
  await completeRestore(hook, cluster, mark);
  return true;
}

/** It may refuse for good, for what has been restored in it: then there is still the way back. */
async function whyNotSetUp(hook: PostgresqlHook, cluster: Cluster): Promise<string | undefined> {
  try {
    await setUpDatabase(hook, cluster);
    return undefined;
  } catch (error) {
    if (error instanceof PostgresError && error.code !== 'unreachable') return error.message;
    throw error;
  }
}

/** The next hook tries again. */
async function tellNotSetUp(
  hook: PostgresqlHook,
  mark: RestoreMark & { readonly notSetUp: string },
  before: string | undefined,
): Promise<void> {
  if (mark.notSetUp === before) return;
  const status = restoreNotSetUp(mark.notSetUp, await hasWayBack(hook, mark));
  hook.log('ERROR', status.message);
  if (!(await writeMarkIfRoom(hook, mark))) hook.status(status);
}

/** What may be repeated when the restored database is in force. */
export async function completeRestore(
  hook: PostgresqlHook,
  cluster: Cluster,
  mark: RestoreMark,
): Promise<void> {
  await removeLeftovers(hook);
  // The data here are no longer those that were copied for an earlier restore.
  await removeCopiedMark(hook);
  // Another one than the leader keeps it until the leader has heard.
  if (mark.request === undefined && (await hook.juju.isLeader())) await removeRestoreMark(hook);
  await concludeSuccess(hook, cluster, mark);
  hook.log('INFO', `backup ${nameOf(mark)} has been restored`);
}

/** What may be repeated when the mark says that the restored database is in force. */
export async function concludeSuccess(
  hook: PostgresqlHook,
  cluster: Cluster,
  { request }: Pick<RestoreMark, 'request'>,
): Promise<void> {
  concluded.add(hook.juju);
  await tellResult(hook, cluster, { request, state: 'restored' });
  // The restored database has the extensions of its own time.
  if (await hook.juju.isLeader()) {
    cluster.setApp({ ...endedRestore, extensions: await extensionsAnew(cluster) });
  }
  await resumeService(hook);
  await applyConfiguration(hook, cluster);
  await updateExtensions(hook, cluster);
}

/**
 * The data of before come back, with what Patroni remembered of them. Where this unit had none, those
 * of the other units do, and it copies them.
 */
export async function undoRestore(
  hook: PostgresqlHook,
  cluster: Cluster,
  given: RestoreMark,
): Promise<void> {
  const mark = await withOldAsItIs(hook, given);
  hook.log('ERROR', `the restore of ${nameOf(mark)} failed: ${mark.failure ?? ''}`);
  const isWritten = await writeMarkIfRoom(hook, { ...mark, phase: 'undoing' });
  await setLayer(hook, { restart: false });
  await stopDatabase(hook);
  if (!isWritten) await writeUndoing(hook, mark);
  await bringBack(hook, mark);
  await writeSaved(hook, cluster, mark);
  const undone = { ...mark, phase: 'undone' } as const;
  // Written before the start: what Patroni does from then on is not to be written over.
  await writeRestoreMark(hook, undone);
  await concludeFailure(hook, cluster, undone);
}

/** What may be repeated when the mark says that the data of before are in force. */
export async function concludeFailure(
  hook: PostgresqlHook,
  cluster: Cluster,
  mark: RestoreMark,
): Promise<void> {
  const { request, failure = '' } = mark;
  concluded.add(hook.juju);
  await tellResult(hook, cluster, { request, state: 'failed', failure });
  if (await hook.juju.isLeader()) {
    cluster.setApp({ ...endedRestore, 'restore-failure': noteOf(mark, failure) });
  }
  const settings = await readSettings(hook);
  if (settings.kind === 'valid') await writeMemberConfig(hook, cluster, settings.settings);
  await resumeWithData(hook, cluster);
  hook.log('WARNING', 'the data of before the restore are in force');
}

/** A leader that restores without a request tells it in the application's databag alone. */
export async function tellResult(
  hook: PostgresqlHook,
  cluster: Cluster,
  ending: Ending,
): Promise<void> {
  if (ending.request === undefined && (await hook.juju.isLeader())) {
    cluster.setUnit({ [resultKey]: undefined });
  } else publishResult(cluster, ending);
}

// Two events may be handled in one dispatch: what the first has written is committed after the second.
const concluded = new WeakSet<object>();

/** Whether the databag tells of the end only in this dispatch, so that Juju may never learn of it. */
export function hasJustConcluded({ juju }: Pick<PostgresqlHook, 'juju'>): boolean {
  return concluded.has(juju);
}
