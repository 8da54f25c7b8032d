// Patroni's configuration as plain data: the file of each member, and the part that all members
// share (the dynamic configuration). Pure; the adapter serialises it.
// Source: Patroni's configuration reference; PostgreSQL's documentation of each parameter.

import type { Secret } from '../../../lib/base/secret.ts';
import type { RestoreTarget } from '../backups/restore-target.ts';
import {
  deriveClusterParameters,
  deriveLocalParameters,
  type Resources,
} from '../config/derive.ts';
import { enabledPlugins, extensionParameters } from '../config/extensions.ts';
import { disturbsSystemUsers } from '../config/session-settings.ts';
import type { Settings } from '../config/settings.ts';
import { synchronousOf } from '../config/synchronous.ts';
import {
  clusterName,
  dataDirectory,
  logDirectory,
  memberHost,
  memberOfUnit,
  patroniPort,
  podLabels,
  postgresPort,
  socketDirectory,
  storageRoot,
  watcherDirectory,
} from '../names.ts';
import { pgHba } from './hba.ts';
import { renderSynchronous, type SynchronousFacts } from './synchronous.ts';
import { patroniCallbacks } from './watcher.ts';

/** What to bootstrap from when the data directory is empty and there is no cluster yet. */
export type Bootstrap =
  | { readonly kind: 'initdb' }
  | { readonly kind: 'restore'; readonly target: RestoreTarget };

export interface MemberFacts {
  readonly unit: string;
  readonly app: string;
  readonly namespace: string;
  readonly podIp: string;
  readonly binDir: string;
  readonly passwords: {
    readonly operator: Secret;
    readonly replication: Secret;
    readonly rewind: Secret;
    readonly patroni: Secret;
  };
  readonly settings: Settings;
  readonly resources: Resources;
  readonly preloadLibraries: readonly string[];
  /** Parameters of the server in the image; `undefined` when that is not known. */
  readonly knownParameters?: ReadonlySet<string> | undefined;
  /** Cluster size that the synchronous node count is reckoned from at bootstrap. */
  readonly members: number;
  /** Stanza to archive into; none: WAL is not archived. */
  readonly stanza: string | undefined;
  /** Whether clients from outside may connect (off while a replica is backed up). */
  readonly connectivity: boolean;
  /** Whether the system users have been set up. */
  readonly initialised: boolean;
  readonly bootstrap: Bootstrap;
  /** The disk is full: clients may only read, unless they insist. */
  readonly readOnly?: boolean;
  /** Size of the data volume; `undefined` until the watcher has looked. */
  readonly volumeBytes?: number | undefined;
}

export type Document = { readonly [key: string]: DocumentValue };
export type DocumentValue = string | number | boolean | null | readonly DocumentValue[] | Document;

/** The part of the dynamic configuration that the charm keeps as it wants it. */
export function renderDynamic(facts: DynamicFacts): Document {
  const { settings, resources } = facts;
  const { failover } = settings;
  return {
    ttl: failover.ttl,
    loop_wait: failover.loopWait,
    retry_timeout: failover.retryTimeout,
    failsafe_mode: failover.failsafeMode,
    primary_start_timeout: failover.primaryStartTimeout,
    maximum_lag_on_failover: settings.maximumLagOnFailoverBytes,
    max_timelines_history: 50,
    // A replaced pod is back by then. Patroni's own 30 minutes are long for the WAL that the slot of
    // a removed unit holds.
    member_slots_ttl: 300,
    ...(facts.leaderless === true ? {} : { synchronous_mode: synchronousMode(facts) }),
    ...renderSynchronous(synchronousOf(settings), facts),
    postgresql: {
      use_pg_rewind: true,
      // A member that cannot follow is cloned again instead of staying behind for ever.
      remove_data_directory_on_rewind_failure: true,
      remove_data_directory_on_diverged_timelines: true,
      parameters: {
        ...deriveClusterParameters(settings, resources, {
          cores: facts.otherCores ?? [],
          inForce: parametersInForce(facts.inForce),
        }),
        ...settings.clusterParameters,
        ...fixedClusterParameters(facts),
        ...keptWal(facts),
      },
    },
  };
}

