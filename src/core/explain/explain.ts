// What follows from what was seen: what this unit does next, and what it waits for. A list of small
// rules; each looks at some facts and gives sentences, and keeps silent about what it cannot know.

import { runsOf } from '../backups/schedule.ts';
import { isoSeconds } from '../backups/times.ts';
import { describeAwaited, judgeSuccession, type Succession } from '../succession.ts';
import { type MemberFacts, type Observed, seen } from './facts.ts';
import {
  answerDisk,
  archiveWal,
  awaitAddress,
  finishWork,
  keepExtensions,
  missesData,
  repairReplica,
  replaceWatcher,
  startOnStorage,
} from './upkeep.ts';

export interface Waiting {
  /** The deferred event. */
  readonly event: string;
  readonly for: string;
}

export interface Explanation {
  readonly observed: Observed;
  readonly next: readonly string[];
  readonly waits: readonly Waiting[];
}

type Stuck = Extract<Succession, { kind: 'stuck' }>;
type Rule = (observed: Observed) => readonly string[];

/** Sorts out what was seen. */
export function explain(observed: Observed): Explanation {
  const next = rules.flatMap((rule) => rule(observed));
  const deferred = new Set(seen(observed.deferred) ?? []);
  const waits = [...deferred].map((event) => ({
    event,
    for: reasonToWait(event, observed),
  }));
  const blind = unreachableSources(observed);
  const quiet =
    blind.length === 0
      ? 'Nothing: everything is as it should be.'
      : `Nothing that shows; out of reach: ${blind.join(', ')}.`;
  return { observed, next: next.length + waits.length === 0 ? [quiet] : next, waits };
}

function unreachableSources(observed: Observed): readonly string[] {
  return Object.entries(observed).flatMap(([name, source]: [string, unknown]) =>
    typeof source === 'object' &&
    source !== null &&
    'kind' in source &&
    source.kind === 'unreachable'
      ? [name]
      : [],
  );
}

const rules: readonly Rule[] = [
  initialise,
  restore,
  correctConfiguration,
  startServices,
  replaceWatcher,
  startOnStorage,
  startMember,
  answerDisk,
  repairReplica,
  findPrimary,
  awaitReplica,
  holdLock,
  leadClients,
  awaitAddress,
  mendServices,
  admitUnits,
  removeMembers,
  restartMembers,
  stayPaused,
  finishWork,
  endPasswordChange,
  keepExtensions,
  archiveWal,
  repairBackups,
  makeBackups,
];

function initialise({ juju }: Observed): readonly string[] {
  const facts = seen(juju);
  if (facts === undefined || facts.initialised) return [];
  return facts.leader
    ? ['Initialise the cluster when PostgreSQL of this unit is up and its Service leads to it.']
    : ['Start when the leader has initialised the cluster.'];
}

function restore({ juju, pebble }: Observed): readonly string[] {
  const { restoring: label, restoreFailure } = seen(juju) ?? {};
  if (label === undefined) {
    return restoreFailure === undefined
      ? []
      : [`Go on without a restore: ${restoreFailure}. cancel-restore takes note of that.`];
  }
  const { problem, isUp = false, wayBack = false } = seen(pebble)?.restore ?? {};
  if (problem !== undefined) return [stuckRestore({ label, problem, isUp, wayBack })];
  return [
    `End the restore of ${label} when the restored database answers; nothing else meanwhile.`,
  ];
}

interface StuckRestore {
  readonly label: string;
  readonly problem: string;
  readonly isUp: boolean;
  readonly wayBack: boolean;
}

/** What remains, and what a person can do. */
function stuckRestore({ label, problem, isUp, wayBack }: StuckRestore): string {
  const next = isUp
    ? `Set up the database that has been restored from ${label}, tried again by each hook`
    : `Wait for another restore: that of ${label} has failed`;
  const old = wayBack
    ? 'The data of before are there: cancel-restore puts them in force, and what has been committed ' +
      'in the restored database since is lost.'
    : 'There are no data of before to go back to: restore another backup.';
  return `${next}: ${problem}. ${old}`;
}

function correctConfiguration({ configuration }: Observed): readonly string[] {
  const problems = seen(configuration) ?? [];
  if (problems.length === 0) return [];
  return [`Apply the configuration when it has been corrected: ${problems.join('; ')}.`];
}

function startServices({ pebble }: Observed): readonly string[] {
  const down = (seen(pebble)?.services ?? []).filter(
    ({ name, current }) => current !== 'active' && essentialServices.includes(name),
  );
  return down.map(({ name, current }) => `Get service ${name} up again, which is ${current}.`);
}

const essentialServices = ['postgresql', 'watcher'];

