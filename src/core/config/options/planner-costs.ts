// Options of the query planner, second half: what it reckons with. Costs are in units of their own,
// in which reading one page in sequence is 1.

import { flag, float, int, int32, type OptionRow } from '../option-row.ts';

const any = Number.MAX_VALUE;

export const costOptions: readonly OptionRow[] = [
  float(
    'optimizer_cpu_index_tuple_cost',
    { default: 0.005, min: 0, max: any },
    'Cost of handling one entry of an index; 1 is reading a page in sequence.',
  ),
  float(
    'optimizer_cpu_operator_cost',
    { default: 0.0025, min: 0, max: any },
    'Cost of calling one operator or function; 1 is reading a page in sequence.',
  ),
  float(
    'optimizer_cpu_tuple_cost',
    { default: 0.01, min: 0, max: any },
    'Cost of handling one row; 1 is reading a page in sequence.',
  ),
  float(
    'optimizer_cursor_tuple_fraction',
    { default: 0.1, min: 0, max: 1 },
    'Share of the rows of a cursor that is expected to be fetched; small values favour plans with ' +
      'a quick first row.',
  ),
  int(
    'optimizer_default_statistics_target',
    { default: 100, min: 1, max: 10000 },
    'How much detail ANALYZE collects about columns that have no target of their own. More makes ' +
      'better plans and slower ANALYZE.',
  ),
  int(
    'optimizer_from_collapse_limit',
    { default: 8, min: 1, max: int32 },
    'Subqueries are merged into the outer query as long as its FROM list stays within so many ' +
      'entries.',
  ),
  int(
    'optimizer_join_collapse_limit',
    { default: 8, min: 1, max: int32 },
    'Explicit joins are reordered as long as the list stays within so many entries; 1 keeps the ' +
      'order as written.',
  ),
  int(
    'optimizer_min_parallel_index_scan_size',
    { default: 64, min: 0, max: 715827882, unit: 'pages of 8 kB' },
    'Part of an index that has to be read before a parallel scan of it is considered.',
  ),
  int(
    'optimizer_min_parallel_table_scan_size',
    { default: 1024, min: 0, max: 715827882, unit: 'pages of 8 kB' },
    'Part of a table that has to be read before a parallel scan of it is considered.',
  ),
  float(
    'optimizer_parallel_setup_cost',
    { default: 1000, min: 0, max: any },
    'Cost of starting parallel workers; 1 is reading a page in sequence.',
  ),
  float(
    'optimizer_parallel_tuple_cost',
    { default: 0.1, min: 0, max: any },
    'Cost of passing one row from a parallel worker to another process; 1 is reading a page in ' +
      'sequence.',
  ),
];

export const geneticOptions: readonly OptionRow[] = [
  flag(
    'optimizer_geqo',
    true,
    'Whether joins of many tables are planned by genetic search instead of trying every order.',
  ),
  int(
    'optimizer_geqo_effort',
    { default: 5, min: 1, max: 10 },
    'How hard the genetic search tries; more takes longer and finds better plans.',
  ),
  int(
    'optimizer_geqo_generations',
    { default: 0, min: 0, max: int32 },
    'Rounds of the genetic search; 0 lets optimizer_geqo_effort decide.',
  ),
  int(
    'optimizer_geqo_pool_size',
    { default: 0, min: 0, max: int32 },
    'Plans that the genetic search keeps at a time; 0 lets optimizer_geqo_effort decide.',
  ),
  float(
    'optimizer_geqo_seed',
    { default: 0, min: 0, max: 1 },
    'Where the random choices of the genetic search start; another value explores other plans.',
  ),
  float(
    'optimizer_geqo_selection_bias',
    { default: 2, min: 1.5, max: 2 },
    'How strongly the genetic search prefers good plans as parents of new ones.',
  ),
  int(
    'optimizer_geqo_threshold',
    { default: 12, min: 2, max: int32 },
    'Number of tables in a FROM list from which on the genetic search is used.',
  ),
];

export const compilerOptions: readonly OptionRow[] = [
  flag('optimizer_jit', true, 'Whether expensive queries may be compiled while they run.'),
  float(
    'optimizer_jit_above_cost',
    { default: 100000, min: -1, max: any },
    'Cost of a query above which it is compiled; -1 for never.',
  ),
  float(
    'optimizer_jit_inline_above_cost',
    { default: 500000, min: -1, max: any },
    'Cost of a query above which functions are inlined when it is compiled; -1 for never.',
  ),
  float(
    'optimizer_jit_optimize_above_cost',
    { default: 500000, min: -1, max: any },
    'Cost of a query above which its compiled code is optimised; -1 for never.',
  ),
];
