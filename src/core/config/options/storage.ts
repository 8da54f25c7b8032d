// Options of how tables are stored and kept clean.

import { flag, float, int, int32, type OptionRow, text } from '../option-row.ts';
import { nameForm } from './forms.ts';

export const storageOptions: readonly OptionRow[] = [
  int(
    'storage_bgwriter_lru_maxpages',
    { default: 100, min: 0, max: 1073741823, unit: 'pages of 8 kB' },
    'Pages that the background writer writes in one round at most; 0 turns it off.',
  ),
  float(
    'storage_bgwriter_lru_multiplier',
    { default: 2, min: 0, max: 10 },
    'How many clean pages the background writer provides, as a multiple of what was needed lately.',
  ),
  text(
    'storage_default_table_access_method',
    { default: 'heap', form: nameForm },
    'How new tables that do not say otherwise are stored. Has to be an access method that the ' +
      'database knows.',
  ),
  int(
    'storage_gin_pending_list_limit',
    { default: 4096, min: 64, max: int32, unit: 'kB' },
    'How large the list of entries that are not yet in a GIN index may grow.',
  ),
  flag(
    'storage_hot_standby_feedback',
    false,
    'Whether replicas tell the primary what their queries still need, so that it is not cleaned ' +
      'away from under them. Tables on the primary may grow for it.',
  ),
  int(
    'storage_old_snapshot_threshold',
    { default: -1, min: -1, max: 86400, unit: 'min', restart: true },
    'How long a query may go on seeing old rows before it can be refused; -1 for ever. PostgreSQL ' +
      '17 and later do not have it: there it has no effect.',
  ),
];

const scale =
  'This share of the table, and a fixed number of rows in another option, has to be reached.';

export const autovacuumOptions: readonly OptionRow[] = [
  float(
    'vacuum_autovacuum_analyze_scale_factor',
    { default: 0.1, min: 0, max: 100 },
    `When autovacuum analyses a table that changed. ${scale} 0.1 is a tenth.`,
  ),
  int(
    'vacuum_autovacuum_analyze_threshold',
    { default: 50, min: 0, max: int32 },
    'Rows that have to change before autovacuum analyses a table, besides the share of the table.',
  ),
  int(
    'vacuum_autovacuum_freeze_max_age',
    { default: 200000000, min: 100000, max: 2000000000, restart: true },
    'Age in transactions at which a table is vacuumed in any case, so that transaction numbers ' +
      'never run out.',
  ),
  int(
    'vacuum_autovacuum_naptime',
    { default: 60, min: 1, max: 2147483, unit: 's' },
    'Pause between two looks of autovacuum at the same database.',
  ),
  float(
    'vacuum_autovacuum_vacuum_cost_delay',
    { default: 2, min: -1, max: 100, unit: 'ms' },
    'How long autovacuum pauses when it has used up its cost limit; -1 for the same as ' +
      'vacuum_vacuum_cost_delay.',
  ),
  int(
    'vacuum_autovacuum_vacuum_cost_limit',
    { default: -1, min: -1, max: 10000 },
    'Cost at which autovacuum pauses; -1 for the same as vacuum_vacuum_cost_limit.',
  ),
  float(
    'vacuum_autovacuum_vacuum_insert_scale_factor',
    { default: 0.2, min: 0, max: 100 },
    `When autovacuum cleans a table that grew. ${scale} 0.2 is a fifth.`,
  ),
  int(
    'vacuum_autovacuum_vacuum_insert_threshold',
    { default: 1000, min: -1, max: int32 },
    'Rows that have to be inserted before autovacuum cleans a table, besides the share of the ' +
      'table; -1 for never because of inserts.',
  ),
  float(
    'vacuum_autovacuum_vacuum_scale_factor',
    { default: 0.2, min: 0, max: 100 },
    `When autovacuum cleans a table with dead rows. ${scale} 0.2 is a fifth.`,
  ),
  int(
    'vacuum_autovacuum_vacuum_threshold',
    { default: 50, min: 0, max: int32 },
    'Rows that have to be changed or deleted before autovacuum cleans a table, besides the share ' +
      'of the table.',
  ),
];

export const vacuumOptions: readonly OptionRow[] = [
  float(
    'vacuum_vacuum_cost_delay',
    { default: 0, min: 0, max: 100, unit: 'ms' },
    'How long VACUUM pauses when it has used up its cost limit; 0 never pauses.',
  ),
  int(
    'vacuum_vacuum_cost_limit',
    { default: 200, min: 1, max: 10000 },
    'Cost at which VACUUM pauses.',
  ),
  int(
    'vacuum_vacuum_cost_page_dirty',
    { default: 20, min: 0, max: 10000 },
    'Cost of changing a page that was clean.',
  ),
  int(
    'vacuum_vacuum_cost_page_hit',
    { default: 1, min: 0, max: 10000 },
    'Cost of looking at a page that is in the cache.',
  ),
  int(
    'vacuum_vacuum_cost_page_miss',
    { default: 2, min: 0, max: 10000 },
    'Cost of looking at a page that has to be read first.',
  ),
  int(
    'vacuum_vacuum_failsafe_age',
    { default: 1600000000, min: 0, max: 2100000000 },
    'Age in transactions at which VACUUM stops pausing and leaves out what is not urgent.',
  ),
  int(
    'vacuum_vacuum_freeze_min_age',
    { default: 50000000, min: 0, max: 1000000000 },
    'Age in transactions at which VACUUM freezes a row.',
  ),
  int(
    'vacuum_vacuum_freeze_table_age',
    { default: 150000000, min: 0, max: 2000000000 },
    'Age in transactions at which VACUUM reads a whole table to freeze its rows.',
  ),
  int(
    'vacuum_vacuum_multixact_failsafe_age',
    { default: 1600000000, min: 0, max: 2100000000 },
    'Age in shared row locks (multixacts) at which VACUUM stops pausing and leaves out what is ' +
      'not urgent.',
  ),
  int(
    'vacuum_vacuum_multixact_freeze_min_age',
    { default: 5000000, min: 0, max: 1000000000 },
    'Age in shared row locks (multixacts) at which VACUUM replaces them.',
  ),
  int(
    'vacuum_vacuum_multixact_freeze_table_age',
    { default: 150000000, min: 0, max: 2000000000 },
    'Age in shared row locks (multixacts) at which VACUUM reads a whole table to replace them.',
  ),
];
