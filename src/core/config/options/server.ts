// Options of the server as a whole: connections, workers, the instance, its memory and its log.

import { flag, int, int32, type OptionRow, type TextForm, text } from '../option-row.ts';
import { nameForm } from './forms.ts';

const workers: TextForm = {
  pattern: /^(?:auto|[2-9]|[1-9]\d+)$/,
  longest: 9,
  words: 'auto or a whole number of at least 2',
};

export const connectionOptions: readonly OptionRow[] = [
  int(
    'connection_authentication_timeout',
    { default: 60, min: 1, max: 600, unit: 's' },
    'How long a client may take to log in before the server hangs up.',
  ),
  int(
    'connection_statement_timeout',
    { default: 0, min: 0, max: int32, unit: 'ms' },
    'How long a statement may run before it is cancelled; 0 for ever.',
  ),
];

export const cpuOptions: readonly OptionRow[] = [
  flag(
    'cpu_parallel_leader_participation',
    true,
    'Whether the process that started a parallel query also does a share of the work, instead of ' +
      'only gathering the results.',
  ),
  text(
    'cpu_max_logical_replication_workers',
    { default: 'auto', form: workers, restart: true },
    'Processes for logical replication: auto for as many as cpu_max_worker_processes, or a number ' +
      'of at most ten for each core.',
  ),
  text(
    'cpu_max_parallel_maintenance_workers',
    { default: 'auto', form: workers },
    'Processes that help one CREATE INDEX or VACUUM: auto for as many as ' +
      'cpu_max_worker_processes, or a number of at most ten for each core.',
  ),
  text(
    'cpu_max_parallel_workers',
    { default: 'auto', form: workers },
    'Processes for all parallel queries together: auto for as many as cpu_max_worker_processes, or ' +
      'a number of at most ten for each core; never more than cpu_max_worker_processes.',
  ),
  text(
    'cpu_max_sync_workers_per_subscription',
    { default: 'auto', form: workers },
    'Processes that copy tables at the start of one logical subscription: auto for as many as ' +
      'cpu_max_worker_processes, or a number of at most ten for each core.',
  ),
  text(
    'cpu_max_worker_processes',
    { default: 'auto', form: workers, restart: true },
    'Background processes of the server in all: auto for two for each core but at most 8, or a ' +
      'number of at most ten for each core.',
  ),
  flag(
    'cpu_wal_compression',
    true,
    'Whether whole pages in the WAL are compressed: less to write and to send, for some processor ' +
      'time.',
  ),
];

export const instanceOptions: readonly OptionRow[] = [
  text(
    'instance_default_text_search_config',
    { default: 'pg_catalog.simple', form: nameForm },
    'Text search configuration, with its schema, for functions that are not told one.',
  ),
  int(
    'instance_max_locks_per_transaction',
    { default: 64, min: 64, max: int32, restart: true },
    'Objects that each connection may have locked, on average over all connections. More are ' +
      'needed by transactions that touch thousands of tables, such as dumps. Takes shared memory.',
  ),
  text(
    'instance_password_encryption',
    { default: 'scram-sha-256', allowed: ['md5', 'scram-sha-256'] },
    'How passwords that are set from now on are stored. md5 is weak, and only for clients that ' +
      'know nothing better.',
  ),
  flag(
    'instance_synchronize_seqscans',
    true,
    'Whether scans of the same large table at the same time share what they read. Rows then come ' +
      'in no fixed order.',
  ),
];

export const loggingOptions: readonly OptionRow[] = [
  text(
    'logging_client_min_messages',
    {
      default: 'notice',
      allowed: [
        'debug5',
        'debug4',
        'debug3',
        'debug2',
        'debug1',
        'log',
        'notice',
        'warning',
        'error',
      ],
    },
    'Messages of this level and above are sent to the client.',
  ),
  flag('logging_log_connections', true, 'Whether each new connection is logged.'),
  flag(
    'logging_log_disconnections',
    true,
    'Whether the end of each connection is logged, with how long it lasted.',
  ),
  flag(
    'logging_log_lock_waits',
    false,
    'Whether it is logged when a session waits for a lock longer than request_deadlock_timeout.',
  ),
  int(
    'logging_log_min_duration_statement',
    { default: -1, min: -1, max: int32, unit: 'ms' },
    'Statements that take at least so long are logged; 0 logs all of them, -1 none.',
  ),
  text(
    'logging_track_functions',
    { default: 'none', allowed: ['none', 'pl', 'all'] },
    'Functions whose calls and time are counted: none, those in procedural languages, or all. The ' +
      'same parameter as optimizer_track_functions; set one of them.',
  ),
];

export const memoryOptions: readonly OptionRow[] = [
  int(
    'memory_maintenance_work_mem',
    { default: 65536, min: 1024, max: int32, unit: 'kB' },
    'Memory that one VACUUM, CREATE INDEX or the like may use.',
  ),
  int(
    'memory_max_prepared_transactions',
    { default: 0, min: 0, max: 262143, restart: true },
    'Transactions that may be prepared for a two-phase commit at the same time; 0 turns them off.',
  ),
  int(
    'memory_shared_buffers',
    { min: 16, max: 1073741823, unit: 'pages of 8 kB', restart: true },
    "Memory for the server's own cache, at most 40 % of what is available. Unset: the profile " +
      'decides.',
  ),
  int(
    'memory_temp_buffers',
    { default: 1024, min: 100, max: 1073741823, unit: 'pages of 8 kB' },
    'Memory that one session may use for temporary tables.',
  ),
  int(
    'memory_work_mem',
    { default: 4096, min: 64, max: int32, unit: 'kB' },
    'Memory that one sort or hash may use before it goes to disk. One query can have several.',
  ),
];
