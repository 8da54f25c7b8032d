// A switchover to this unit, followed to its end. What Patroni answers is only a hint: its answer may
// be lost, may come before the end, and may say "failed" of a switchover that happened. So whatever
// it was, the cluster is looked at until this member leads, another one does, or time is up.

import { poll } from '../../lib/base/retry.ts';
import { type Cluster, isStarted, ownMember, type PostgresqlHook } from '../adapters/cluster.ts';
import { type Patroni, PatroniError } from '../adapters/patroni.ts';
import type { Health, Member, Cluster as PatroniCluster } from '../adapters/patroni-answers.ts';
import { memberOfUnit, unitOfMember } from '../core/names.ts';
import { createVoice } from './voice.ts';

export type SwitchoverOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly message: string; readonly reason: string };

/** Makes this unit the primary; succeeds at once when it is. */
export async function switchOver(
  hook: PostgresqlHook,
  cluster: Cluster,
): Promise<SwitchoverOutcome> {
  const action = hook.juju.action();
  const seen = await cluster.patroniCluster();
  if (seen === undefined) return failed('no member of Patroni answers');
  const leader = leaderOf(seen);
  if (leader?.name === memberOfUnit(cluster.unit)) {
    await action.log(`${cluster.unit} is the primary already`);
    return { kind: 'done' };
  }
  const refusal = await refuseMember(hook, cluster, seen);
  if (refusal !== undefined) return refusal;
  if (leader === undefined) return failed('there is no primary to take over from');
  await action.log(`switching over from ${unitOfMember(leader.name)} to ${cluster.unit}`);
  return await requestAndFollow(hook, cluster, leader);
}

async function refuseMember(
  hook: PostgresqlHook,
  { unit }: Cluster,
  seen: PatroniCluster,
): Promise<SwitchoverOutcome | undefined> {
  const own = ownMember(seen, unit);
  if (own === undefined || !isStarted(own.state)) {
    return failed(`PostgreSQL of ${unit} is not up: ${own?.state ?? 'not a member'}`);
  }
  if (isSynchronous(own)) return undefined;
  await hook.juju.action().log(describeStandbys(seen));
  return notSynchronous(`${unit} is a ${own.role}`);
}

async function requestAndFollow(
  hook: PostgresqlHook,
  cluster: Cluster,
  leader: Member,
): Promise<SwitchoverOutcome> {
  const candidate = memberOfUnit(cluster.unit);
  // The leader acts at once on what it is asked itself.
  const patroni = await cluster.patroni(unitOfMember(leader.name));
  const answer = await errorOf(async () => {
    await patroni.switchover({ leader: leader.name, candidate });
  });
  if (answer?.code === 'not-sync-standby') return notSynchronous(answer.message);
  const timeoutMs = isRefusal(answer) ? refusedPatienceMs : patienceMs;
  const last = await follow(hook, cluster, { former: leader.name, timeoutMs });
  if (last.kind === 'done' || last.kind === 'alone') return { kind: 'done' };
  const reason = describeFailure(last, answer);
  return failed(answer === undefined ? reason : `${reason}; ${answer.message}`);
}

/** A request that Patroni has not refused it may still have, during a last checkpoint that is long. */
function describeFailure({ kind, text }: Standing, answer: PatroniError | undefined): string {
  return kind === 'former' && !isRefusal(answer) ? `${text}, and may step down yet` : text;
}

// Patroni moves the lock within seconds; after 20 s it answers that it does not know.
const patienceMs = 25_000;
// After a refusal nothing more is to come, unless the refusal was about something already done.
const refusedPatienceMs = 3_000;

/** Whether Patroni has said that it will not, or not any more, do it. */
function isRefusal(answer: PatroniError | undefined): boolean {
  const status = answer?.fields['status'];
  const unknown = answer?.message.includes('status unknown') === true;
  return status !== undefined && !unknown;
}

/**
 * What one look shows: `former`: the old primary leads; `unclear`: nobody, or one who is not promoted
 * yet; `alone`: this unit is the primary, and no replica streams from it.
 */
interface Standing {
  readonly kind: 'done' | 'other' | 'former' | 'unclear' | 'alone';
  readonly text: string;
}

interface Following {
  readonly former: string;
  readonly timeoutMs: number;
}

/** Looks until it has ended or time is up; gives what was seen last, as a reason. */
async function follow(
  hook: PostgresqlHook,
  cluster: Cluster,
  { former, timeoutMs }: Following,
): Promise<Standing> {
  const own = await cluster.patroni();
  const say = createVoice(hook);
  let last: Standing = { kind: 'unclear', text: 'no look was taken' };
  const look = { candidate: memberOfUnit(cluster.unit), former };
  const end = await poll({ clock: hook.ports.clock, intervalMs: 250, timeoutMs }, async () => {
    last = await lookAt(own, look);
    if (last.kind === 'done' || last.kind === 'other') return last;
    await say(describeWait(last, former));
    return undefined;
  });
  return end ?? { kind: last.kind, text: `${last.text} after ${timeoutMs} ms` };
}

function describeWait({ kind, text }: Standing, former: string): string {
  return kind === 'former' ? `waiting for ${unitOfMember(former)} to step down` : text;
}

async function lookAt(
  own: Patroni,
  { candidate, former }: { readonly candidate: string; readonly former: string },
): Promise<Standing> {
  let leader: Member | undefined;
  let health: Health | undefined;
  const error = await errorOf(async () => {
    leader = leaderOf(await own.cluster());
    if (leader?.name === candidate) health = await own.health();
  });
  if (error !== undefined) return { kind: 'unclear', text: error.message };
  if (leader === undefined) return { kind: 'unclear', text: 'no unit leads at the moment' };
  const unit = unitOfMember(leader.name);
  if (leader.name === former) return { kind: 'former', text: `${unit} still leads` };
  if (health === undefined) return { kind: 'other', text: `${unit} became the primary instead` };
  return describeOwn(health);
}

/** The lock comes first, and says nothing about PostgreSQL. */
function describeOwn({ role, followers = [] }: Health): Standing {
  if (role !== 'primary' && role !== 'standby_leader') {
    return { kind: 'unclear', text: 'this unit leads, PostgreSQL is being promoted' };
  }
  if (followers.length > 0) return { kind: 'done', text: '' };
  const text = 'this unit is the primary; strict commits wait until a replica follows it';
  return { kind: 'alone', text };
}

function leaderOf(seen: PatroniCluster): Member | undefined {
  return seen.members.find(({ role }) => role === 'leader' || role === 'standby_leader');
}

function isSynchronous({ role }: Member): boolean {
  return role === 'sync_standby' || role === 'quorum_standby';
}

function describeStandbys(seen: PatroniCluster): string {
  const names = seen.members.filter(isSynchronous).map(({ name }) => unitOfMember(name));
  return names.length === 0
    ? 'no unit is a synchronous replica at the moment'
    : `synchronous replicas: ${names.join(', ')}`;
}

function notSynchronous(reason: string): SwitchoverOutcome {
  return { kind: 'failed', message: 'Unit is not sync standby', reason };
}

function failed(reason: string): SwitchoverOutcome {
  const message = `Switchover failed or timed out, check the logs for details: ${reason}`;
  return { kind: 'failed', message, reason };
}

async function errorOf(attempt: () => Promise<void>): Promise<PatroniError | undefined> {
  try {
    await attempt();
    return undefined;
  } catch (error) {
    if (error instanceof PatroniError) return error;
    throw error;
  }
}
