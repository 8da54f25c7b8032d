// What is known of the own member when it may not follow its primary, for core/repair.ts.

import { present } from '../../lib/base/present.ts';
import type { RepairView } from '../core/repair.ts';
import { followReplay, needsLook, type RepairMember } from '../core/trouble.ts';
import { type Cluster, ownMember, type PostgresqlHook } from './cluster.ts';
import type { Health, Member } from './patroni-answers.ts';
import { type RepairMemory, readRepairMemory } from './repair-memory.ts';
import { readWatchState } from './watch-state.ts';

export interface RepairLook {
  readonly view: RepairView;
  readonly memory: RepairMemory;
}

/** `undefined` when there is nothing to look for. */
export async function lookAtMember(
  hook: PostgresqlHook,
  cluster: Cluster,
): Promise<RepairLook | undefined> {
  const listed = await cluster.patroniCluster();
  const member = listed === undefined ? undefined : ownMember(listed, cluster.unit);
  if (listed === undefined || member === undefined) return undefined;
  const seen = await readWatchState(hook);
  const own = toRepair(member);
  if (!needsLook(own, seen)) return undefined;
  const health = await cluster.health();
  const memory = await readRepairMemory(hook);
  const nowMs = hook.ports.clock.nowMs();
  const view = {
    own: { ...own, ...present({ timeline: earlier(own, health) }) },
    members: listed.members.map(toRepair),
    paused: listed.paused,
    seen,
    attempts: memory.attempts,
    replay: followReplay(memory.replay, health?.replayed, nowMs),
    nowMs,
  };
  return { view, memory };
}

/** The list has the timeline that is received, the member itself that of its data. */
function earlier(listed: RepairMember, health: Health | undefined): number | undefined {
  const known = [listed.timeline, health?.timeline].filter((timeline) => timeline !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

export function toRepair({ name, role, state, timeline }: Member): RepairMember {
  const leading = role === 'leader' || role === 'standby_leader';
  return { name, leads: leading, state, ...(timeline === undefined ? {} : { timeline }) };
}
