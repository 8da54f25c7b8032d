// What the server says about the value of an option that only it can judge. Reads only.

import type { SqlConnection } from '../../lib/sql/connection.ts';
import { PostgresError } from '../../lib/sql/error.ts';
import { type Sql, sql } from '../../lib/sql/sql.ts';
import { type DatabaseJudge, mappedRoles } from '../core/config/database-checks.ts';

/** Whether the server takes this value. */
export async function isAccepted(
  connection: SqlConnection,
  judge: DatabaseJudge,
  value: string,
): Promise<boolean> {
  switch (judge) {
    case 'date-style':
      return await isDateStyle(connection, value);
    case 'roles':
      return await haveRoles(connection, mappedRoles(value));
    case 'text-search-config':
    case 'time-zone':
    case 'table-access-method':
      return (await connection.query(lookUps[judge](value))).length > 0;
  }
}

const lookUps = {
  'text-search-config': (value: string): Sql => sql`
    SELECT 1 FROM pg_catalog.pg_ts_config c
      JOIN pg_catalog.pg_namespace n ON n.oid = c.cfgnamespace
     WHERE n.nspname = 'pg_catalog' AND 'pg_catalog.' || c.cfgname = ${value}`,
  'time-zone': (value: string): Sql => sql`
    SELECT 1 FROM pg_catalog.pg_timezone_names WHERE name = ${value}`,
  'table-access-method': (value: string): Sql => sql`
    SELECT 1 FROM pg_catalog.pg_am WHERE amtype = 't' AND amname = ${value}`,
} as const;

const invalidParameterValue = '22023';

/** There is no list of them: the server is asked to use it for the length of one statement. */
async function isDateStyle(connection: SqlConnection, value: string): Promise<boolean> {
  try {
    await connection.query(sql`SELECT pg_catalog.set_config('DateStyle', ${value}, true)`);
    return true;
  } catch (error) {
    const refused =
      error instanceof PostgresError && error.fields['sqlState'] === invalidParameterValue;
    if (!refused) throw error;
    return false;
  }
}

async function haveRoles(connection: SqlConnection, roles: readonly string[]): Promise<boolean> {
  for (const role of roles) {
    const found = await connection.query(sql`
      SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = ${role}`);
    if (found.length === 0) return false;
  }
  return true;
}
