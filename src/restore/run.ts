// A restore from its first step to its end, on the unit that does it. The mark beside the data directory
// says how far it is; every step can be done again. The data of before stand aside until the restored
// database answers, and come back when it does not.

import { CodedError } from '../../lib/base/error.ts';
import { type Cluster, isStarted, isTlsEnabled, type PostgresqlHook } from '../adapters/cluster.ts';
import { applyConfiguration, readSettings, writeMemberConfig } from '../adapters/configuration.ts';
import {
  clearDataDirectory,
  hasData,
  isAside,
  putBack,
  removeLeftovers,
  stopDatabase,
} from '../adapters/data-directory.ts';
import { labelPod, otherMembers } from '../adapters/kubernetes.ts';
import {
  forgetCluster,
  keepState,
  readKeptState,
  readPatroniState,
  writePatroniState,
} from '../adapters/patroni-state.ts';
import { measureOutput, readFailureReason } from '../adapters/restore-failure.ts';
import {
  hasFailed,
  type RestoreMark,
  readRestoreMark,
  removeRestoreMark,
  type SavedState,
  targetOfMark,
  writeRestoreMark,
} from '../adapters/restore-mark.ts';
import { setUpDatabase } from '../adapters/users.ts';
import { forgetView } from '../adapters/view.ts';
import { ensureScripts } from '../adapters/workload.ts';
import { idOfLabel } from '../core/backups/backup-list.ts';
import type { RestoreResult } from '../core/backups/restore-request.ts';
import type { RestoreTarget } from '../core/backups/restore-target.ts';
import {
  layerLabel,
  patroniService,
  renderLayer,
  watcherService,
} from '../core/render/pebble-layer.ts';
import { restoreFailed, restoringBackup } from '../core/status.ts';
import { updateExtensions } from '../extensions.ts';

/** Key of the unit's databag. */
export const resultKey = 'restore-result';

export interface Refusal {
  readonly refusal: string;
}

/** From a mark that is `preparing` or `stopped` to a PostgreSQL that restores. */
export async function performRestore(
  hook: PostgresqlHook,
  cluster: Cluster,
  wanted: RestoreMark,
): Promise<Refusal | undefined> {
  const { walk } = hook;
  const given = await withoutLeft(hook, wanted);
  if (given.phase === 'stopped' && (await isServiceActive(hook))) {
    // The kill came between the start and what would have told of it.
    await recordStart(hook, cluster, given);
    return undefined;
  }
  if (given.phase === 'preparing' && (await readSettings(hook)).kind === 'invalid') {
    await backOut(hook, cluster, given);
    return { refusal: 'the configuration has become invalid' };
  }
  walk.step('set_maintenance');
  await hook.juju.showProgress(restoringBackup);
  await writeRestoreMark(hook, given);
  const notStopped = await failureOf(async () => {
    // While a restore runs, a Patroni that gives up must stay down: so its failure is seen.
    await setLayer(hook, cluster, { restart: false });
    await stopDatabase(hook);
  });
  const mayReturn = canBackOut(given);
  if (!walk.decide('has_database_stopped', notStopped === undefined)) {
    const refusal = `Failed to stop database service with error: ${notStopped ?? ''}`;
    if (!mayReturn) return triedAgain(refusal);
    await backOut(hook, cluster, given);
    return { refusal };
  }
  const mark = await recordStop(hook, cluster, given);
  return await replaceData(hook, cluster, { mark, mayReturn });
}

/**
 * Where the data of before are not kept, whoever finds the database stopped cannot know how much is left
 * of them: half a directory is not to be started.
 */
function canBackOut({ phase, old, request }: RestoreMark): boolean {
  return phase === 'preparing' || old === 'aside' || request !== undefined;
}

/** The mark stays, and the next hook goes on with it. */
function triedAgain(refusal: string): Refusal {
  return { refusal: `${refusal}; it is tried again` };
}

/** What a restore that failed has left is nothing to go back to. */
async function withoutLeft(hook: PostgresqlHook, wanted: RestoreMark): Promise<RestoreMark> {
  const left = await readRestoreMark(hook);
  const { failure } = left !== undefined && hasFailed(left) ? left : {};
  return failure === undefined ? wanted : { ...wanted, old: 'none', before: failure };
}

