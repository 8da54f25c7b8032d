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
  walWaitsForLeader,
  writesWait,
} from './core/status.ts';
import { describeAwaited } from './core/succession.ts';
import { collectExtensionsStatus } from './extensions.ts';
import { isHeldUp, missingMembers } from './missing-members.ts';
import type { PostgresqlPorts } from './ports.ts';
import { unitsDown } from './restore/lead.ts';
import { collectRestoreStatus } from './restore/status.ts';
import { collectStorageStatus } from './storage.ts';
import {
  collectDownStatus,
  collectFullDisk,
  collectLowDisk,
  collectRepairStatus,
  readWatchRemarks,
} from './watch-status.ts';

/** Contributes the unit's status. */
export const collectStatus: Handler<PostgresqlPorts> = async (hook) => {
  const cluster = await openCluster(hook);
  if (cluster === undefined || !(await isReachable(hook))) {
    hook.status(waitingForContainer);
    return;
  }
  const settings = await readSettings(hook);
  const app = await cluster.appData();
  // Among what is as severe the first is shown: what keeps the database from working comes before what
  // it works in spite of.
  try {
    if (await collectRestoreStatus(hook, cluster)) return;
    const valid = settings.kind === 'valid' ? settings.settings : undefined;
    await memberStatusOf(hook, cluster, { app, settings: valid });
  } finally {
    if (settings.kind === 'invalid') {
      const waits = app.initialised && (await isHeldUp(hook, cluster));
      hook.status(configurationError(settings.problems, waits ? [writesWait] : []));
    }
  }
  for (const problem of problemsOf(app)) {
    if (await hook.juju.isLeader()) hook.status(problem);
  }
  await collectExtensionsStatus(hook, cluster);
  await collectLowDisk(hook);
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
  const pending = await isRestartPending(cluster, member);
  const remarks = [
    ...(role === 'replica' ? [] : await missingMembers(hook, cluster, seen)),
    ...(seen.paused ? [failoverPaused] : []),
    ...(pending ? [restartPending] : []),
    ...(await readWatchRemarks(hook, role)),
    ...(await restoreRemarks(hook, cluster, role)),
    ...(await backupRemarks(hook, cluster, settings)),
  ];
  hook.status(memberStatus(role, remarks));
  const succession = await readSuccession(hook, cluster, seen);
  if (succession.kind === 'stuck') hook.status(nobodyMayLead(describeAwaited(succession.awaited)));
  await collectRepairStatus(hook, cluster);
  await collectFullDisk(hook);
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
  const held = down.length === 0 ? walWaitsForLeader : walWaitsFor(down);
  const failed = restoreFailure !== undefined && (await hook.juju.isLeader());
  return [...(failed ? [restoreFailure] : []), ...(waits ? [held] : [])];
}

/** The list lags behind a restart that has just been done: the member itself knows. */
async function isRestartPending(cluster: Cluster, { pendingRestart }: Member): Promise<boolean> {
  return pendingRestart && (await cluster.health())?.pendingRestart === true;
}

function shownRole(role: MemberRole): 'primary' | 'standby' | 'replica' {
  if (role === 'leader') return 'primary';
  return role === 'standby_leader' ? 'standby' : 'replica';
}
