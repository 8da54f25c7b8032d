// Repairs the own member when it does not follow its primary; core/repair.ts decides. What was tried
// is kept in a file beside the data directory, so that it outlives hooks and pods.

import * as v from 'valibot';

import { present } from '../lib/base/present.ts';
import { type Cluster, isStarted, ownMember, type PostgresqlHook } from './adapters/cluster.ts';
import { PatroniError } from './adapters/patroni.ts';
import type { Health, Member } from './adapters/patroni-answers.ts';
import { readWatchState } from './adapters/watch-state.ts';
import { repairAttemptsPath, unitOfMember, workloadUser } from './core/names.ts';
import {
  type Attempt,
  decideRepair,
  needsLook,
  type RepairMember,
  type RepairStep,
} from './core/repair.ts';
import type { WatchState } from './core/watch-state.ts';

/** Takes the next step towards a replica that follows; does nothing where nothing is wrong. */
export async function repairMember(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  if (await needsNothing(hook, cluster)) return;
  const step = await nextRepair(hook, cluster);
  if (step.kind !== 'restart' && step.kind !== 'clone') return;
  if (!(await leads(cluster, unitOfMember(step.leader)))) return;
  hook.log('WARNING', `${step.kind} of this replica: ${step.reason}`);
  const patroni = await cluster.patroni();
  try {
    await (step.kind === 'restart' ? patroni.restart() : patroni.reinitialize());
  } catch (error) {
    if (!(error instanceof PatroniError)) throw error;
    hook.log('WARNING', `${step.kind} of this replica: ${error.message}`);
  }
  await remember(hook, { kind: step.kind, atMs: hook.ports.clock.nowMs() });
}

/** All is well, or there is no Patroni, without which nothing can be done for a member. */
async function needsNothing(hook: PostgresqlHook, cluster: Cluster): Promise<boolean> {
  const own = await cluster.ownListed();
  if (own === undefined && (await cluster.health()) === undefined) return true;
  const seen = await readWatchState(hook);
  return isListedWell(own, seen) || isWell(await cluster.health(), seen);
}

/** By the list that the status needs anyway. */
function isListedWell(own: Member | undefined, seen: WatchState): boolean {
  return own !== undefined && isStarted(own.state) && !needsLook(toRepair(own), seen);
}

/** By the member's own word, when the list, which may be late, says otherwise. */
function isWell(health: Health | undefined, { brokenAtMs }: WatchState): boolean {
  if (health === undefined || !isStarted(health.state)) return false;
  const follows = health.role === 'replica' || health.role === 'unknown';
  return !follows || (health.replicationState !== undefined && brokenAtMs === undefined);
}

/** What would be done about the own member now. */
export async function nextRepair(hook: PostgresqlHook, cluster: Cluster): Promise<RepairStep> {
  const listed = await cluster.patroniCluster();
  const member = listed === undefined ? undefined : ownMember(listed, cluster.unit);
  if (listed === undefined || member === undefined) return { kind: 'none' };
  const seen = await readWatchState(hook);
  const own = toRepair(member);
  if (!needsLook(own, seen)) return { kind: 'none' };
  return decideRepair({
    own: { ...own, ...present({ timeline: earlier(own, await cluster.health()) }) },
    members: listed.members.map(toRepair),
    paused: listed.paused,
    seen,
    attempts: await readAttempts(hook),
    nowMs: hook.ports.clock.nowMs(),
  });
}

/** The list has the timeline that is received, the member itself that of its data. */
function earlier(listed: RepairMember, health: Health | undefined): number | undefined {
  const known = [listed.timeline, health?.timeline].filter((timeline) => timeline !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

function toRepair({ name, role, state, timeline }: Member): RepairMember {
  const leading = role === 'leader' || role === 'standby_leader';
  return { name, leads: leading, state, ...(timeline === undefined ? {} : { timeline }) };
}

/** Asked of the leader itself, right before something is deleted. */
async function leads(cluster: Cluster, unit: string): Promise<boolean> {
  try {
    return await (await cluster.patroni(unit)).isLeader();
  } catch (error) {
    if (error instanceof PatroniError) return false;
    throw error;
  }
}

const attemptsSchema = v.array(
  v.object({ kind: v.picklist(['restart', 'clone']), atMs: v.number() }),
);

async function readAttempts(hook: PostgresqlHook): Promise<readonly Attempt[]> {
  const text = await hook.ports.pebble.pull(repairAttemptsPath);
  if (text === undefined) return [];
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), attemptsSchema), text);
  return result.success ? result.output : [];
}

const kept = 10;

async function remember(hook: PostgresqlHook, attempt: Attempt): Promise<void> {
  const attempts = [...(await readAttempts(hook)), attempt].slice(-kept);
  await hook.ports.pebble.push(repairAttemptsPath, `${JSON.stringify(attempts)}\n`, {
    user: workloadUser,
    group: workloadUser,
    mode: '0600',
  });
}
