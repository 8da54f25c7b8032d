// What copies the data of the primary at the moment: a backup, or a replica that is made anew.
// Source: PostgreSQL manual, `pg_stat_progress_basebackup`.

import * as v from 'valibot';

import type { SqlConnection } from '../../lib/sql/connection.ts';
import { sql } from '../../lib/sql/sql.ts';
import type { CopyActivity } from '../ports.ts';

const rowSchema = v.object({
  backup: v.boolean(),
  percent: v.nullable(v.number()),
});

/** Of several copies the one that began last counts. */
export async function readCopyActivity(connection: SqlConnection): Promise<CopyActivity> {
  const [row] = await connection.query(sql`
    SELECT EXISTS (
             SELECT 1 FROM pg_catalog.pg_stat_activity
              WHERE application_name LIKE 'pgBackRest [backup]%'
           ) AS backup,
           ( SELECT (100.0 * p.backup_streamed / nullif(p.backup_total, 0))::float8
               FROM pg_catalog.pg_stat_progress_basebackup p
               JOIN pg_catalog.pg_stat_activity a USING (pid)
              ORDER BY a.backend_start DESC LIMIT 1
           ) AS percent`);
  const { backup, percent } = v.parse(rowSchema, row);
  return { backupRuns: backup, ...(percent === null ? {} : { percent: Math.min(100, percent) }) };
}
