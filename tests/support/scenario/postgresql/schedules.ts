// Leaders with schedules of backups, and what scenarios look at.

import { configChanged, pebbleNotice } from '../events.ts';
import type { RunResult } from '../run.ts';
import type { Scenario } from '../scenario.ts';
import { relationOf } from '../state.ts';
import { after as afterEvents, backedUp, fileOf, inWorld } from './journey.ts';
import type { PostgresqlState } from './postgresql.ts';

type Result = RunResult<PostgresqlState['world']>;
type Of = Scenario<unknown, PostgresqlState['world']>;

export const due = pebbleNotice('postgresql', 'postgresql.charm/backup-due');
export const duePath = '/run/charm-backup-due';
export const metricsPath = '/var/lib/postgresql/metrics/backup.prom';

export type Config = PostgresqlState['config'];

export const withOptions = (given: PostgresqlState, config: Config): PostgresqlState => ({
  ...given,
  config: { ...given.config, ...config },
});

/** A leader with backups that took these schedules over at ten; scenarios play at twelve. */
export async function scheduled(config: Config, unit: Parameters<typeof backedUp>[0] = {}) {
  return await afterEvents(withOptions(await backedUp(unit), config), configChanged);
}

/** At eleven it was time for a full backup. */
export const overdue = async (unit: Parameters<typeof backedUp>[0] = {}) =>
  await scheduled({ backup_schedule_full: '0 11 * * *' }, unit);

/** The state of every schedule, from the databag. */
export function runsOf({ state }: Pick<Result, 'state'>): unknown {
  const text = relationOf(state, 'database-peers').localApp['backup-schedule'];
  const value: unknown = text === undefined ? {} : JSON.parse(text);
  return typeof value === 'object' && value !== null && 'runs' in value ? value.runs : undefined;
}

export const labelsOf = ({ state }: Result) =>
  state.world.pgbackrest.backups.map(({ label }) => label);
export const wakeOf = ({ state }: Pick<Result, 'state'>) => fileOf(state, duePath);
export const logged = ({ log }: Result) =>
  log.map(({ level, message }) => `${level} ${message}`).join('\n');
export const programs = ({ execs }: Result) =>
  (execs['postgresql'] ?? []).map(({ command }) => command.at(command.length > 3 ? -1 : 1));

export const seconds = (time: string) => Date.parse(time) / 1000;

/** What is reckoned from the moment of an attempt differs when that is made again later. */
export const eachTimeLater: NonNullable<Of['loosen']> = {
  differences: [
    { path: 'relations.0.localApp', because: 'a retry follows a time after the attempt' },
    {
      path: `containers.postgresql.files.${duePath}`,
      because: 'a retry follows a time after the attempt',
    },
    {
      path: `containers.postgresql.files.${metricsPath}`,
      because: 'each attempt that fails is counted',
    },
    { path: 'world.objectStore.buckets', because: 'logs carry the time of the attempt' },
  ],
};

/** Killed when the backup was there, the hook finds it when it comes again. */
export const logLost: NonNullable<Of['loosen']> = {
  differences: [
    { path: 'world.objectStore.buckets', because: "the backup's log went with the hook" },
    {
      path: 'relations.0.localApp.last-backup',
      because: 'it says when somebody looked, which is later then',
    },
  ],
};

/** A backup was missed at eleven, and has been tried in vain. */
export async function missed(unit: Parameters<typeof backedUp>[0] = {}): Promise<PostgresqlState> {
  const fault = { backup: 'ERROR: [082]: no WAL' };
  const failed = await afterEvents(
    inWorld(await scheduled({ backup_schedule_full: '9 10 * * *' }, unit), {
      pgbackrest: { faults: fault },
    }),
    // Each a minute after the one before; the time comes after some of them.
    ...Array.from({ length: 12 }, () => due),
  );
  if (!failed.unitStatus.message.includes('backup missed: full due 2026-01-31T10:09:00Z')) {
    throw new Error(`no backup has been missed: ${failed.unitStatus.message}`);
  }
  return inWorld(failed, { pgbackrest: { faults: {} } });
}