function fixedClusterParameters({ stanza, archiveWaits }: DynamicFacts): Document {
  return {
    max_replication_slots: 25,
    max_wal_senders: 25,
    wal_level: 'logical',
    wal_log_hints: 'on',
    archive_mode: 'on',
    archive_command: archiveWaits === true ? heldArchiveCommand : archiveCommand(stanza),
  };
}

export interface DynamicFacts extends SynchronousFacts {
  readonly settings: Settings;
  readonly resources: Resources;
  readonly stanza: string | undefined;
  /** WAL is kept until it is known where it belongs. */
  readonly archiveWaits?: boolean;
  /**
   * Nobody leads. Who may is a matter of the mode in which the last primary committed: without quorum
   * commit a single replica may, which need not have what a quorum has confirmed.
   */
  readonly leaderless?: boolean;
  /** Patroni's version as it tells it; `undefined` while it does not answer. */
  readonly patroniVersion?: string | undefined;
  /** Size of the data volume; `undefined` until the watcher has looked. */
  readonly volumeBytes?: number | undefined;
  /** Whole cores of the other members' pods; `undefined` for one that has not told. */
  readonly otherCores?: readonly (number | undefined)[];
}

function synchronousMode(facts: DynamicFacts): 'quorum' | true {
  return facts.settings.synchronousModeQuorum && knowsQuorum(facts) ? 'quorum' : true;
}

function knowsQuorum({ patroniVersion = '' }: DynamicFacts): boolean {
  return Number.parseInt(patroniVersion, 10) >= 4;
}

/** What the cluster cannot have of what the settings ask for, one sentence for each. */
export function dynamicNotes(facts: DynamicFacts): readonly string[] {
  const { patroniVersion = 'that does not answer' } = facts;
  return !facts.settings.synchronousModeQuorum || knowsQuorum(facts)
    ? []
    : [
        `synchronous_mode_quorum needs Patroni 4, not ${patroniVersion}: commits wait for chosen ` +
          'replicas',
      ];
}

/** WAL waits; the watcher knows by this that it is to. */
export const heldArchiveCommand = '/bin/false';

/** `/bin/true` says "archived" without archiving: there is no place to archive to. */
export function archiveCommand(stanza: string | undefined): string {
  return stanza === undefined ? '/bin/true' : `pgbackrest --stanza=${stanza} archive-push %p`;
}

/**
 * WAL kept in case that somebody asks for it may take a quarter of the volume. As long as the volume is
 * not known (the container of the own unit is down), it is not more than before.
 */
function keptWal({ settings, volumeBytes, inForce }: DynamicFacts): Document {
  const { wal_keep_size: wanted } = settings.clusterParameters;
  const { wal_keep_size: before } = parametersInForce(inForce);
  const most = volumeBytes === undefined ? before : Math.floor(volumeBytes / 4 / bytesPerMegabyte);
  if (typeof wanted !== 'number' || typeof most !== 'number') return {};
  return { wal_keep_size: Math.min(wanted, most) };
}

/** Server parameters of the shared configuration. */
export function parametersInForce({
  postgresql,
}: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  const parameters: unknown = at(postgresql, 'parameters');
  return typeof parameters === 'object' && parameters !== null ? { ...parameters } : {};
}

function at(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
}

