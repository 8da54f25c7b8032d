// What keeps a running unit right: configuration changes, update-status, and the notices that a
// member sends when it starts, stops or changes its role.

import type { Handler } from '../lib/juju/hook.ts';
import { hasNewOptions } from './adapters/applied-options.ts';
import {
  type Cluster,
  isStarted,
  openCluster,
  ownMember,
  type PostgresqlHook,
} from './adapters/cluster.ts';
import {
  applyConfiguration,
  readSettings,
  updateSynchronousReplication,
} from './adapters/configuration.ts';
import { checkOptions, hasOpenQuestions } from './adapters/database-checks.ts';
import { clearFormerPrimaries } from './adapters/kubernetes.ts';
import { endLongWork } from './adapters/long-work.ts';
import { settlePasswordChange } from './adapters/password-change.ts';
import {
  readRepository,
  removeRepositoryConfig,
  renewRepositoryConfig,
} from './adapters/repository.ts';
import { ensureServices } from './adapters/services.ts';
import { readVolume } from './adapters/settings-in-force.ts';
import {
  leaveUnfinished,
  readUnfinished,
  takeUpUnfinished,
  type Unfinished,
} from './adapters/unfinished.ts';
import { isReachable, readWatchState } from './adapters/watch-state.ts';
import { followOrder } from './backup-order.ts';
import { backupDue, followSchedule, knowLastBackup } from './backup-schedule.ts';
import { retryRepository } from './backups.ts';
import { leaderElected, pebbleReady } from './charm.ts';
import { watcherService } from './core/render/pebble-layer.ts';
import { noticeDomain } from './core/render/watcher.ts';
import { settingsNotTakenOver } from './core/status.ts';
import { isDiskUnanswered } from './core/watch-state.ts';
import { endInterruptedBackup } from './create-backup.ts';
import { followDepartures } from './departure.ts';
import { followEncryption } from './encryption.ts';
import { updateExtensions } from './extensions.ts';
import type { PostgresqlPorts } from './ports.ts';
import { quietly } from './quietly.ts';
import { repairMember } from './repair.ts';
import { followRestore } from './restore/follow.ts';
import { followRetention } from './retention.ts';
import { rollRestarts } from './rolling-restart.ts';
import { followBackupServer, keepBackupServer } from './tls.ts';
import { endInterruptedTrial } from './verify-backups.ts';

/** Unit databag: the timeline on which the unit was seen to lead last. */
const ledTimelineKey = 'led-timeline';

type PostgresqlHandler = Handler<PostgresqlPorts>;

/**
 * New settings are checked as a whole; invalid ones are named in the status, and change nothing but
 * what commits wait for. Also comes when the application was trusted, and when the pod was replaced: all
 * is made up for.
 */
export const configChanged: PostgresqlHandler = async (hook) => {
  const cluster = await openCluster(hook);
  if (cluster !== undefined) await checkOptions(hook, cluster);
  const result = await readSettings(hook);
  if (result.kind === 'invalid') {
    for (const problem of result.problems) hook.log('ERROR', `invalid configuration: ${problem}`);
    if (cluster !== undefined) await leadConfiguration(hook, cluster);
    return;
  }
  await repair(hook);
};

/** Makes up for what another hook could not do, and otherwise does nothing. */
export const updateStatus: PostgresqlHandler = async (hook) => {
  await repair(hook);
};

const backupNotice = `${noticeDomain}/backup-due`;
const workNotice = `${noticeDomain}/work-left`;

/** What the watcher tells. */
export const watcherNotice: PostgresqlHandler = async (hook) => {
  const cluster = await openCluster(hook);
  if (isNotice(hook, [backupNotice])) {
    if (cluster !== undefined) await backupDue(hook, cluster);
    return;
  }
  if (cluster !== undefined && isNotice(hook, [workNotice])) {
    await endInterruptedBackup(hook, cluster);
    await endLongWork(hook);
  }
  await memberNotice(hook);
};

