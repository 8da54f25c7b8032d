// Restarts members one after another when a changed parameter needs it. The Juju leader alone does it,
// through Patroni; core/rolling-restart.ts decides each step. Patroni's marks say what is left, so
// whatever interrupts a round (a killed hook, a new leader, a member that goes down), it goes on with
// the next event: a member that has started, and a unit that has taken over the configuration, wake
// the leader through their databags.

import { poll } from '../lib/base/retry.ts';
import { PostgresError } from '../lib/sql/error.ts';
import {
  type AppData,
  type Cluster,
  isRestoring,
  type PostgresqlHook,
} from './adapters/cluster.ts';
import { PatroniError } from './adapters/patroni.ts';
import { observeMembers, renewMarks } from './adapters/restart-marks.ts';
import { readTurnMs } from './adapters/shared-configuration.ts';
import { withPrimary } from './adapters/users.ts';
import { unitOfMember } from './core/names.ts';
import {
  addAttempt,
  decideRestart,
  parseRound,
  type RestartRound,
  type RestartStep,
  type RestartView,
  renderRound,
} from './core/rolling-restart.ts';
import { restartingMember } from './core/status.ts';

/** Where a round stands: what was seen last, and the step that comes next. */
interface Standing {
  readonly round: RestartRound;
  readonly view: RestartView;
  readonly step: RestartStep;
  /** The unit that Patroni could not restart. */
  readonly failed?: string;
}

/** Goes as far as possible with the restarts that are due. Leader only; others do nothing. */
export async function rollRestarts(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const configuration = await dueConfiguration(hook, cluster);
  if (configuration === undefined) return;
  const begun = parseRound((await cluster.appData()).restartRound, configuration);
  const round = begun ?? { configuration, attempts: {} };
  const first = await refuseOrGo(hook, cluster, await look(cluster, round));
  if (first.step.kind === 'wait' || (first.step.kind === 'stuck' && begun !== undefined)) {
    await conclude(hook, cluster, { ...first, begun: begun !== undefined });
    return;
  }
  const reached = await takeSteps(hook, cluster, round);
  await conclude(hook, cluster, { ...reached, begun: true });
}

/** The configuration that all members are to run with, unless all do. */
async function dueConfiguration(
  hook: PostgresqlHook,
  cluster: Cluster,
): Promise<string | undefined> {
  const app = await cluster.appData();
  if (!app.initialised || isRestoring(app)) return undefined;
  const own = (await cluster.unitData())['config_hash'];
  if (own === undefined || !(await hook.juju.isLeader())) return undefined;
  // Every member of a new cluster starts with it.
  if (app.configHash === undefined) cluster.setApp({ config_hash: own });
  return isUnfinished(app, own) || (await isMarked(hook, cluster)) ? own : undefined;
}

function isUnfinished(app: AppData, own: string): boolean {
  const { configHash = own, restartRound, restartFailure } = app;
  return configHash !== own || restartRound !== undefined || restartFailure !== undefined;
}

/**
 * A mark that no changed option has led to, as after an upgrade of the charm. It is on every member
 * then, so a quiet update-status is content with its own.
 */
async function isMarked(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  if (hook.event.name === 'update-status') {
    const listed = (await cluster.ownListed())?.pendingRestart === true;
    return listed && (await cluster.health())?.pendingRestart === true;
  }
  if ((await cluster.health())?.pendingRestart === true) return true;
  const members = (await cluster.patroniCluster())?.members ?? [];
  return members.some(({ pendingRestart }) => pendingRestart);
}

async function look(cluster: Cluster, round: RestartRound): Promise<Standing> {
  const view = await observeMembers(cluster, round);
  return { round, view, step: decideRestart(view) };
}

// What is left after that is for the next event: no hook is to take minutes. It begins when the marks
// are known, which takes a turn of Patroni's loop: each hook is to get one step further at least.
const budgetMs = 60_000;