/** The member's own file. Holds passwords in clear: written with mode 0600 only. */
export function renderMember(facts: MemberFacts): Document {
  const host = memberHost(facts.unit, facts.app);
  return {
    name: memberOfUnit(facts.unit),
    scope: clusterName(facts.app),
    kubernetes: {
      namespace: facts.namespace,
      labels: { ...podLabels(facts.app) },
      use_endpoints: true,
      leader_label_value: 'primary',
      pod_ip: facts.podIp,
      // As the Service of the lock has them.
      ports: [
        { name: 'api', port: patroniPort },
        { name: 'database', port: postgresPort },
      ],
      bypass_api_service: true,
    },
    log: {
      level: 'INFO',
      dateformat: '%Y-%m-%d %H:%M:%S %Z',
      dir: logDirectory,
      file_num: 4,
      file_size: 25_000_000,
    },
    restapi: {
      listen: `0.0.0.0:${patroniPort}`,
      connect_address: `${host}:${patroniPort}`,
      authentication: { username: 'patroni', password: facts.passwords.patroni.reveal() },
    },
    bootstrap: renderBootstrap(facts),
    postgresql: renderPostgresql(facts, host),
  };
}

function renderBootstrap(facts: MemberFacts): Document {
  return {
    dcs: {
      ...renderDynamic({ ...facts, ...archivingAtBootstrap(facts) }),
      synchronous_mode_strict: false,
    },
    initdb: [
      { 'auth-host': 'scram-sha-256' },
      { 'auth-local': 'peer' },
      { encoding: 'UTF8' },
      { locale: 'C.UTF-8' },
      'data-checksums',
    ],
    ...renderRestoreMethod(facts.bootstrap),
  };
}

/**
 * A new database has no repository yet. The file does not change when it gets one: what is archived
 * is then in the shared configuration. That of a restored one waits until it is in force: of a restore
 * that fails nothing is to get into the archive, where its timeline would be in the way.
 */
function archivingAtBootstrap({ bootstrap }: MemberFacts) {
  return { stanza: undefined, archiveWaits: bootstrap.kind === 'restore' };
}

function renderRestoreMethod(bootstrap: Bootstrap): Document {
  if (bootstrap.kind === 'initdb') return {};
  const { target } = bootstrap;
  const command = [
    'pgbackrest',
    `--stanza=${target.stanza}`,
    `--pg1-path=${dataDirectory}`,
    `--set=${target.label}`,
    ...recoveryOptions(target),
    'restore',
  ].join(' ');
  return {
    method: 'pgbackrest',
    pgbackrest: { command, no_params: true, keep_existing_recovery_conf: true },
  };
}

/** Patroni splits the command like a shell. Without a time pgBackRest stays on the backup's timeline. */
function recoveryOptions({ timeline, time }: RestoreTarget): readonly string[] {
  if (time === undefined) return ['--type=immediate', '--target-action=promote'];
  const along = timeline === undefined ? [] : [`--target-timeline=${timeline}`];
  if (time === 'latest') return ['--type=default', ...along];
  return ['--type=time', `"--target=${time}"`, ...along, '--target-action=promote'];
}

function renderPostgresql(facts: MemberFacts, host: string): Document {
  const callback = `${watcherDirectory}/patroni-callback`;
  return {
    listen: `0.0.0.0:${postgresPort}`,
    connect_address: `${host}:${postgresPort}`,
    use_unix_socket: true,
    use_unix_socket_repl: true,
    bin_dir: facts.binDir,
    data_dir: dataDirectory,
    // A new replica would wait minutes for the primary's next checkpoint.
    basebackup: [{ checkpoint: 'fast' }],
    pgpass: `${storageRoot}/.pgpass`,
    authentication: {
      superuser: { username: 'operator', password: facts.passwords.operator.reveal() },
      replication: { username: 'replication', password: facts.passwords.replication.reveal() },
      rewind: { username: 'rewind', password: facts.passwords.rewind.reveal() },
    },
    callbacks: Object.fromEntries(patroniCallbacks.map((name) => [name, callback])),
    parameters: memberParameters(facts),
    pg_hba: [...pgHba({ connectivity: facts.connectivity, passwords: passwordMethod(facts) })],
    pg_ident: [
      'operator postgres operator',
      'operator postgres replication',
      'operator postgres rewind',
      'operator postgres backup',
    ],
  };
}

