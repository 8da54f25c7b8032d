// What the options mean once they are known to be right: typed, with defaults filled in, and server
// parameters as PostgreSQL and Patroni spell them.

import { lazy } from '../../../lib/base/lazy.ts';
import { type BackupType, backupTypes } from '../backups/backup-types.ts';
import type { BackupSpeed } from '../backups/speed.ts';
import type { OptionRow, OptionValue } from './option-row.ts';
import { options } from './options.ts';

/** Parameters for background processes: `auto` is worked out from the cores. */
export const workerParameters = [
  'max_worker_processes',
  'max_parallel_workers',
  'max_parallel_maintenance_workers',
  'max_logical_replication_workers',
  'max_sync_workers_per_subscription',
] as const;

export type WorkerParameter = (typeof workerParameters)[number];
export type WorkerCount = 'auto' | number;

/** Timing of Patroni's elections. */
export interface FailoverSettings {
  readonly ttl: number;
  readonly loopWait: number;
  readonly retryTimeout: number;
  readonly failsafeMode: boolean;
  readonly primaryStartTimeout: number;
}

export interface Settings {
  readonly synchronousNodeCount: 'all' | 'majority' | number;
  readonly synchronousModeStrict: boolean;
  readonly synchronousModeQuorum: boolean;
  readonly profile: 'production' | 'testing';
  readonly profileLimitMemoryMb: number | undefined;
  readonly maximumLagOnFailoverBytes: number;
  readonly failover: FailoverSettings;
  /** Full backups to keep; by their age when absent. */
  readonly backupRetentionFull: number | undefined;
  readonly backupSpeed: BackupSpeed;
  /** In the form of cron, of the types that have one. */
  readonly backupSchedules: BackupSchedules;
  /** Age at which the last backup is too old. */
  readonly backupAgeWarningHours: number | undefined;
  readonly workers: Readonly<Record<WorkerParameter, WorkerCount>>;
  /** Server parameters of the member's own file. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Server parameters of the configuration that all members share. */
  readonly clusterParameters: Readonly<Record<string, OptionValue>>;
  /** Every option that is set or has a default. */
  readonly values: OptionValues;
}

export type BackupSchedules = Readonly<Partial<Record<BackupType, string>>>;

export type OptionValues = Readonly<Record<string, OptionValue>>;

const defaults = lazy(() =>
  Object.fromEntries(
    options.flatMap((row) => (row.default === undefined ? [] : [[row.name, row.default] as const])),
  ),
);

/** Fills in the defaults of what is not set. */
export function withDefaults(given: OptionValues): OptionValues {
  return { ...defaults(), ...given };
}

/** Settings of values that are complete and have been checked. */
export function settingsOf(values: OptionValues): Settings {
  const count = values['synchronous_node_count'];
  return {
    synchronousNodeCount: count === 'all' || count === 'majority' ? count : Number(count),
    synchronousModeStrict: values['synchronous_mode_strict'] === true,
    synchronousModeQuorum: values['synchronous_mode_quorum'] === true,
    profile: values['profile'] === 'testing' ? 'testing' : 'production',
    profileLimitMemoryMb: numberOf(values['profile_limit_memory']),
    maximumLagOnFailoverBytes: Number(values['durability_maximum_lag_on_failover']),
    backupRetentionFull: numberOf(values['backup_retention_full']),
    backupSpeed: speedOf(values),
    backupSchedules: schedulesOf(values),
    backupAgeWarningHours: numberOf(values['backup_age_warning_hours']) || undefined,
    failover: {
      ttl: Number(values['failover_ttl']),
      loopWait: Number(values['failover_loop_wait']),
      retryTimeout: Number(values['failover_retry_timeout']),
      failsafeMode: values['failover_failsafe_mode'] === true,
      primaryStartTimeout: Number(values['failover_primary_start_timeout']),
    },
    workers: {
      max_worker_processes: workersOf(values, 'max_worker_processes'),
      max_parallel_workers: workersOf(values, 'max_parallel_workers'),
      max_parallel_maintenance_workers: workersOf(values, 'max_parallel_maintenance_workers'),
      max_logical_replication_workers: workersOf(values, 'max_logical_replication_workers'),
      max_sync_workers_per_subscription: workersOf(values, 'max_sync_workers_per_subscription'),
    },
    parameters: {
      ...Object.fromEntries(
        parametersOf(values, 'local').map(([row, value]) => [nameOf(row), textOf(row, value)]),
      ),
      track_functions: trackedFunctions(values),
    },
    clusterParameters: Object.fromEntries(
      parametersOf(values, 'cluster').map(([row, value]) => [nameOf(row), sharedValue(row, value)]),
    ),
    values,
  };
}

