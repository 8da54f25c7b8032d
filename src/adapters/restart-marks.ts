// What a rolling restart has to know of every member. Patroni's list lags a turn of its loop behind, so
// each member is asked for its own mark and state; the list says who leads and who is synchronous.

import { memberHost, memberOfUnit } from '../core/names.ts';
import type { RestartMember, RestartRound, RestartView } from '../core/rolling-restart.ts';
import type { Cluster, PostgresqlHook } from './cluster.ts';
import { PatroniError } from './patroni.ts';
import type { Health, Member } from './patroni-answers.ts';

/** The admitted members as they are now. */
export async function observeMembers(cluster: Cluster, round: RestartRound): Promise<RestartView> {
  const seen = await cluster.patroniCluster({ fresh: true });
  const admitted = await admittedUnits(cluster);
  const members = await Promise.all(
    admitted.map(async (unit): Promise<RestartMember> => {
      const name = memberOfUnit(unit);
      const listed = seen?.members.find((member) => member.name === name);
      const data = await cluster.peers.data(unit);
      return {
        name,
        applied: data['config_hash'] === round.configuration,
        attempts: round.attempts[name] ?? 0,
        ...ownView(listed, await askHealth(cluster, unit)),
      };
    }),
  );
  return { members, paused: seen?.paused ?? false };
}

type OwnView = Pick<RestartMember, 'role' | 'ready' | 'pending' | 'changes'>;

function ownView(listed: Member | undefined, health: Health | undefined): OwnView {
  const role = roleOf(listed);
  if (health === undefined) return { role, ready: false, pending: false };
  const leads = role === 'leader' || role === 'standby_leader';
  return {
    role,
    ready: health.state === 'running' && (leads || health.replicationState !== undefined),
    pending: health.pendingRestart,
    ...(health.pendingChanges === undefined ? {} : { changes: health.pendingChanges }),
  };
}

function roleOf(listed: Member | undefined): RestartMember['role'] {
  const role = listed?.role ?? 'replica';
  return role === 'sync_standby' || role === 'quorum_standby' ? 'standby' : role;
}

async function askHealth(cluster: Cluster, unit: string): Promise<Health | undefined> {
  try {
    return await (await cluster.patroni(unit)).health();
  } catch (error) {
    if (error instanceof PatroniError) return undefined;
    throw error;
  }
}

// Comparing takes Patroni a second, beyond the turn of its loop in which it begins.
const reloadMs = 3_000;

/**
 * Has every member compare its files with what PostgreSQL runs with, and waits until all have: Patroni
 * forgets a mark when it is restarted, and what it could not take over while PostgreSQL was down.
 */
export async function renewMarks(
  hook: PostgresqlHook,
  cluster: Cluster,
  turnMs: number,
): Promise<void> {
  await Promise.all(
    (await admittedUnits(cluster)).map(async (unit) => {
      await requestReload(hook, cluster, unit);
    }),
  );
  await hook.ports.clock.sleep(turnMs + reloadMs);
}

async function requestReload(hook: PostgresqlHook, cluster: Cluster, unit: string): Promise<void> {
  try {
    await (await cluster.patroni(unit)).reload();
  } catch (error) {
    if (!(error instanceof PatroniError)) throw error;
    // The look at the members that follows finds it down.
    hook.log('WARNING', `${unit}: ${error.message}`);
  }
}

async function admittedUnits(cluster: Cluster): Promise<readonly string[]> {
  const { endpoints } = await cluster.appData();
  return (await cluster.units()).filter((unit) =>
    endpoints.includes(memberHost(unit, cluster.app)),
  );
}
