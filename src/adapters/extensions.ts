// Extensions of one database, through a connection to it as superuser. Each change is a
// transaction of its own that is taken back as a whole when it fails or is cut short.

import * as v from 'valibot';

import type { SqlConnection } from '../../lib/sql/connection.ts';
import { PostgresError } from '../../lib/sql/error.ts';
import { identifier, sql } from '../../lib/sql/sql.ts';

/**
 * Databases that take connections: `template1`, so that new databases begin like it, then those
 * that are no templates. The limit of -2 marks what an interrupted DROP DATABASE has left.
 */
export async function listDatabases(connection: SqlConnection): Promise<readonly string[]> {
  const rows = await connection.query(sql`
    SELECT datname AS name FROM pg_catalog.pg_database
     WHERE datallowconn AND datconnlimit <> -2 AND (NOT datistemplate OR datname = 'template1')
     ORDER BY datname <> 'template1', datname`);
  return names(rows);
}

/** What the database has. */
export async function listExtensions(connection: SqlConnection): Promise<readonly string[]> {
  return names(await connection.query(sql`SELECT extname AS name FROM pg_catalog.pg_extension`));
}

/** What the server could create. */
export async function listAvailableExtensions(
  connection: SqlConnection,
): Promise<readonly string[]> {
  return names(await connection.query(sql`SELECT name FROM pg_catalog.pg_available_extensions`));
}

function names(rows: readonly unknown[]): readonly string[] {
  return v.parse(v.array(v.object({ name: v.string() })), rows).map(({ name }) => name);
}

/** Creates all, in this order, or none. Those that another unit has created meanwhile are fine. */
export async function createExtensions(
  connection: SqlConnection,
  wanted: readonly string[],
): Promise<void> {
  await connection.transaction(async () => {
    await takeTurns(connection);
    // Not a schema that somebody has named like the superuser, nor one of the database's own path.
    await connection.query(sql`SET LOCAL search_path TO public`);
    for (const name of wanted) {
      await connection.query(sql`CREATE EXTENSION IF NOT EXISTS ${identifier(name)}`);
    }
  });
}

const dependentObjectsExist = '2BP01';

/** Drops one extension unless other objects depend on it: says which, one line each. */
export async function dropExtension(
  connection: SqlConnection,
  name: string,
): Promise<readonly string[]> {
  try {
    await connection.transaction(async () => {
      await takeTurns(connection);
      await connection.query(sql`DROP EXTENSION IF EXISTS ${identifier(name)}`);
    });
    return [];
  } catch (error) {
    const needed =
      error instanceof PostgresError && error.fields['sqlState'] === dependentObjectsExist;
    if (!needed) throw error;
    return String(error.fields['dependents'] ?? error.message).split('\n');
  }
}

/** Two units that believe to be leader must not change the same extension at the same time. */
async function takeTurns(connection: SqlConnection): Promise<void> {
  await connection.query(sql`SELECT pg_catalog.pg_advisory_xact_lock(7226539087310255)`);
}
