// Options of the query planner, first half: which plans it may choose.

import { flag, type OptionRow, text } from '../option-row.ts';

export const planOptions: readonly OptionRow[] = [
  text(
    'optimizer_constraint_exclusion',
    { default: 'partition', allowed: ['on', 'off', 'partition'] },
    'Whether tables are left out of a query when their constraints show that they have nothing ' +
      'for it: partition looks at children and UNION ALL only.',
  ),
  flag(
    'optimizer_enable_async_append',
    true,
    'Whether foreign tables may be read side by side instead of one after the other.',
  ),
  flag('optimizer_enable_bitmapscan', true, 'Whether bitmap scans of indexes may be planned.'),
  flag(
    'optimizer_enable_gathermerge',
    true,
    'Whether sorted results of parallel workers may be merged in order.',
  ),
  flag('optimizer_enable_hashagg', true, 'Whether grouping may be done in a hash table.'),
  flag('optimizer_enable_hashjoin', true, 'Whether tables may be joined through a hash table.'),
  flag(
    'optimizer_enable_incremental_sort',
    true,
    'Whether rows that come sorted by the first columns may be sorted by the others only.',
  ),
  flag(
    'optimizer_enable_indexonlyscan',
    true,
    'Whether an index alone may answer a query that needs no other columns.',
  ),
  flag('optimizer_enable_indexscan', true, 'Whether rows may be found through an index.'),
  flag(
    'optimizer_enable_material',
    true,
    'Whether an intermediate result may be kept so that it need not be made again.',
  ),
  flag(
    'optimizer_enable_memoize',
    true,
    'Whether results of the inner side of a nested loop may be remembered for repeated keys.',
  ),
  flag('optimizer_enable_mergejoin', true, 'Whether sorted tables may be joined by merging.'),
  flag(
    'optimizer_enable_nestloop',
    true,
    'Whether tables may be joined by nested loops. Off, they are still used where nothing else ' +
      'will do.',
  ),
  flag(
    'optimizer_enable_parallel_append',
    true,
    'Whether parallel workers may read several tables of one query side by side.',
  ),
  flag(
    'optimizer_enable_parallel_hash',
    true,
    'Whether parallel workers may build one hash table together.',
  ),
  flag(
    'optimizer_enable_partition_pruning',
    true,
    'Whether partitions that cannot have matching rows are left out.',
  ),
  flag(
    'optimizer_enable_partitionwise_aggregate',
    false,
    'Whether each partition may be grouped by itself. Costs planning time and memory.',
  ),
  flag(
    'optimizer_enable_partitionwise_join',
    false,
    'Whether tables that are partitioned alike may be joined partition by partition. Costs ' +
      'planning time and memory.',
  ),
  flag(
    'optimizer_enable_seqscan',
    true,
    'Whether whole tables may be read. Off, they still are where nothing else will do.',
  ),
  flag(
    'optimizer_enable_sort',
    true,
    'Whether sorting may be planned as a step. Off, it still is where nothing else will do.',
  ),
  flag(
    'optimizer_enable_tidscan',
    true,
    'Whether rows may be fetched by their physical position (ctid).',
  ),
];

export const trackingOptions: readonly OptionRow[] = [
  text(
    'optimizer_pg_stat_statements_track',
    { default: 'top', allowed: ['none', 'top', 'all'] },
    'Statements that pg_stat_statements counts: none, those that clients send, or also those ' +
      'inside functions.',
  ),
  flag(
    'optimizer_pg_stat_statements_track_utility',
    true,
    'Whether pg_stat_statements also counts statements that are no query, such as CREATE TABLE.',
  ),
  flag(
    'optimizer_pg_stat_statements_save',
    false,
    'Whether the counts of pg_stat_statements survive a restart.',
  ),
  flag(
    'optimizer_track_io_timing',
    false,
    'Whether the time that reading and writing takes is measured. Can cost time on a slow clock.',
  ),
  flag(
    'optimizer_track_wal_io_timing',
    false,
    'Whether the time that writing the WAL takes is measured. Can cost time on a slow clock.',
  ),
  text(
    'optimizer_track_functions',
    { default: 'none', allowed: ['none', 'pl', 'all'] },
    'Functions whose calls and time are counted. The same parameter as logging_track_functions; ' +
      'set one of them.',
  ),
];
