/** The data of the demo: pgbench's tables with a history, and a table of real text. */

import { connection, type Server } from './database.ts';
import { documentsSql, renderDocuments } from './documents.ts';

export const database = 'demo';
const scale = 20;
const historySeconds = 8;

/** Makes the database and pgbench's tables in it. */
export async function loadPgbench(primary: Server, size: number = scale): Promise<void> {
  await primary.query(`create database ${database}`);
  await primary.program('pgbench', ['-i', '-q', '-s', `${size}`, ...connection(database)]);
}

export async function loadDocuments(primary: Server): Promise<void> {
  const rows = await renderDocuments();
  const sql = `${documentsSql}\ncopy documents from stdin;\n${rows}\\.`;
  await primary.query(sql, { database });
}

export async function runPgbench(primary: Server, seconds: number = historySeconds): Promise<void> {
  const clients = ['-c', '4', '-j', '2', '-T', `${seconds}`];
  await primary.program('pgbench', [...clients, ...connection(database)]);
}

/** Drops all tables of the database. */
export async function dropTables(primary: Server): Promise<void> {
  const sql = `
select format('drop table %I.%I cascade', schemaname, tablename)
from pg_catalog.pg_tables
where schemaname not in ('pg_catalog', 'information_schema')
\\gexec`;
  await primary.query(sql, { database });
}