/** Nothing writes to Patroni's state now: what it says is what has to come back. */
async function recordStop(
  hook: PostgresqlHook,
  cluster: Cluster,
  mark: RestoreMark,
): Promise<RestoreMark> {
  if (mark.phase === 'stopped') return mark;
  const saved = mark.saved ?? (await copyState(hook, cluster, mark.request));
  const stopped = { ...mark, phase: 'stopped', saved } as const;
  await writeRestoreMark(hook, stopped);
  return stopped;
}

/** Of a cluster of several units it is what decides who may lead when the data of before come back. */
async function copyState(
  hook: PostgresqlHook,
  cluster: Cluster,
  request: string | undefined,
): Promise<SavedState> {
  if (request === undefined) return await readPatroniState(hook, cluster);
  // A unit that begins once more after it lost its volume finds what it has made itself.
  const kept = await readKeptState(hook, cluster, request);
  if (kept !== undefined) return kept;
  const saved = await readPatroniState(hook, cluster);
  await keepState(hook, cluster, { request, saved });
  return saved;
}

async function replaceData(
  hook: PostgresqlHook,
  cluster: Cluster,
  { mark, mayReturn }: { readonly mark: RestoreMark; readonly mayReturn: boolean },
): Promise<Refusal | undefined> {
  const { walk } = hook;
  const notForgotten = await failureOf(async () => {
    if (mark.request === undefined) await refuseCompany(hook, cluster);
    await forgetCluster(hook, cluster.app);
  });
  if (!walk.decide('was_previous_cluster_info_removed', notForgotten === undefined)) {
    const reason = notForgotten ?? '';
    const refusal = `Failed to remove previous cluster information with error: ${reason}`;
    if (!mayReturn) return triedAgain(refusal);
    walk.step('start_database_again');
    await backOut(hook, cluster, mark);
    return { refusal };
  }
  const notEmptied = await failureOf(async () => {
    await clearDataDirectory(hook, mark.old);
  });
  if (!walk.decide('was_data_directory_emptied', notEmptied === undefined)) {
    const reason = notEmptied ?? '';
    const refusal = `Failed to remove contents of the data directory with error: ${reason}`;
    // Half of the old data are nothing to go back to: the next hook goes on.
    if (mark.old === 'removed' || !mayReturn) return triedAgain(refusal);
    walk.step('start_database_again');
    await backOut(hook, cluster, mark);
    return { refusal };
  }
  walk.step('configure_restore');
  const outputBytes = await measureOutput(hook);
  const started = { ...mark, startedMs: hook.ports.clock.nowMs(), outputBytes };
  await writeRestoreMark(hook, started);
  const settings = await readSettings(hook);
  // With its file of before, Patroni would make a new, empty database here.
  if (settings.kind === 'invalid') return { refusal: 'it goes on when the configuration is valid' };
  await writeMemberConfig(hook, cluster, settings.settings);
  walk.step('start_database');
  // A unit without data has never been started in its container.
  await ensureScripts(hook);
  await labelPod(hook, cluster.app, cluster.unit);
  await startDatabase(hook);
  await recordStart(hook, cluster, started);
  return undefined;
}

/** A unit that has been added since might make an empty database, once Patroni forgets the cluster. */
async function refuseCompany(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const others = await otherMembers(hook, cluster);
  if (others.length === 0) return;
  throw new CodedError(`${others.join(', ')} has been added`, { code: 'not-alone' });
}

async function recordStart(
  hook: PostgresqlHook,
  cluster: Cluster,
  mark: RestoreMark,
): Promise<void> {
  await announce(hook, cluster, targetOfMark(mark));
  await writeRestoreMark(hook, { ...mark, phase: 'started' });
}

/** The leader tells of it in the application's databag; others have the request that they follow. */
export async function announce(
  hook: PostgresqlHook,
  cluster: Cluster,
  target: RestoreTarget,
): Promise<void> {
  if (!(await hook.juju.isLeader())) return;
  cluster.setApp({
    'restoring-backup': target.label,
    'restore-stanza': target.stanza,
    'restore-timeline': target.timeline === undefined ? undefined : `${target.timeline}`,
    'restore-to-time': target.time,
    'restore-failure': undefined,
    's3-initialization-block-message': undefined,
  });
}