async function takeSteps(
  hook: PostgresqlHook,
  cluster: Cluster,
  round: RestartRound,
): Promise<Standing> {
  const turnMs = await readTurnMs(cluster);
  // A mark that is still to come would make a second round: that there is none has to be certain.
  let standing = await lookAgain(hook, cluster, { round, turnMs });
  let endMs = hook.ports.clock.nowMs() + budgetMs;
  let patient = true;
  let certain = true;
  for (;;) {
    const { step } = await refuseOrGo(hook, cluster, { ...standing, endMs });
    if (step.kind === 'finished' && !certain) {
      standing = await lookAgain(hook, cluster, { round: standing.round, turnMs });
      certain = true;
    } else if (patient && lacksStandby(step)) {
      // One that has just come up is not synchronous yet; a switchover to it is shorter.
      const isReached = (now: Standing) => !lacksStandby(now.step);
      standing = await awaitStanding(hook, cluster, { ...standing, turnMs, isReached });
      patient = false;
      endMs = hook.ports.clock.nowMs() + budgetMs;
    } else if (step.kind === 'restart' || step.kind === 'switchover') {
      standing = await takeStep(hook, cluster, { ...standing, step, turnMs });
      if (standing.failed !== undefined) return standing;
      certain = false;
    } else {
      return { ...standing, step };
    }
  }
}

/** The same standing, unless its step may not be taken now: then it waits. */
async function refuseOrGo(
  hook: PostgresqlHook,
  cluster: Cluster,
  { endMs = Infinity, ...standing }: Standing & { readonly endMs?: number },
): Promise<Standing> {
  const { kind } = standing.step;
  if (kind !== 'restart' && kind !== 'switchover') return standing;
  const refusal = await refuseStep(hook, cluster, endMs);
  return refusal === undefined ? standing : { ...standing, step: { kind: 'wait', for: refusal } };
}

async function lookAgain(
  hook: PostgresqlHook,
  cluster: Cluster,
  { round, turnMs }: { readonly round: RestartRound; readonly turnMs: number },
): Promise<Standing> {
  await renewMarks(hook, cluster, turnMs);
  return await look(cluster, round);
}

async function refuseStep(
  hook: PostgresqlHook,
  cluster: Cluster,
  endMs: number,
): Promise<string | undefined> {
  if (hook.ports.clock.nowMs() > endMs) return 'the next event';
  if (await isBackupRunning(hook, cluster)) return 'a backup to end';
  return (await hook.juju.isLeader({ fresh: true })) ? undefined : 'the new leader';
}

/** A primary that lets nobody in may need just this restart: that it cannot tell holds up nothing. */
async function isBackupRunning(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  try {
    const { backupRuns } = await withPrimary(hook, cluster, async (sql) => await sql.copying());
    return backupRuns;
  } catch (error) {
    if (!(error instanceof PostgresError)) throw error;
    hook.log('WARNING', `cannot tell whether a backup runs: ${error.message}`);
    return false;
  }
}

function lacksStandby(step: RestartStep): boolean {
  return step.kind === 'restart' && step.lacksStandby === true;
}

type Action = Extract<RestartStep, { readonly kind: 'restart' | 'switchover' }>;

async function takeStep(
  hook: PostgresqlHook,
  cluster: Cluster,
  before: Standing & { readonly step: Action; readonly turnMs: number },
): Promise<Standing> {
  const { step } = before;
  const target = step.kind === 'restart' ? step.member : step.leader;
  const unit = unitOfMember(target);
  hook.log('INFO', describe(step, before.view));
  await hook.juju.showProgress(restartingMember(unit));
  const complaint = await perform(cluster, step);
  const isReached = ({ view }: Standing) => hasRecovered(view, before.view);
  const after = await awaitStanding(hook, cluster, { ...before, isReached });
  const member = after.view.members.find(({ name }) => name === target);
  const left = member?.ready !== true || member.pending;
  if (complaint !== undefined && left) {
    hook.log('ERROR', complaint.message);
    return { ...after, failed: unit };
  }
  // A switchover counts with the restart of the former primary that follows it.
  if (!left || step.kind === 'switchover') return after;
  const round = addAttempt(before.round, target);
  return await look(cluster, round);
}