/**
 * A member started, stopped or changed its role: statuses and what waits for it follow, and the
 * leader makes up for what could not be told to a Patroni that was down.
 */
const memberNotice: PostgresqlHandler = async (hook) => {
  const cluster = await openCluster(hook);
  if (cluster === undefined || (await followRestore(hook, cluster))) return;
  await followTrial(hook);
  await settlePasswordChange(hook, cluster);
  await finishStart(hook, cluster);
  await announceStart(hook, cluster);
  await followDisk(hook, cluster);
  await repairMember(hook, cluster);
  await followLead(hook, cluster);
  await keepBackupServer(hook, cluster);
  const { initialised } = await cluster.appData();
  if (!initialised || !(await hook.juju.isLeader()) || !(await hasStarted(cluster))) return;
  await updateSynchronousReplication(hook, cluster);
  await rollRestarts(hook, cluster);
};

/** A start that config-changed or update-status began is waited for by no deferred event. */
async function finishStart(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  if ((await cluster.unitData())['member-started'] !== undefined) return;
  if (await hasStarted(cluster)) await pebbleReady(quietly(hook));
}

const startNotices = [`${noticeDomain}/on-start`, `${noticeDomain}/on-restart`];

function isNotice({ event }: PostgresqlHook, keys: readonly string[]): boolean {
  return event.kind === 'pebble-notice' && keys.includes(event.noticeKey);
}

/** A member that was started again wakes the leader, whose restarts may wait for it. */
async function announceStart(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  if (!isNotice(hook, startNotices)) return;
  if ((await cluster.unitData())['member-started'] === undefined) return;
  const startTime = (await cluster.health())?.startTime;
  if (startTime !== undefined) cluster.setUnit({ restarted: startTime });
}

/**
 * What the member that leads tells the others. A notice comes once: when nobody answers, it is looked at
 * again by update-status.
 */
async function followLead(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const seen = await cluster.patroniCluster();
  const leads = seen !== undefined && ownMember(seen, cluster.unit)?.role === 'leader';
  if (seen === undefined || (leads && (await cluster.health()) === undefined)) {
    await leaveUnfinished(hook, 'everything');
  }
  if (!leads) return;
  await announceLead(cluster);
  await clearFormerPrimaries(hook, cluster);
  // Whoever takes a Service away takes its Endpoints with it, perhaps those of the lock.
  await ensureServices(hook, cluster);
}

/**
 * Wakes the units that no notice reaches because their own Pebble is dead or frozen: the former
 * primary's still shows what it was.
 */
async function announceLead(cluster: Cluster): Promise<void> {
  const health = await cluster.health();
  if (health?.role !== 'primary' || health.timeline === undefined) return;
  const led = String(health.timeline);
  if ((await cluster.unitData())[ledTimelineKey] === led) return;
  cluster.setUnit({ [ledTimelineKey]: led });
}

/** On a full disk clients may only read, until there is space again; what WAL may take follows the volume. */
async function followDisk(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const unanswered = isDiskUnanswered(await readWatchState(hook));
  if (!unanswered && !(await readVolume(hook)).changed) return;
  if ((await cluster.unitData())['member-started'] === undefined) return;
  await applyConfiguration(hook, cluster);
}

/** No hook runs while another does: a trial restore that is seen here was cut short. */
async function followTrial(hook: PostgresqlHook): Promise<void> {
  if (!(await isReachable(hook))) return;
  if ((await readWatchState(hook)).trial === true) await endInterruptedTrial(hook);
}

