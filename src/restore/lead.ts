// What the leader does about a restore of several units: it takes the request from one phase to the next,
// by what the unit that restores has told, or by its being gone.

import { KubeError } from '../../lib/kube/error.ts';
import type { Cluster, PostgresqlHook } from '../adapters/cluster.ts';
import { updateSynchronousReplication } from '../adapters/configuration.ts';
import { isPodThere } from '../adapters/kubernetes.ts';
import {
  dropKeptState,
  lockHolder,
  type PresentState,
  readKeptState,
  readPresentState,
  writePatroniState,
} from '../adapters/patroni-state.ts';
import {
  parseResult,
  type RestoreRequest,
  renderAbandoned,
} from '../core/backups/restore-request.ts';
import { unitOfMember } from '../core/names.ts';
import { extensionsAnew, updateExtensions } from '../extensions.ts';
import { dataKey } from '../storage.ts';
import { hearOnlyUnit } from './only-unit.ts';
import { stoppedKey } from './others.ts';
import { cancelled, endedRestore, nameOf, noteOf, resultKey } from './told.ts';

/** In the application's databag. */
export const requestKey = 'restore-request';

export async function leadRequest(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const { restoreRequest: request, restoringBackup } = await cluster.appData();
  if (request === undefined && restoringBackup === undefined) return;
  if (!(await hook.juju.isLeader())) return;
  if (request === undefined) {
    await hearOnlyUnit(hook, cluster);
    return;
  }
  if (request.phase === 'stop') {
    await leadToEnd(hook, cluster, request);
    return;
  }
  // Whoever starts with the data of before does so without a request, too, whenever that is.
  if (request.phase === 'clone' && !(await haveAllCopied(hook, cluster, request))) return;
  await dropKeptState(hook, cluster);
  cluster.setApp({ [requestKey]: undefined });
  await updateSynchronousReplication(hook, cluster);
}

/** Then nobody can go back any more, and a member takes it when it is told to archive. */
async function haveAllCopied(
  hook: PostgresqlHook,
  cluster: Cluster,
  request: RestoreRequest,
): Promise<boolean> {
  const down = await unitsDown(cluster);
  if (down.length > 0) await followLoss(hook, cluster, { request, down });
  return down.length === 0 && (await cluster.patroniCluster()) !== undefined;
}

/** By their own word: those that have not started again yet. */
export async function unitsDown(cluster: Cluster): Promise<readonly string[]> {
  const down: string[] = [];
  for (const unit of await cluster.units()) {
    if ((await cluster.peers.data(unit))[stoppedKey] !== undefined) down.push(unit);
  }
  return down;
}

async function leadToEnd(
  hook: PostgresqlHook,
  cluster: Cluster,
  request: RestoreRequest,
): Promise<void> {
  if (!(await cluster.units()).includes(request.unit)) {
    // As long as its pod is there, it may still take the lock.
    if (await isPodThere(hook, request.unit)) return;
    await returnToOld(hook, cluster, { request, failure: `${request.unit} is gone` });
    return;
  }
  const result = parseResult((await cluster.peers.data(request.unit))[resultKey]);
  if (result?.id !== request.id) return;
  if (result.state === 'failed') {
    // The unit itself has put back what Patroni remembered.
    tellFailure(hook, cluster, { request, failure: result.failure ?? '' });
    return;
  }
  const extensions = await extensionsAnew(cluster);
  cluster.setApp({ ...endedRestore, ...withPhase(request, 'clone'), extensions });
  await updateExtensions(hook, cluster);
}

/** The restored data are gone before anybody has copied them: then all have their own still. */
async function followLoss(
  hook: PostgresqlHook,
  cluster: Cluster,
  { request, down }: { readonly request: RestoreRequest; readonly down: readonly string[] },
): Promise<void> {
  const units = await cluster.units();
  if (units.includes(request.unit) || down.length < units.length) return;
  const working = await workingUnits(cluster, request);
  if (working.full.length + working.empty.length > 0) return;
  if (await isPodThere(hook, request.unit)) return;
  await returnToOld(hook, cluster, { request, failure: `${request.unit} is gone` });
}

