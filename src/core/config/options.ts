// Every option of the charm as one table row. `config.yaml`, the validator, the renderer and the
// reference page come from it; a check fails when config.yaml differs (make generate).
// Names, defaults and ranges are those of the charm that users know (14 line).

import { charm, int32, type OptionRow, parameter } from './option-row.ts';

export const options: readonly OptionRow[] = [
  {
    name: 'synchronous_node_count',
    type: 'string',
    default: 'all',
    form: {
      pattern: /^(all|majority|[1-9]\d*)$/,
      words: 'all, majority or a number of at least 1',
    },
    target: charm,
    description: 'Number of synchronous replicas: all, majority or a number of at least 1.',
  },
  {
    name: 'synchronous_mode_strict',
    type: 'boolean',
    default: true,
    target: charm,
    description:
      'Whether writes wait when a cluster of several units has no synchronous replica at all.',
  },
  {
    name: 'profile',
    type: 'string',
    default: 'production',
    allowed: ['production', 'testing'],
    target: charm,
    description:
      'production sizes shared_buffers and effective_cache_size by the memory at hand; testing ' +
      "keeps PostgreSQL's small defaults. Takes effect when PostgreSQL starts.",
  },
  {
    name: 'profile_limit_memory',
    type: 'int',
    min: 128,
    max: 9999999,
    target: charm,
    description:
      'Memory in megabytes that the production profile reckons with, when less than the pod has. ' +
      'Takes effect when PostgreSQL starts.',
  },
  {
    name: 'durability_maximum_lag_on_failover',
    type: 'int',
    default: 1048576,
    min: 0,
    max: int32,
    target: charm,
    description: 'Bytes that a replica may lag behind and still become primary in a failover.',
  },
  {
    name: 'durability_synchronous_commit',
    type: 'string',
    default: 'on',
    allowed: ['on', 'remote_apply', 'remote_write'],
    target: parameter('synchronous_commit'),
    description: 'What a commit waits for on the synchronous replicas.',
  },
  {
    name: 'durability_wal_keep_size',
    type: 'int',
    default: 4096,
    min: 0,
    max: int32,
    target: parameter('wal_keep_size'),
    description: 'Megabytes of WAL kept for replicas that fell behind.',
  },
  {
    name: 'connection_statement_timeout',
    type: 'int',
    default: 0,
    min: 0,
    max: int32,
    target: parameter('statement_timeout'),
    description: 'Milliseconds after which a statement is cancelled; 0 for never.',
  },
  {
    name: 'memory_maintenance_work_mem',
    type: 'int',
    default: 65536,
    min: 1024,
    max: int32,
    target: parameter('maintenance_work_mem'),
    description: 'Kilobytes that VACUUM, CREATE INDEX and the like may use.',
  },
  {
    name: 'memory_work_mem',
    type: 'int',
    default: 4096,
    min: 64,
    max: int32,
    target: parameter('work_mem'),
    description: 'Kilobytes that one sort or hash may use before it goes to disk.',
  },
  {
    name: 'logging_log_connections',
    type: 'boolean',
    default: true,
    target: parameter('log_connections'),
    description: 'Whether each new connection is logged.',
  },
  {
    name: 'logging_log_disconnections',
    type: 'boolean',
    default: true,
    target: parameter('log_disconnections'),
    description: 'Whether the end of each connection is logged.',
  },
  {
    name: 'logging_log_lock_waits',
    type: 'boolean',
    default: false,
    target: parameter('log_lock_waits'),
    description: 'Whether waiting for a lock longer than deadlock_timeout is logged.',
  },
  {
    name: 'logging_log_min_duration_statement',
    type: 'int',
    default: -1,
    min: -1,
    max: int32,
    target: parameter('log_min_duration_statement'),
    description: 'Statements that take at least so many milliseconds are logged; -1 for none.',
  },
  {
    name: 'optimizer_default_statistics_target',
    type: 'int',
    default: 100,
    min: 1,
    max: 10000,
    target: parameter('default_statistics_target'),
    description: 'How much detail ANALYZE collects for columns without a target of their own.',
  },
  {
    name: 'vacuum_autovacuum_naptime',
    type: 'int',
    default: 60,
    min: 1,
    max: 2147483,
    target: parameter('autovacuum_naptime'),
    description: 'Seconds between two looks of autovacuum at the same database.',
  },
];
