// The settings that the sessions of system users keep, stored with their roles: they hold on every
// member, and a reload of the configuration does not change them.

import * as v from 'valibot';

import type { SqlConnection } from '../../lib/sql/connection.ts';
import { identifier, literal, sql } from '../../lib/sql/sql.ts';
import { systemSessionSettings } from '../core/config/session-settings.ts';

const settingsSchema = v.object({ setting: v.string() });

/** Makes them true for one user; writes only what differs. */
export async function ensureSessionSettings(
  connection: SqlConnection,
  user: string,
): Promise<void> {
  const rows = await connection.query(sql`
    SELECT unnest(s.setconfig) AS setting
      FROM pg_catalog.pg_db_role_setting s
      JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
     WHERE s.setdatabase = 0 AND r.rolname = ${user}`);
  const present = new Set(rows.map((row) => v.parse(settingsSchema, row).setting));
  for (const [name, value] of Object.entries(systemSessionSettings)) {
    if (present.has(`${name}=${value}`)) continue;
    await connection.query(
      sql`ALTER ROLE ${identifier(user)} SET ${identifier(name)} TO ${literal(value)}`,
    );
  }
}