/** Keys that only a restore has. */
export const endedRestore = {
  'restoring-backup': undefined,
  'restore-stanza': undefined,
  'restore-timeline': undefined,
  'restore-to-time': undefined,
} as const;

/** Nothing of the old data has been lost yet: they come back, and it is as if nobody had asked. */
async function backOut(hook: PostgresqlHook, cluster: Cluster, mark: RestoreMark): Promise<void> {
  const failure = await failureOf(async () => {
    await bringBack(hook, mark);
    await writeSaved(hook, cluster, mark);
  });
  if (failure !== undefined) {
    hook.log('ERROR', `the data of before are put back later: ${failure}`);
    await writeRestoreMark(hook, { ...mark, phase: 'undoing', failure });
    return;
  }
  if (mark.before !== undefined && mark.request === undefined) {
    await writeRestoreMark(hook, { ...mark, phase: 'started', failure: mark.before });
    return;
  }
  await removeRestoreMark(hook);
  await resumeWithData(hook, cluster);
}

/** The data of before; none where this unit had none, and others of its cluster have. May be repeated. */
export async function bringBack(hook: PostgresqlHook, mark: RestoreMark): Promise<void> {
  const { old, request } = await withOldAsItIs(hook, mark);
  if (old === 'none' && request !== undefined) await clearDataDirectory(hook, 'none');
  else await putBack(hook);
}

/** What stood aside may have been taken away: then what is in its place are not the data of before. */
export async function withOldAsItIs(hook: PostgresqlHook, mark: RestoreMark): Promise<RestoreMark> {
  const stoodAside = mark.phase === 'started' && mark.old === 'aside';
  return stoodAside && !(await isAside(hook)) ? { ...mark, old: 'none' } : mark;
}

/** Whether the cluster still waits for the end of this request. */
export async function isAwaited(cluster: Cluster, id: string): Promise<boolean> {
  const { restoreRequest: request } = await cluster.appData();
  return request?.id === id && request.phase === 'stop';
}

/** Until it has been copied, nothing has been forgotten. What a cluster remembers that went on stays. */
async function writeSaved(
  hook: PostgresqlHook,
  cluster: Cluster,
  { saved, request }: RestoreMark,
): Promise<void> {
  if (request !== undefined && !(await isAwaited(cluster, request))) return;
  if (saved !== undefined) await writePatroniState(hook, cluster, { saved });
}

/** Without data a start has to be that of a new member, which looks first whether there is a cluster. */
async function resumeWithData(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  if (await hasData(hook)) await resumeService(hook, cluster);
}

/**
 * Ends a restore that has succeeded or failed; one that goes on is left as it is. Says whether the
 * restored database is in force: then it has to be asked anew whose the repository is.
 */
export async function settleRestore(
  hook: PostgresqlHook,
  cluster: Cluster,
  mark: RestoreMark,
): Promise<boolean> {
  if (await doesPrimaryAnswer(cluster)) {
    await finishRestore(hook, cluster, mark);
    return true;
  }
  if (await isServiceActive(hook)) return false;
  const failure = mark.failure ?? (await readFailureReason(hook, mark));
  if (mark.request === undefined && !(await isAside(hook))) {
    if (mark.failure !== undefined) return false;
    hook.log('ERROR', `the restore of ${nameOf(mark)} failed: ${failure}`);
    await writeRestoreMark(hook, { ...mark, failure });
    return false;
  }
  await undoRestore(hook, cluster, { ...mark, failure });
  return false;
}

export async function doesPrimaryAnswer(cluster: Cluster): Promise<boolean> {
  const health = await cluster.health();
  return health !== undefined && health.role === 'primary' && isStarted(health.state);
}

async function finishRestore(
  hook: PostgresqlHook,
  cluster: Cluster,
  mark: RestoreMark,
): Promise<void> {
  await setUpDatabase(hook, cluster);
  // Written first: half of the old data are nothing to go back to.
  await writeRestoreMark(hook, { ...mark, phase: 'restored' });
  await completeRestore(hook, cluster, mark);
}

