// Repairs the own member when it does not follow its primary; core/repair.ts decides, and
// core/clone-admission.ts has the last word before data are deleted.

import { present } from '../lib/base/present.ts';
import { logSaysBeyondRepair, readStreaming, tryReplicationLogin } from './adapters/clone-facts.ts';
import { type Cluster, isStarted, type PostgresqlHook } from './adapters/cluster.ts';
import { PatroniError } from './adapters/patroni.ts';
import type { Health, Member } from './adapters/patroni-answers.ts';
import { lookAtMember, type RepairLook, toRepair } from './adapters/repair-look.ts';
import { writeRepairMemory } from './adapters/repair-memory.ts';
import { readWatchState } from './adapters/watch-state.ts';
import { admitClone, type CloneAdmission } from './core/clone-admission.ts';
import { unitOfMember } from './core/names.ts';
import {
  attemptsThatCount,
  decideRepair,
  type RepairStep,
  type RepairView,
} from './core/repair.ts';
import { needsLook } from './core/trouble.ts';
import type { WatchState } from './core/watch-state.ts';

/** Takes the next step towards a replica that follows; does nothing where nothing is wrong. */
export async function repairMember(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  if (await needsNothing(hook, cluster)) return;
  const look = await lookAtMember(hook, cluster);
  if (look === undefined) return;
  const step = decideRepair(look.view);
  if (!isDue(step)) {
    await remember(hook, look);
    return;
  }
  if (!(await leads(cluster, unitOfMember(step.leader)))) return;
  const admission = await admit(hook, cluster, { view: look.view, step });
  if (admission.kind === 'admitted') {
    await take(hook, cluster, step);
    await remember(hook, look, { attempted: step.kind });
  } else if (admission.kind === 'refused') {
    const refusal = `${step.reason}; ${admission.reason}`;
    if (refusal !== look.memory.refusal) hook.log('WARNING', `this replica stays: ${refusal}`);
    await remember(hook, look, { refusal });
  }
}

type DueStep = Extract<RepairStep, { readonly leader: string }> & {
  readonly kind: 'restart' | 'clone';
};

function isDue(step: RepairStep): step is DueStep {
  return step.kind === 'restart' || step.kind === 'clone';
}

async function remember(
  hook: PostgresqlHook,
  { view }: RepairLook,
  news: { readonly attempted?: DueStep['kind']; readonly refusal?: string } = {},
): Promise<void> {
  const { attempted, refusal } = news;
  const made = attempted === undefined ? [] : [{ kind: attempted, atMs: hook.ports.clock.nowMs() }];
  await writeRepairMemory(hook, {
    attempts: [...attemptsThatCount(view), ...made],
    ...present({ replay: view.replay, refusal }),
  });
}

async function take(
  hook: PostgresqlHook,
  cluster: Cluster,
  { kind, reason }: DueStep,
): Promise<void> {
  hook.log('WARNING', `${kind} of this replica: ${reason}`);
  const patroni = await cluster.patroni();
  try {
    await (kind === 'restart' ? patroni.restart() : patroni.reinitialize());
  } catch (error) {
    if (!(error instanceof PatroniError)) throw error;
    hook.log('WARNING', `${kind} of this replica: ${error.message}`);
  }
}

/** Asked only when data are to be deleted: it takes a login, and the server's log. */
async function admit(
  hook: PostgresqlHook,
  cluster: Cluster,
  { view, step }: { readonly view: RepairView; readonly step: DueStep },
): Promise<CloneAdmission> {
  if (step.kind === 'restart' || step.loses === 'nothing') return { kind: 'admitted' };
  const leader = unitOfMember(step.leader);
  const since = view.seen.brokenAtMs ?? view.seen.down?.atMs ?? view.nowMs;
  return admitClone({
    own: view.own.name,
    members: view.members,
    loginFailure: await tryReplicationLogin(hook, cluster, leader),
    streaming: await readStreaming(cluster, leader),
    beyondRepair: step.loses === 'beyond-repair' || (await logSaysBeyondRepair(hook, since)),
  });
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

/** Why nothing more is done for the own member, although it does not follow. */
export async function whyNotRepaired(
  hook: PostgresqlHook,
  cluster: Cluster,
): Promise<string | undefined> {
  const look = await lookAtMember(hook, cluster);
  if (look === undefined) return undefined;
  const step = decideRepair(look.view);
  if (step.kind === 'give-up') return step.reason;
  return step.kind === 'clone' ? look.memory.refusal : undefined;
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
