// The explanation as lines that are read in a terminal: what to expect first, the facts below.

import type { LastBackup } from '../backups/last-backup.ts';
import { runsOf } from '../backups/schedule.ts';
import { isoSeconds } from '../backups/times.ts';
import { lastBackupAge, noBackupYet } from '../status.ts';
import type { CommitRecord } from '../succession.ts';
import type { Explanation } from './explain.ts';
import type {
  BackupFacts,
  JujuFacts,
  KubernetesFacts,
  MemberFacts,
  Observed,
  PatroniFacts,
  PebbleFacts,
  Source,
} from './facts.ts';

/** Text of a few dozen lines. */
export function renderExplanation({ observed, next, waits }: Explanation): string {
  return [
    `${observed.unit} of model ${observed.model}`,
    ...section('What it does next', next),
    ...section(
      'What waits (deferred before this action, and tried again with every hook)',
      waits.map((waiting) => `${waiting.event} waits for ${waiting.for}`),
    ),
    ...facts(observed),
  ].join('\n');
}

function facts(observed: Observed): readonly string[] {
  return [
    ...section('Juju', lines(observed.juju, renderJuju)),
    ...section('Configuration', lines(observed.configuration, renderProblems)),
    ...section('Container', lines(observed.pebble, renderPebble)),
    ...section('Patroni', lines(observed.patroni, renderPatroni)),
    ...section(
      'Patroni of this unit',
      lines(observed.own, ({ role, state }) => [`role: ${role}`, `state: ${state}`]),
    ),
    ...section('Kubernetes', lines(observed.kubernetes, renderKubernetes)),
    ...section('Backups', lines(observed.backups, renderBackups)),
    ...section('Watcher', lines(observed.watcher, renderWatcher)),
  ];
}

function section(title: string, content: readonly string[]): readonly string[] {
  return content.length === 0 ? [] : ['', title, ...content.map((line) => `  ${line}`)];
}

function lines<T>(source: Source<T>, render: (value: T) => readonly string[]): readonly string[] {
  return source.kind === 'seen' ? render(source.value) : [`out of reach: ${source.reason}`];
}

function renderJuju(facts: JujuFacts): readonly string[] {
  return [
    `leader: ${facts.leader ? 'yes' : 'no'}`,
    `status: ${facts.unitStatus}`,
    `units: ${facts.plannedUnits.join(', ') || 'none'}`,
    `members: ${facts.admittedUnits.join(', ') || 'none'}`,
    `initialised: ${facts.initialised ? 'yes' : 'no'}`,
    ...(facts.restoring === undefined ? [] : [`restoring: ${facts.restoring}`]),
  ];
}

function renderProblems(problems: readonly string[]): readonly string[] {
  return problems.length === 0 ? ['in force'] : problems;
}

function renderPebble({ services, checks }: PebbleFacts): readonly string[] {
  return [
    ...(services.length === 0 ? ['no services yet'] : []),
    ...services.map(({ name, current }) => `service ${name}: ${current}`),
    ...checks.map(({ name, status, failures }) => {
      return `check ${name}: ${status}${failures === 0 ? '' : `, failed ${failures} times`}`;
    }),
  ];
}

function renderPatroni({ paused, members }: PatroniFacts): readonly string[] {
  const rows = members.map((member) => [
    member.unit,
    member.role,
    member.state,
    timelineOf(member),
    lagOf(member),
    member.pendingRestart ? 'restart pending' : '',
  ]);
  return [
    ...(paused ? ['failover is paused'] : []),
    ...(rows.length === 0 ? ['no members'] : table(rows)),
  ];
}

function timelineOf({ timeline }: MemberFacts): string {
  return timeline === undefined ? '' : `timeline ${timeline}`;
}

function lagOf({ lagBytes, role }: MemberFacts): string {
  if (role === 'leader' || role === 'standby_leader') return '';
  return lagBytes === undefined ? 'lag unknown' : `${lagBytes} bytes behind`;
}

/** Columns as wide as their longest cell. */
function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .filter((cell) => cell !== '')
      .join('  ')
      .trimEnd(),
  );
}

function renderKubernetes(facts: KubernetesFacts): readonly string[] {
  const renewed = facts.lockRenewed === undefined ? '' : `, renewed ${facts.lockRenewed}`;
  return [
    `lock: ${facts.lockHolder === undefined ? 'nobody' : `${facts.lockHolder}${renewed}`}`,
    `primary's Service: ${facts.primaryService}`,
    `leads to: ${facts.primaryTargets.join(', ') || 'nobody'}`,
    ...((facts.wrongServices ?? []).length === 0
      ? []
      : [`Services that are missing or changed: ${facts.wrongServices?.join(', ')}`]),
    ...(facts.commits === undefined ? [] : [renderCommits(facts.commits)]),
  ];
}

function renderCommits({ leader, standbys, quorum }: CommitRecord): string {
  const all = [leader, ...standbys].join(', ');
  if (quorum === 0) return `all commits are on: ${all}`;
  return `all commits are on: ${leader}, and each on all but ${quorum} of ${standbys.join(', ')}`;
}

function renderBackups(facts: BackupFacts): readonly string[] {
  const { settings, stanza, blocked, schedule, last, nowSeconds } = facts;
  return [
    `settings: ${settings}`,
    `stanza: ${stanza ?? 'none, WAL is not archived'}`,
    ...(blocked === undefined ? [] : [`blocked: ${blocked}`]),
    ...runsOf(schedule ?? { runs: {} }).map(
      ([type, { cron, next }]) =>
        `${type}: ${cron}${next === undefined ? '' : `, next ${isoSeconds(next)}`}`,
    ),
    ...(last === undefined ? [] : [renderLast(last, nowSeconds ?? last.seen)]),
  ];
}

function renderLast({ backup }: LastBackup, nowSeconds: number): string {
  if (backup === undefined) return noBackupYet;
  return `${lastBackupAge(nowSeconds - backup.stop)}: ${backup.id}, ${backup.type}`;
}

const deepest = 3;

/** Whatever the watcher has written, one line for each value. */
function renderWatcher(value: unknown): readonly string[] {
  return value === undefined ? [] : flatten('', value, deepest);
}

function flatten(path: string, value: unknown, depth: number): readonly string[] {
  const isTree = typeof value === 'object' && value !== null && Object.keys(value).length > 0;
  if (!isTree || depth === 0) return [`${path}: ${JSON.stringify(value)}`];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
    flatten(path === '' ? key : `${path}.${key}`, inner, depth - 1),
  );
}