/** What may be repeated when the restored database is in force. */
export async function completeRestore(
  hook: PostgresqlHook,
  cluster: Cluster,
  mark: RestoreMark,
): Promise<void> {
  await removeLeftovers(hook);
  if (mark.request === undefined) await removeRestoreMark(hook);
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
  publishResult(cluster, { request, state: 'restored' });
  // The restored database has the extensions of its own time.
  if (await hook.juju.isLeader()) cluster.setApp({ ...endedRestore, extensions: undefined });
  await resumeService(hook, cluster);
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
  await writeRestoreMark(hook, { ...mark, phase: 'undoing' });
  await setLayer(hook, cluster, { restart: false });
  await stopDatabase(hook);
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
  publishResult(cluster, { request, state: 'failed', failure });
  if (await hook.juju.isLeader()) {
    cluster.setApp({ ...endedRestore, 'restore-failure': noteOf(mark, failure) });
  }
  const settings = await readSettings(hook);
  if (settings.kind === 'valid') await writeMemberConfig(hook, cluster, settings.settings);
  await resumeWithData(hook, cluster);
  hook.log('WARNING', 'the data of before the restore are in force');
}

/** What is shown of a restore that failed; nobody has to be told what they have cancelled. */
export function noteOf(target: RestoreTarget, failure: string): string | undefined {
  return failure === cancelled ? undefined : restoreFailed(nameOf(target), failure);
}

interface Ending extends Omit<RestoreResult, 'id'> {
  readonly request: string | undefined;
}

// Two events may be handled in one dispatch: what the first has written is committed after the second.
const concluded = new WeakSet<object>();

/** Whether the databag tells of the end only in this dispatch, so that Juju may never learn of it. */
export function hasJustConcluded({ juju }: Pick<PostgresqlHook, 'juju'>): boolean {
  return concluded.has(juju);
}

/** Why a restore ended that somebody did not want any more. */
export const cancelled = 'cancelled';

/** Tells the leader, whose request it was. */
export function publishResult(cluster: Cluster, { request, ...result }: Ending): void {
  if (request === undefined) return;
  cluster.setUnit({ [resultKey]: JSON.stringify({ id: request, ...result }) });
}

/** The backup as operators know it, and the time. */
export function nameOf({ label, time }: Pick<RestoreTarget, 'label' | 'time'>): string {
  const until = time?.replace(/(\.0+)?\+00$/, '');
  return until === undefined ? idOfLabel(label) : `${idOfLabel(label)} to ${until}`;
}

/** Patroni is started again from now on whenever it ends; one that runs is not interrupted. */
export async function resumeService(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  await setLayer(hook, cluster, { restart: true });
  await startDatabase(hook);
}

export async function setLayer(
  hook: PostgresqlHook,
  cluster: Cluster,
  { restart }: { readonly restart: boolean },
): Promise<void> {
  const scheme = (await isTlsEnabled(cluster)) ? 'https' : 'http';
  await hook.ports.pebble.addLayer(layerLabel, renderLayer({ scheme, restart }));
}

/** A Patroni that ends at once is no failure of the hook: the status tells. */
export async function startDatabase(hook: PostgresqlHook): Promise<void> {
  const failure = await failureOf(async () => {
    await hook.ports.pebble.start(watcherService, patroniService);
    forgetView(hook);
  });
  if (failure !== undefined) hook.log('ERROR', failure);
}

/** Whether nothing has been started in it yet. */
export async function isNewContainer(hook: PostgresqlHook): Promise<boolean> {
  return (await hook.ports.pebble.services([patroniService])).length === 0;
}

async function isServiceActive(hook: PostgresqlHook): Promise<boolean> {
  const [service] = await hook.ports.pebble.services([patroniService]);
  return service?.current === 'active';
}

async function failureOf(attempt: () => Promise<void>): Promise<string | undefined> {
  try {
    await attempt();
    return undefined;
  } catch (error) {
    if (error instanceof CodedError) return error.message;
    throw error;
  }
}