function startMember({ own }: Observed): readonly string[] {
  const facts = seen(own);
  if (facts === undefined || facts.started) return [];
  return [`Take part when PostgreSQL of this unit is up: it is ${facts.state}.`];
}

function findPrimary({ patroni, kubernetes }: Observed): readonly string[] {
  const facts = seen(patroni);
  if (facts === undefined || facts.members.some(leads)) return [];
  const succession = judgeSuccession(facts.members, seen(kubernetes)?.commits);
  if (succession.kind === 'stuck') return decideSuccession(succession);
  const who = facts.paused
    ? 'while failover is paused nobody does: run resume-failover'
    : 'a synchronous replica does, as soon as the lock is free';
  return [`Follow a new primary when there is one; ${who}.`];
}

/** What to wait for, and what to do when that is in vain. */
function decideSuccession({ awaited, newest }: Stuck): readonly string[] {
  const wait =
    `Follow a new primary after the return of ${describeAwaited(awaited)}: without that, all that ` +
    'was committed is not there for certain, so nobody becomes the primary.';
  if (newest === undefined) return [wait];
  const timeline = newest.timeline === undefined ? '' : `, timeline ${newest.timeline}`;
  const lag = newest.lagBytes === undefined ? 'lag unknown' : `${newest.lagBytes} bytes behind`;
  return [
    wait,
    `If that will never be: of the units that are up ${newest.unit} has the newest data ` +
      `(${lag}${timeline}). What it does not have is given up by ` +
      `"juju run ${newest.unit} promote-to-primary scope=unit force=true".`,
  ];
}

function awaitReplica({ patroni, juju }: Observed): readonly string[] {
  const facts = seen(juju);
  const members = seen(patroni)?.members ?? [];
  const alone = members.filter(({ started }) => started).every(leads) && members.some(isLeading);
  if (facts?.strict !== true || facts.admittedUnits.length < 2 || !alone) return [];
  const missing = facts.admittedUnits.filter((unit) => {
    return !members.some((member) => member.unit === unit && member.started);
  });
  return [
    `Let writes go on when ${missing.join(' or ')} is up again: commits wait for a replica. If none ` +
      'of them ever comes back, remove their units, or set synchronous_mode_strict=false, after ' +
      'which the primary goes on alone.',
  ];
}

function isLeading(member: MemberFacts): boolean {
  return leads(member) && member.started;
}

function holdLock({ patroni, kubernetes }: Observed): readonly string[] {
  const leader = seen(patroni)?.members.find(leads)?.unit;
  const holder = seen(kubernetes)?.lockHolder;
  if (leader === undefined || holder === undefined || leader === holder) return [];
  return [`Wait for Patroni: ${holder} holds the lock, but ${leader} was seen leading.`];
}

function leadClients({ kubernetes, patroni }: Observed): readonly string[] {
  const facts = seen(kubernetes);
  const leader = seen(patroni)?.members.find(leads)?.unit;
  if (facts === undefined || leader === undefined) return [];
  if (facts.primaryTargets.length === 1 && facts.primaryTargets[0] === leader) return [];
  const targets = facts.primaryTargets.join(', ') || 'nobody';
  return [`Wait for clients to be led to ${leader}; now it is ${targets}.`];
}

function mendServices({ kubernetes }: Observed): readonly string[] {
  const wrong = seen(kubernetes)?.wrongServices ?? [];
  if (wrong.length === 0) return [];
  return [
    `Have the Services ${wrong.join(', ')} made anew, which are missing or changed: when any option ` +
      'or a member changes, or within an hour or two.',
  ];
}

function admitUnits({ juju, patroni }: Observed): readonly string[] {
  const facts = seen(juju);
  if (facts === undefined || !facts.initialised) return [];
  const missing = facts.plannedUnits.filter((unit) => !facts.admittedUnits.includes(unit));
  if (missing.length === 0) return [];
  const who = facts.leader ? 'Admit' : 'Wait for the leader to admit';
  return [`${who} ${missing.join(', ')} to the cluster${whenReady(seen(patroni)?.members)}.`];
}

function whenReady(members: readonly MemberFacts[] | undefined): string {
  const notReady = describeNotReady(members ?? []);
  return notReady === '' ? ', one after another' : ` when all members are ready: ${notReady}`;
}

function removeMembers({ juju, patroni }: Observed): readonly string[] {
  const facts = seen(juju);
  if (facts === undefined || !facts.initialised || facts.plannedUnits.length === 0) return [];
  const gone = facts.admittedUnits.filter((unit) => !facts.plannedUnits.includes(unit));
  const who = facts.leader ? 'Take out' : 'Wait for the leader to take out';
  const strangers = (seen(patroni)?.members ?? [])
    .map(({ unit }) => unit)
    .filter((unit) => !facts.plannedUnits.includes(unit) && !gone.includes(unit));
  return [
    ...(gone.length === 0 ? [] : [`${who} ${gone.join(', ')}, which Juju removes.`]),
    ...(strangers.length === 0
      ? []
      : [`Wait for Patroni to forget ${strangers.join(', ')}, which Juju does not know.`]),
  ];
}

