// The server of a trial restore: its own files and settings, none of the member's. All are given on the
// command line, which outdoes what ALTER SYSTEM has left in the backup. Pure.

/** Names the socket; no address is listened to. */
export const trialPort = 5433;

export interface TrialServerFacts {
  /** For sockets and configuration. */
  readonly directory: string;
  /** Those of the server that was backed up: recovery needs as many. */
  readonly preparedTransactions: number;
  readonly locksPerTransaction: number;
  /** Size of a WAL file of these data. */
  readonly segmentBytes: number;
}

const walBytes = 64 * 1024 * 1024;

/** Less than there was room for (trial-room.ts), unless PostgreSQL does not take so little. */
function walMegabytes(bytes: number, { segmentBytes }: TrialServerFacts): string {
  return `${Math.max(bytes, 2 * segmentBytes) / 2 ** 20}MB`;
}

/** Nobody but the directory's owner gets at the socket. */
export const trialAccess = 'local all all trust\n';

/** Settings by name, for `postgres -c`. */
export function renderTrialServer(facts: TrialServerFacts): Readonly<Record<string, string>> {
  const { directory } = facts;
  return {
    config_file: `${directory}/postgresql.conf`,
    hba_file: `${directory}/pg_hba.conf`,
    ident_file: `${directory}/pg_ident.conf`,
    cluster_name: 'trial-restore',
    external_pid_file: '',
    // Nobody is to find it.
    listen_addresses: '',
    unix_socket_directories: directory,
    port: String(trialPort),
    ssl: 'off',
    // It must not write into the repository, nor go to other servers or their slots.
    archive_mode: 'off',
    archive_command: '',
    archive_cleanup_command: '',
    recovery_end_command: '',
    primary_conninfo: '',
    primary_slot_name: '',
    synchronous_standby_names: '',
    max_wal_senders: '0',
    max_logical_replication_workers: '0',
    // Jobs of extensions would run a second time.
    shared_preload_libraries: '',
    session_preload_libraries: '',
    local_preload_libraries: '',
    autovacuum: 'off',
    // And so would triggers on events, which may need those libraries.
    session_replication_role: 'replica',
    // It gets along with little, and what it writes is thrown away.
    shared_buffers: '32MB',
    huge_pages: 'off',
    max_connections: '20',
    fsync: 'off',
    logging_collector: 'off',
    log_destination: 'stderr',
    // WAL that it keeps takes room, whatever ALTER SYSTEM wanted: it needs only what is replayed.
    wal_keep_size: '0',
    min_wal_size: walMegabytes(0, facts),
    max_wal_size: walMegabytes(walBytes, facts),
    // A standby that lets nobody in takes any number of connections for enough.
    hot_standby: 'off',
    max_prepared_transactions: String(facts.preparedTransactions),
    max_locks_per_transaction: String(facts.locksPerTransaction),
  };
}

/** For `pg_ctl -o`, which goes through a shell. Values have no quotes of their own. */
export function commandLineOf(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}='${value}'`)
    .join(' ');
}