function speedOf(values: OptionValues): BackupSpeed {
  const processes = values['backup_process_max'];
  return {
    processMax: processes === 0 ? undefined : numberOf(processes),
    compressType: String(values['backup_compress_type']),
    compressLevel: numberOf(values['backup_compress_level']),
    bundle: values['backup_bundle'] === true,
    blockIncremental: values['backup_block_incremental'] === true,
  };
}

function numberOf(value: OptionValue | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function schedulesOf(values: OptionValues): BackupSchedules {
  return Object.fromEntries(
    backupTypes.flatMap((type) => {
      const cron = values[`backup_schedule_${type}`];
      return typeof cron === 'string' && cron !== '' ? [[type, cron] as const] : [];
    }),
  );
}

/** The option that sets the number of these processes. */
export function workerOption(parameter: WorkerParameter): string {
  return `cpu_${parameter}`;
}

function workersOf(values: OptionValues, parameter: WorkerParameter): WorkerCount {
  const value = values[workerOption(parameter)];
  return value === 'auto' ? 'auto' : Number(value);
}

const derived: ReadonlySet<string> = new Set(workerParameters);

/** Rows that are server parameters with a value of their own. */
function parametersOf(
  values: OptionValues,
  scope: 'local' | 'cluster',
): readonly (readonly [OptionRow, OptionValue])[] {
  return options.flatMap((row) => {
    const value = values[row.name];
    if (value === undefined || row.target.kind !== 'parameter') return [];
    const own = row.target.scope === scope && !derived.has(row.target.parameter);
    return own ? [[row, value] as const] : [];
  });
}

/** The options that are not at their default and set one of these parameters: `name=value`. */
export function chosenOptions(
  { values }: Pick<Settings, 'values'>,
  parameters: readonly string[],
): readonly string[] {
  return options.flatMap(({ name, target, default: usual }) => {
    const set = target.kind === 'parameter' && parameters.includes(target.parameter);
    const value = values[name];
    return set && value !== undefined && value !== usual ? [`${name}=${String(value)}`] : [];
  });
}

function nameOf({ name, target }: OptionRow): string {
  return target.kind === 'parameter' ? target.parameter : name;
}

const suffixes: ReadonlySet<string> = new Set(['ms', 's', 'min', 'B', 'kB', 'MB']);

/** The value as postgresql.conf has it: `on`/`off`, amounts with the unit that the option has. */
function textOf(row: OptionRow, value: OptionValue): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  const { unit } = row;
  const bare = typeof value === 'string' || value <= 0 || unit === undefined;
  return bare || !suffixes.has(unit) ? String(value) : `${value}${unit}`;
}

/** Less than this Patroni ignores, and takes a value of its own instead. */
const leastWalKeepSizeMb = 16;

/** Patroni checks numbers of the shared configuration itself; they go without a unit. */
function sharedValue(row: OptionRow, value: OptionValue): OptionValue {
  return nameOf(row) === 'wal_keep_size' ? Math.max(Number(value), leastWalKeepSizeMb) : value;
}

/** Two options mean the same parameter: the one that is not at its default counts. */
function trackedFunctions(values: OptionValues): string {
  const found = trackOptions.map((name) => values[name]).find((value) => value !== 'none');
  return String(found ?? 'none');
}

/** Options that set `track_functions`. */
export const trackOptions = ['logging_track_functions', 'optimizer_track_functions'] as const;