function restartMembers({ juju, patroni }: Observed): readonly string[] {
  const facts = seen(patroni);
  const failure = seen(juju)?.restartFailure;
  const pending = (facts?.members ?? []).filter(({ pendingRestart }) => pendingRestart);
  const units = pending.map(({ unit }) => unit).join(', ');
  const how = facts?.paused === true ? 'when failover has been resumed' : 'one after another';
  return [
    ...(failure === undefined
      ? []
      : [`Try again to restart PostgreSQL of ${failure}, which failed.`]),
    ...(pending.length === 0
      ? []
      : [`See PostgreSQL of ${units} restarted by the leader for changed options, ${how}.`]),
  ];
}

function stayPaused({ patroni, own }: Observed): readonly string[] {
  if (seen(patroni)?.paused !== true) return [];
  const down = seen(own)?.state === 'stopped';
  return [
    'Start and promote nothing: failover is paused. resume-failover ends that, also for a primary that is down.',
    ...(down
      ? ['Leave PostgreSQL of this unit down until then; why it went down stands under Watcher.']
      : []),
  ];
}

function endPasswordChange({ pebble }: Observed): readonly string[] {
  if (seen(pebble)?.passwordChange !== true) return [];
  return ['Make the database agree with the passwords in Juju, after a change that has not ended.'];
}

function repairBackups({ backups, juju }: Observed): readonly string[] {
  const blocked = seen(backups)?.blocked;
  if (blocked === undefined) return [];
  const who = seen(juju)?.leader === true ? 'Try' : 'Wait for the leader to try';
  return [`${who} the backup settings again at each update-status: ${blocked}.`];
}

function makeBackups({ backups, juju }: Observed): readonly string[] {
  const schedule = seen(backups)?.schedule;
  if (schedule === undefined) return [];
  const who = seen(juju)?.leader === true ? 'Make' : 'Wait for the leader to make';
  return runsOf(schedule).flatMap(([type, run]) => {
    const { due, retry, next = 0, delayed, missed } = run;
    if (due === undefined) return [];
    const what = `${who} the ${type} backup that was due ${isoSeconds(due)}`;
    if (missed === undefined && delayed !== undefined) return [`${what}; it waits: ${delayed}.`];
    if (missed === undefined) return [`${what}.`];
    return [
      `${what} at ${isoSeconds(Math.min(retry ?? next, next))}; so far it failed: ${missed}.`,
    ];
  });
}

function describeNotReady(members: readonly MemberFacts[]): string {
  return members
    .filter(({ started }) => !started)
    .map(({ unit, state }) => `${unit} is ${state}`)
    .join(', ');
}

function leads({ role }: MemberFacts): boolean {
  return role === 'leader' || role === 'standby_leader';
}

/** Why a deferred event could not be handled yet, as far as it shows. */
function reasonToWait(event: string, observed: Observed): string {
  const reason = waitReasons
    .map((rule) => rule(event, observed))
    .find((found) => found !== undefined);
  return reason ?? 'something that has come by now, or does not show; the next hook tries it again';
}

const waitReasons: readonly ((event: string, observed: Observed) => string | undefined)[] = [
  (_event, { pebble }) =>
    pebble.kind === 'unreachable' ? 'the workload container to answer' : undefined,
  (_event, { juju }) =>
    seen(juju)?.initialised === false ? 'the leader to initialise the cluster' : undefined,
  (event, { configuration }) =>
    event === 'postgresql-pebble-ready' && (seen(configuration) ?? []).length > 0
      ? 'a valid configuration to start with'
      : undefined,
  (event, { storage }) =>
    event === 'postgresql-pebble-ready' && missesData(seen(storage))
      ? 'the storage with the data of the cluster'
      : undefined,
  (_event, { own }) => {
    if (own.kind === 'unreachable') return 'Patroni of this unit to answer';
    return own.value.started ? undefined : `PostgreSQL of this unit, which is ${own.value.state}`;
  },
  (event, { patroni }) => {
    const notReady = describeNotReady(seen(patroni)?.members ?? []);
    if (event === 'postgresql-pebble-ready' || notReady === '') return undefined;
    return `all members to be ready: ${notReady}`;
  },
  (_event, { patroni }) => (seen(patroni)?.members.some(leads) === false ? 'a primary' : undefined),
];
