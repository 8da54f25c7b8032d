// A restore from its first step to a PostgreSQL that restores, on the unit that does it. The mark beside
// the data directory says how far it is; every step can be done again. The data of before stand aside until
// the restored database answers (end.ts), and come back when it does not (way-back.ts).

import { CodedError } from '../../lib/base/error.ts';
import type { Cluster, PostgresqlHook } from '../adapters/cluster.ts';
import { readSettings, writeMemberConfig } from '../adapters/configuration.ts';
import { clearDataDirectory, stopDatabase } from '../adapters/data-directory.ts';
import { labelPod, otherMembers } from '../adapters/kubernetes.ts';
import {
  forgetCluster,
  keepState,
  readKeptState,
  readPatroniState,
} from '../adapters/patroni-state.ts';
import { measureOutput } from '../adapters/restore-failure.ts';
import {
  type RestoreMark,
  readRestoreMark,
  type SavedState,
  writeCopiedMark,
  writeRestoreMark,
} from '../adapters/restore-mark.ts';
import { ensureScripts } from '../adapters/workload.ts';
import { restoringBackup } from '../core/status.ts';
import { failureOf, hasLeftNothing, isServiceActive, setLayer, startDatabase } from './services.ts';
import { announce, type Refusal } from './told.ts';
import { backOut } from './way-back.ts';

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
    await setLayer(hook, { restart: false });
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
  const leftOf = left?.phase === 'restored' ? (left.request ?? left.id) : undefined;
  // Whose data these are is still to be known should they come back.
  if (leftOf !== undefined) await writeCopiedMark(hook, leftOf);
  const leftNothing = left !== undefined && (await hasLeftNothing(hook, left));
  if (!leftNothing) return wanted;
  return { ...wanted, old: 'none', before: left.failure ?? left.notSetUp ?? '' };
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
    // One that has been started meanwhile has looked before, or is seen here: see charm.ts.
    if (mark.request === undefined) await refuseCompany(hook, cluster);
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
  throw new CodedError(`${others.join(', ')} is a member, too`, { code: 'not-alone' });
}

async function recordStart(
  hook: PostgresqlHook,
  cluster: Cluster,
  mark: RestoreMark,
): Promise<void> {
  await announce(hook, cluster, mark);
  await writeRestoreMark(hook, { ...mark, phase: 'started' });
}