function passwordMethod({ settings }: MemberFacts): 'md5' | 'scram-sha-256' {
  return settings.parameters['password_encryption'] === 'md5' ? 'md5' : 'scram-sha-256';
}

/**
 * Server parameters of the member's own file. What the charm relies on comes last and wins over what
 * the operator set, which wins over what follows from the pod; defaults of options are filled in as
 * if the operator had set them.
 */
function memberParameters(facts: MemberFacts): Document {
  const { settings, resources, knownParameters } = facts;
  const chosen = { ...deriveLocalParameters(settings, resources), ...settings.parameters };
  const left = new Set(leftOutParameters(settings, knownParameters));
  const taken = Object.entries(chosen).filter(
    ([name, value]) => !left.has(name) && (facts.initialised || !disturbsSystemUsers(name, value)),
  );
  const audit = extensionParameters(enabledPlugins(settings.values));
  return { ...Object.fromEntries(taken), ...audit, ...fixedParameters(facts) };
}

/**
 * Parameters of the options that this server does not have: newer ones have dropped some. A
 * parameter of a module, `pg_stat_statements.track`, is known when its module is.
 */
export function leftOutParameters(
  settings: Settings,
  known: ReadonlySet<string> | undefined,
): readonly string[] {
  if (known === undefined) return [];
  return Object.keys(settings.parameters).filter(
    (name) => !known.has(name) && !known.has(name.replace(/\..*$/, '')),
  );
}

function fixedParameters(facts: MemberFacts): Document {
  return {
    autovacuum: 'on',
    full_page_writes: 'on',
    fsync: 'on',
    lc_messages: 'C.UTF-8',
    log_autovacuum_min_duration: '60000',
    log_checkpoints: 'on',
    log_destination: 'stderr',
    log_directory: logDirectory,
    log_file_mode: '0600',
    log_filename: 'postgresql-%a_%H%M.log',
    log_line_prefix: '%t [%p]: user=%u,db=%d,app=%a,client=%h,line=%l ',
    log_recovery_conflict_waits: 'on',
    log_replication_commands: 'on',
    log_rotation_age: '60',
    // Only whole files can be removed: the watcher bounds what they take together.
    log_rotation_size: '32MB',
    log_statement: 'ddl',
    log_timezone: 'UTC',
    log_truncate_on_rotation: 'on',
    logging_collector: 'on',
    shared_preload_libraries: facts.preloadLibraries.join(','),
    unix_socket_directories: socketDirectory,
    // Commits wait for a synchronous standby until the primary knows that it is gone.
    wal_sender_timeout: '8s',
    wal_receiver_timeout: '8s',
    // And a standby comes back soon after its primary: until then commits wait, too.
    wal_retrieve_retry_interval: '500ms',
    ...diskParameters(facts),
  };
}

const bytesPerMegabyte = 1024 * 1024;

/** PostgreSQL takes it for `on`, the operator's word, which the disk does not end: watcher/patroni_file.py. */
const readOnlyForDisk = 'yes';

/** A replica that is away for long is cloned anew; its WAL must not fill the disk until then. */
function diskParameters({ readOnly, volumeBytes }: MemberFacts): Document {
  return {
    ...(volumeBytes === undefined ? {} : boundWal(volumeBytes)),
    ...(readOnly === true ? { default_transaction_read_only: readOnlyForDisk } : {}),
  };
}

const defaultMaxWalSizeMegabytes = 1024;

/** WAL between two checkpoints takes a quarter of a small volume, that held for replicas half of any. */
function boundWal(volumeBytes: number): Document {
  const megabytes = volumeBytes / bytesPerMegabyte;
  const quarter = Math.min(defaultMaxWalSizeMegabytes, Math.floor(megabytes / 4));
  return {
    max_wal_size: `${quarter}MB`,
    max_slot_wal_keep_size: `${Math.floor(megabytes / 2)}MB`,
  };
}