async function repair(hook: PostgresqlHook): Promise<void> {
  const cluster = await openCluster(hook);
  if (cluster === undefined) return;
  const silent = quietly(hook);
  const { initialised } = await cluster.appData();
  if (await hook.juju.isLeader()) {
    await (initialised ? followUnits(hook, cluster) : leaderElected(silent));
  }
  if (await followRestore(hook, cluster)) return;
  await followTrial(hook);
  await settlePasswordChange(hook, cluster);
  const unfinished = await readUnfinished(hook);
  await takeUpUnfinished(hook, 'everything');
  if (initialised && (await isInService(hook, cluster))) {
    await followConfiguration(hook, cluster, unfinished);
    await followDisk(hook, cluster);
  } else {
    // The others wait for it, whatever has become of the own member.
    await leadConfiguration(hook, cluster);
    await pebbleReady(silent);
  }
  if (unfinished === 'everything') await makeUp(silent, cluster);
  await repairMember(hook, cluster);
  await followEncryption(hook, cluster);
  await takeOverSettings(hook, cluster);
  await retryRepository(silent, cluster, { again: unfinished === 'everything' });
  await keepBackupServer(hook, cluster);
  await endInterruptedBackup(hook, cluster);
  await rollRestarts(hook, cluster);
  await followRetention(silent, cluster);
  await followOrder(hook, cluster);
  await followSchedule(hook, cluster);
  if (await isTimeForServices(hook)) await ensureServices(hook, cluster);
  await knowLastBackup(hook, cluster);
}

/** The leader's part of what comes first. */
async function followUnits(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  await followDepartures(hook, cluster);
  if (hook.event.name !== 'update-status') await ensureServices(hook, cluster);
}

const minuteMs = 60_000;

/**
 * Nobody tells that a Service is gone when nothing fails over. A quiet update-status looks in the last
 * minutes of an hour only: one or two of them, without a note of when that was.
 */
async function isTimeForServices(hook: PostgresqlHook): Promise<boolean> {
  const minute = Math.floor(hook.ports.clock.nowMs() / minuteMs) % 60;
  return hook.event.name === 'update-status' && minute >= 54 && (await hook.juju.isLeader());
}

/** The leader's part of the configuration. */
async function leadConfiguration(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  if (await hook.juju.isLeader()) await updateSynchronousReplication(hook, cluster);
}

/** update-status only takes up what another hook had to leave open, or was not told. */
async function followConfiguration(
  hook: PostgresqlHook,
  cluster: Cluster,
  unfinished: Unfinished | undefined,
): Promise<void> {
  const resumes = hook.event.name === 'update-status' && unfinished === undefined;
  const open = (await hasOpenQuestions(hook)) || (await hasNewOptions(hook));
  if (!resumes || open) await applyConfiguration(hook, cluster);
  await updateExtensions(hook, cluster);
}

/** What a hook that was cut short may have left, of what is not looked at each time. */
async function makeUp(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const { initialised } = await cluster.appData();
  if (!initialised) return;
  if (!(await isReachable(hook))) {
    await leaveUnfinished(hook, 'everything');
    return;
  }
  if (await hook.juju.isLeader()) await leaderElected(hook);
  await followS3Relation(hook, cluster);
  await followBackupServer(hook, cluster);
  await followLead(hook, cluster);
}

/** The leader waits for the WAL of this unit, which has missed the settings. */
async function takeOverSettings(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const { s3BlockMessage } = await cluster.appData();
  if (s3BlockMessage !== settingsNotTakenOver(cluster.unit)) return;
  if (await isReachable(hook)) await renewRepositoryConfig(hook, cluster);
}

/** pgBackRest's file is that of the relation, and there is none without one. */
async function followS3Relation(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  if ((await readRepository(hook)).kind === 'no-relation') await removeRepositoryConfig(hook);
  else await renewRepositoryConfig(hook, cluster);
}

/** Up, and announced to the others: a start may have been interrupted between the two. */
async function isInService(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  if ((await cluster.unitData())['member-started'] === undefined) return false;
  const own = await cluster.ownListed();
  return own !== undefined && isStarted(own.state) && (await isWatched(hook));
}

/** Without its watcher a member wakes nobody, and is not fenced. */
async function isWatched(hook: PostgresqlHook): Promise<boolean> {
  const [watcher] = await hook.ports.pebble.services([watcherService]);
  return watcher?.current === 'active';
}

async function hasStarted(cluster: Cluster): Promise<boolean> {
  const health = await cluster.health();
  return health !== undefined && isStarted(health.state);
}
