/** Row counts and checksums of all user tables, read from one server. */

import type { Server } from './database.ts';
import type { TableSum, TableSums } from './report.ts';

/**
 * The server writes one query per table and runs it (`\gexec`). Hashes are added up, so the order
 * of rows does not matter; the time zone is fixed because it shows in the text of a row.
 */
const checksumSql = `
set timezone = 'UTC';
select format(
  'select %L, count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) from %I.%I t',
  schemaname || '.' || tablename, schemaname, tablename)
from pg_catalog.pg_tables
where schemaname not in ('pg_catalog', 'information_schema')
order by schemaname, tablename
\\gexec`;

const timeoutMs = 180_000;

export async function readTableSums(server: Server, database: string): Promise<TableSums> {
  return parseTableSums(await server.query(checksumSql, { database, timeoutMs }));
}

export function parseTableSums(output: string): TableSums {
  const rows = output.split('\n').filter((line) => line !== '');
  return Object.fromEntries(rows.map(parseRow));
}

function parseRow(line: string): readonly [string, TableSum] {
  const [, table, rows, checksum] = /^(.+)\|(\d+)\|(-?\d+)$/.exec(line) ?? [];
  if (table === undefined || rows === undefined || checksum === undefined) {
    throw new Error(`cannot read the checksum of a table from "${line}"`);
  }
  return [table, { rows: Number(rows), checksum }];
}

/** The sums as an aligned table for people. */
export function renderTableSums(sums: TableSums): string {
  const width = Math.max(0, ...Object.keys(sums).map((table) => table.length));
  return Object.entries(sums)
    .map(
      ([table, sum]) =>
        `${table.padEnd(width)}  ${`${sum.rows}`.padStart(9)} rows  ${sum.checksum}`,
    )
    .join('\n');
}
