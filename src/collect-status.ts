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
import {
  awaitingCluster,
  awaitingMember,
  blockedByS3,
  configurationError,
  failedToRestore,
  memberStatus,
  restoringBackup,
  waitingForContainer,
} from './core/status.ts';
import { collectExtensionsStatus } from './extensions.ts';
import type { PostgresqlPorts } from './ports.ts';
import { hasRestoreFailed } from './restore.ts';

/** Contributes the unit's status. */
export const collectStatus: Handler<PostgresqlPorts> = async (hook) => {
  const cluster = await openCluster(hook);
  if (cluster === undefined || !(await hook.ports.pebble.canConnect())) {
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
    return;
  }
  const seen = await cluster.patroniCluster();
  const member = seen === undefined ? undefined : ownMember(seen, cluster.unit);
  if (seen === undefined || member === undefined || !isStarted(member.state)) {
    hook.status(awaitingMember);
    return;
  }
  const started = seen.members.filter(({ state }) => isStarted(state)).length;
  const degraded = started < cluster.units.length;
  const role = { leader: 'primary', standby_leader: 'standby' } as const;
  const shown =
    member.role === 'leader' || member.role === 'standby_leader' ? role[member.role] : 'replica';
  hook.status(memberStatus(shown, degraded));
}