/** Patroni's complaint, if it has one; whether it counts shows in what became of the member. */
async function perform(cluster: Cluster, step: Action): Promise<PatroniError | undefined> {
  try {
    if (step.kind === 'restart') {
      const patroni = await cluster.patroni(unitOfMember(step.member));
      await patroni.restart({ onlyPending: true });
    } else {
      const patroni = await cluster.patroni(unitOfMember(step.leader));
      await patroni.switchover({ leader: step.leader, candidate: step.candidate });
    }
    return undefined;
  } catch (error) {
    if (error instanceof PatroniError) return error.code === 'not-pending' ? undefined : error;
    throw error;
  }
}

interface Awaited extends Standing {
  readonly turnMs: number;
  readonly isReached: (standing: Standing) => boolean;
}

/** A replica streams again within seconds; Patroni counts it as synchronous a turn or two later. */
async function awaitStanding(
  hook: PostgresqlHook,
  cluster: Cluster,
  { turnMs, isReached, ...before }: Awaited,
): Promise<Standing> {
  let last: Standing = before;
  const timeoutMs = Math.max(40_000, 3 * turnMs);
  await poll({ clock: hook.ports.clock, intervalMs: 1_000, timeoutMs }, async () => {
    last = await look(cluster, before.round);
    return isReached(last) ? true : undefined;
  });
  return last;
}

/** The members are as they were before the step, so that the next one is as safe. */
function hasRecovered(now: RestartView, before: RestartView): boolean {
  const standbys = ({ members }: RestartView) =>
    members.filter(({ role }) => role === 'standby').length;
  const led = now.members.some(({ role }) => role === 'leader' || role === 'standby_leader');
  return led && now.members.every(({ ready }) => ready) && standbys(now) >= standbys(before);
}

function describe(step: Action, { members }: RestartView): string {
  const target = step.kind === 'restart' ? step.member : step.leader;
  const { changes = {} } = members.find(({ name }) => name === target) ?? {};
  const what = Object.entries(changes).map(([name, { from, to }]) => `${name} ${from} → ${to}`);
  const how =
    step.kind === 'restart'
      ? `restarting PostgreSQL on ${target}`
      : `switching over from ${target} to ${step.candidate}, which restarts ${target}`;
  return what.length === 0 ? how : `${how}: ${what.join(', ')}`;
}

/** Remembers what is left, and says why. */
async function conclude(
  hook: PostgresqlHook,
  cluster: Cluster,
  standing: Standing & { readonly begun: boolean },
): Promise<void> {
  const { step, round, view } = standing;
  if (step.kind === 'wait') hook.log('INFO', `restarts that are due wait for ${step.for}`);
  if (step.kind === 'stuck') {
    hook.log('WARNING', `restarting does not give ${step.members.join(', ')} the new values`);
  }
  // Another leader goes on, from what Patroni shows.
  if (!(await hook.juju.isLeader({ fresh: standing.begun }))) return;
  const { restartFailure } = await cluster.appData();
  cluster.setApp({
    'restart-failure': standing.failed ?? lastingFailure(restartFailure, view),
    ...(step.kind === 'finished'
      ? { config_hash: round.configuration, 'restart-round': undefined }
      : standing.begun
        ? { 'restart-round': renderRound(round) }
        : {}),
  });
  if (standing.begun) await cluster.health({ fresh: true });
}

/** The unit that could not be restarted, until it is up with the new values. */
function lastingFailure(unit: string | undefined, { members }: RestartView): string | undefined {
  const member = members.find(({ name }) => unit !== undefined && unitOfMember(name) === unit);
  return member !== undefined && (!member.ready || member.pending) ? unit : undefined;
}
