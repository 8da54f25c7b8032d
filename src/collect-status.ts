// The status that holds at the end of every hook, whatever the hook did: one function that reads
// what is already known and contributes candidates; the framework picks the most severe.

import type { Handler } from '../lib/juju/hook.ts';
import {
  type Cluster,
  isStarted,
  openCluster,
  ownMember,
  type PostgresqlHook,
} from './adapters/cluster.ts';
import { readSettings } from './adapters/configuration.ts';
import type { Member, MemberRole } from './adapters/patroni-answers.ts';
import { isReachable } from './adapters/view.ts';
import {
  awaitingCluster,
  blockedByS3,
  configurationError,
  failedToRestart,
  failedToRestore,
  failoverPaused,
  memberStatus,
  restartPending,
  restoringBackup,
  waitingForContainer,
} from './core/status.ts';
import { collectExtensionsStatus } from './extensions.ts';
import type { PostgresqlPorts } from './ports.ts';
import { hasRestoreFailed } from './restore.ts';
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
  if (app.restoringBackup !== undefined) {
    hook.status((await hasRestoreFailed(hook)) ? failedToRestore : restoringBackup);
    return;
  }
  if (app.s3BlockMessage !== undefined && (await hook.juju.isLeader())) {
    hook.status(blockedByS3(app.s3BlockMessage));
  }
  if (app.restartFailure !== undefined && (await hook.juju.isLeader())) {
    hook.status(failedToRestart(app.restartFailure));
  }
  await memberStatusOf(hook, cluster, app.initialised);
  await collectExtensionsStatus(hook, cluster);
};

async function memberStatusOf(
  hook: PostgresqlHook,
  cluster: Cluster,
  initialised: boolean,
): Promise<void> {
  if (!initialised) {
    hook.status(awaitingCluster);
    await collectStorageStatus(hook, cluster);
    return;
  }
  const seen = await cluster.patroniCluster();
  const member = seen === undefined ? undefined : ownMember(seen, cluster.unit);
  if (seen === undefined || member === undefined || !isStarted(member.state)) {
    await collectDownStatus(hook, cluster, member);
    await collectStorageStatus(hook, cluster);
    return;
  }
  const role = shownRole(member.role);
  const started = seen.members.filter(({ state }) => isStarted(state)).length;
  const degraded = role !== 'replica' && started < cluster.units.length;
  const pending = await isRestartPending(cluster, member);
  const remarks = [
    ...(degraded ? ['degraded'] : []),
    ...(seen.paused ? [failoverPaused] : []),
    ...(pending ? [restartPending] : []),
    ...(await collectWatchStatus(hook, role)),
  ];
  hook.status(memberStatus(role, remarks));
  await collectRepairStatus(hook, cluster);
}

/** The list lags behind a restart that has just been done: the member itself knows. */
async function isRestartPending(cluster: Cluster, { pendingRestart }: Member): Promise<boolean> {
  return pendingRestart && (await cluster.health())?.pendingRestart === true;
}

function shownRole(role: MemberRole): 'primary' | 'standby' | 'replica' {
  if (role === 'leader') return 'primary';
  return role === 'standby_leader' ? 'standby' : 'replica';
}
