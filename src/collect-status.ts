// The status that holds at the end of every hook, whatever the hook did: one function that reads
// what is already known and contributes candidates; the framework picks the most severe.

import type { Handler } from '../lib/juju/hook.ts';
import type { Status } from '../lib/juju/juju.ts';
import {
  type AppData,
  type Cluster,
  isStarted,
  openCluster,
  ownMember,
  type PostgresqlHook,
} from './adapters/cluster.ts';
import { readSettings } from './adapters/configuration.ts';
import type { Member, MemberRole } from './adapters/patroni-answers.ts';
import { readSuccession } from './adapters/succession.ts';
import { isReachable } from './adapters/watch-state.ts';
import { backupRemarks } from './backup-status.ts';
import type { Settings } from './core/config/settings.ts';
import { presentEndpoints } from './core/membership.ts';
import {
  awaitingCluster,
  blockedByS3,
  configurationError,
  failedToRestart,
  failoverPaused,
  memberStatus,
  nobodyMayLead,
  restartPending,
  waitingForContainer,
  walWaitsFor,
  writesWait,
} from './core/status.ts';
import { collectExtensionsStatus } from './extensions.ts';
import type { PostgresqlPorts } from './ports.ts';
import { unitsDown } from './restore/lead.ts';
import { collectRestoreStatus } from './restore/status.ts';
import { collectStorageStatus } from './storage.ts';
import { collectDownStatus, collectRepairStatus, collectWatchStatus } from './watch-status.ts';

/** Contributes the unit's status. */
export const collectStatus: Handler<PostgresqlPorts> = async (hook) => {
  const cluster = await openCluster(hook);
  if (cluster === undefined || !(await isReachable(hook))) {
    hook.status(waitingForContainer);
    return;
  }
  const settings = await readSettings(hook);
  if (settings.kind === 'invalid') hook.status(configurationError(settings.problems));
  const app = await cluster.appData();
  if (await collectRestoreStatus(hook, cluster)) return;
  for (const problem of problemsOf(app)) {
    if (await hook.juju.isLeader()) hook.status(problem);
  }
  const valid = settings.kind === 'valid' ? settings.settings : undefined;
  await memberStatusOf(hook, cluster, { app, settings: valid });
  await collectExtensionsStatus(hook, cluster);
};

/** What concerns the whole application; its leader shows it. */
function problemsOf({ s3BlockMessage, cipherProblem, restartFailure }: AppData): readonly Status[] {
  return [
    ...(s3BlockMessage === undefined ? [] : [blockedByS3(s3BlockMessage)]),
    ...(cipherProblem === undefined ? [] : [blockedByS3(cipherProblem)]),
    ...(restartFailure === undefined ? [] : [failedToRestart(restartFailure)]),
  ];
}

interface Wanted {
  readonly app: AppData;
  /** `undefined` while an option is wrong. */
  readonly settings: Settings | undefined;
}

async function memberStatusOf(
  hook: PostgresqlHook,
  cluster: Cluster,
  { app, settings }: Wanted,
): Promise<void> {
  if (!app.initialised) {
    hook.status(awaitingCluster);
    await collectStorageStatus(hook, cluster);
    return;
  }
  const seen = await cluster.patroniCluster();
  const member = seen === undefined ? undefined : ownMember(seen, cluster.unit);
  if (seen === undefined || member === undefined || !isStarted(member.state)) {
    await collectDownStatus(hook, cluster, { seen, member });
    await collectStorageStatus(hook, cluster);
    return;
  }
  const role = shownRole(member.role);
  const started = seen.members.filter(({ state }) => isStarted(state)).length;
  const pending = await isRestartPending(cluster, member);
  const remarks = [
    ...(role === 'replica' ? [] : await missingMembers(cluster, started, { app, settings })),
    ...(seen.paused ? [failoverPaused] : []),
    ...(pending ? [restartPending] : []),
    ...(await collectWatchStatus(hook, role)),
    ...(await restoreRemarks(hook, cluster, role)),
    ...(await backupRemarks(hook, cluster, settings)),
  ];
  hook.status(memberStatus(role, remarks));
  const succession = await readSuccession(hook, cluster, seen);
  if (succession.kind === 'stuck') hook.status(nobodyMayLead(succession.complete));
  await collectRepairStatus(hook, cluster);
}

/** Remarks on a leading member when others do not run. */
async function missingMembers(
  cluster: Cluster,
  started: number,
  { app, settings }: Wanted,
): Promise<readonly string[]> {
  // That is more than are wanted, if anything.
  const related = 1 + (await cluster.peers.units()).length;
  if (started >= related) return [];
  const units = await cluster.units();
  const admitted = presentEndpoints(cluster.app, units, app.endpoints).length;
  const waits = settings?.synchronousModeStrict === true && started === 1 && admitted > 1;
  return [...(started < units.length ? ['degraded'] : []), ...(waits ? [writesWait] : [])];
}

/** Until the next restore, or until somebody has taken note of it. */
async function restoreRemarks(
  hook: PostgresqlHook,
  cluster: Cluster,
  role: 'primary' | 'standby' | 'replica',
): Promise<readonly string[]> {
  const { restoreFailure, restoreRequest } = await cluster.appData();
  const waits = role !== 'replica' && restoreRequest?.phase === 'clone';
  const down = waits ? await unitsDown(cluster) : [];
  const failed = restoreFailure !== undefined && (await hook.juju.isLeader());
  return [...(failed ? [restoreFailure] : []), ...(down.length === 0 ? [] : [walWaitsFor(down)])];
}

/** The list lags behind a restart that has just been done: the member itself knows. */
async function isRestartPending(cluster: Cluster, { pendingRestart }: Member): Promise<boolean> {
  return pendingRestart && (await cluster.health())?.pendingRestart === true;
}

function shownRole(role: MemberRole): 'primary' | 'standby' | 'replica' {
  if (role === 'leader') return 'primary';
  return role === 'standby_leader' ? 'standby' : 'replica';
}