/**
 * Ends a restore whose primary does not lead any more, before all have copied its data; says why not.
 * All that are down start with their own data; who has restored ones must not be at work meanwhile.
 */
export async function abandonClone(
  hook: PostgresqlHook,
  cluster: Cluster,
  request: RestoreRequest,
): Promise<string | undefined> {
  if (!(await hook.juju.isLeader())) return 'Run it on the leader';
  try {
    return await abandon(hook, cluster, request);
  } catch (error) {
    if (!(error instanceof KubeError)) throw error;
    if (error.code !== 'conflict') return `Kubernetes does not let it: ${error.message}`;
    return 'The restored data are in force: a unit has just taken the lock';
  }
}

async function abandon(
  hook: PostgresqlHook,
  cluster: Cluster,
  request: RestoreRequest,
): Promise<string | undefined> {
  // Before anything that only those tell who can be reached.
  const known = await readPresentState(hook, cluster);
  const holder = lockHolder(known, { app: cluster.app, nowMs: hook.ports.clock.nowMs() });
  if (holder !== undefined) return `The restored data are in force: ${holder} leads`;
  const working = await workingUnits(cluster, request);
  if (working.full.length > 0) {
    const units = working.full.join(', ');
    return `The restored data are in force: ${units} may be promoted, or removed`;
  }
  if ((await unitsDown(cluster)).length === 0) return 'No unit has the data of before any more';
  const kept = await readKeptState(hook, cluster, request.id);
  const isKnown =
    kept?.some(({ annotations }) => (annotations['initialize'] ?? '') !== '') === true;
  // Members without data would make a new database, if Patroni forgot the cluster.
  if (working.empty.length > 0 && !isKnown) return 'Nothing is known of the cluster of before';
  await returnToOld(hook, cluster, { request, failure: cancelled, known });
  return undefined;
}

/** Those whose Patroni is at work: they have the restored data, unless they say that they have none. */
async function workingUnits(
  cluster: Cluster,
  request: RestoreRequest,
): Promise<{ readonly full: readonly string[]; readonly empty: readonly string[] }> {
  const members = (await cluster.patroniCluster())?.members ?? [];
  const units = await cluster.units();
  const empty: string[] = [];
  const full: string[] = [];
  for (const unit of members.map(({ name }) => unitOfMember(name))) {
    const said = units.includes(unit) ? await cluster.peers.data(unit) : {};
    // Patroni lists members that are down, too.
    if (said[stoppedKey] === request.id) continue;
    (said[dataKey] === 'none' ? empty : full).push(unit);
  }
  return { full, empty };
}

interface Failure {
  readonly request: RestoreRequest;
  readonly failure: string;
  /** What has been looked at, and must not have changed since. */
  readonly known?: PresentState;
}

/** What Patroni remembered comes first: it decides which of the data of before may lead. */
async function returnToOld(hook: PostgresqlHook, cluster: Cluster, failed: Failure): Promise<void> {
  const kept = await readKeptState(hook, cluster, failed.request.id);
  // Without a copy nothing has been forgotten.
  if (kept !== undefined) {
    await writePatroniState(hook, cluster, { saved: kept, known: failed.known });
  }
  const { abandonedRestores: before } = await cluster.appData();
  cluster.setApp({ 'restores-abandoned': renderAbandoned(before, failed.request.id) });
  tellFailure(hook, cluster, failed);
}

function tellFailure(hook: PostgresqlHook, cluster: Cluster, { request, failure }: Failure): void {
  cluster.setApp({
    ...endedRestore,
    ...withPhase(request, 'keep'),
    'restore-failure': noteOf(request.target, failure),
  });
  hook.log('ERROR', `the restore of ${nameOf(request.target)} failed: ${failure}`);
}

/** The request in its next phase, as the databag has it. */
function withPhase(
  request: RestoreRequest,
  phase: RestoreRequest['phase'],
): Readonly<Record<string, string>> {
  return { [requestKey]: JSON.stringify({ ...request, phase }) };
}
