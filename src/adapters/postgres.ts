// Makes the users, groups and privileges that the charm needs true in a PostgreSQL cluster. Runs
// on the primary, as the superuser that Patroni made. All in one transaction, so that a killed
// hook leaves nothing half done; repeating it changes nothing.

import * as v from 'valibot';

import type { Secret } from '../../lib/base/secret.ts';
import { connectSql, type SqlConnection, type SqlTarget } from '../../lib/sql/connection.ts';
import { matchesVerifier, scramVerifier } from '../../lib/sql/scram.ts';
import { identifier, list, literal, type Sql, sql } from '../../lib/sql/sql.ts';
import { accessGroups } from '../core/names.ts';
import type { ArchiverState, Postgres, SystemUser } from '../ports.ts';
import { readCopyActivity } from './copy-activity.ts';
import {
  createExtensions,
  dropExtension,
  listAvailableExtensions,
  listDatabases,
  listExtensions,
} from './extensions.ts';
import { isAccepted } from './judges.ts';
import { ensureSessionSettings } from './session-settings.ts';

/** Connects to a database as a superuser. */
export async function connectPostgres(target: SqlTarget): Promise<Postgres> {
  const connection = await connectSql(target);
  return {
    setUp: async (users) => {
      await connection.transaction(async () => {
        await keepOutOfLogs(connection);
        await takeTurns(connection);
        for (const user of users) await ensureUser(connection, user);
        for (const { name } of users) await ensureSessionSettings(connection, name);
        await ensureDefaultPrivileges(connection, users);
        await ensureAccessGroups(connection, users);
      });
    },
    setPassword: async (user, password) => {
      await connection.transaction(async () => {
        await keepOutOfLogs(connection);
        const role = await findRole(connection, user);
        if (role !== undefined && matchesVerifier(role.rolpassword, password)) return;
        await connection.query(alterPassword(user, password));
      });
    },
    switchWal: async () => await switchWal(connection),
    archiver: async () => await readArchiver(connection),
    copying: async () => await readCopyActivity(connection),
    databases: async () => await listDatabases(connection),
    extensions: async () => await listExtensions(connection),
    availableExtensions: async () => await listAvailableExtensions(connection),
    createExtensions: async (names) => {
      await createExtensions(connection, names);
    },
    dropExtension: async (name) => await dropExtension(connection, name),
    accepts: async (judge, value) => await isAccepted(connection, judge, value),
    close: async () => {
      await connection.close();
    },
  };
}

/**
 * Nothing of this transaction is logged, audited or counted, whatever the operator chose: a
 * verifier is no password, but weak passwords can be guessed from it. Settings of modules that
 * are not loaded are accepted and mean nothing.
 */
async function keepOutOfLogs(connection: SqlConnection): Promise<void> {
  await connection.query(sql`SET LOCAL log_statement TO 'none'`);
  await connection.query(sql`SET LOCAL log_min_duration_statement TO -1`);
  await connection.query(sql`SET LOCAL log_min_duration_sample TO -1`);
  await connection.query(sql`SET LOCAL log_min_error_statement TO 'panic'`);
  await connection.query(sql`SET LOCAL pgaudit.log TO 'none'`);
  await connection.query(sql`SET LOCAL pg_stat_statements.track_utility TO 'off'`);
}

/** Two units that believe to be leader must not create the same role at the same time. */
async function takeTurns(connection: SqlConnection): Promise<void> {
  await connection.query(sql`SELECT pg_catalog.pg_advisory_xact_lock(7226539087310254)`);
}

async function ensureUser(connection: SqlConnection, user: SystemUser): Promise<void> {
  const { name, password, memberOf = [] } = user;
  const found = await findRole(connection, name);
  if (found === undefined) await connection.query(sql`CREATE ROLE ${identifier(name)}`);
  const role = found ?? createdRole;
  if (!role.rolcanlogin) await connection.query(sql`ALTER ROLE ${identifier(name)} LOGIN`);
  if (user.superuser === true && !role.rolsuper) {
    await connection.query(sql`ALTER ROLE ${identifier(name)} SUPERUSER`);
  }
  // After a restore the stored password is that of another time, or of another cluster.
  if (password !== undefined && !matchesVerifier(role.rolpassword, password)) {
    await connection.query(alterPassword(name, password));
  }
  for (const group of memberOf) await ensureMember(connection, group, name);
}

const roleSchema = v.object({
  rolsuper: v.boolean(),
  rolcanlogin: v.boolean(),
  rolpassword: v.nullable(v.string(), ''),
});

type Role = v.InferOutput<typeof roleSchema>;

/** What CREATE ROLE alone makes. */
const createdRole: Role = { rolsuper: false, rolcanlogin: false, rolpassword: '' };

async function findRole(connection: SqlConnection, name: string): Promise<Role | undefined> {
  const [row] = await connection.query(sql`
    SELECT rolsuper, rolcanlogin, rolpassword
      FROM pg_catalog.pg_authid WHERE rolname = ${name}`);
  return row === undefined ? undefined : v.parse(roleSchema, row);
}

function alterPassword(user: string, password: Secret): Sql {
  return sql`ALTER ROLE ${identifier(user)} PASSWORD ${literal(scramVerifier(password))}`;
}

/** Granting again would do no harm, but would leave a notice in the log each time. */
async function ensureMember(
  connection: SqlConnection,
  group: string,
  member: string,
): Promise<void> {
  const found = await connection.query(sql`
    SELECT 1
      FROM pg_catalog.pg_auth_members m
      JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
      JOIN pg_catalog.pg_roles u ON u.oid = m.member
     WHERE g.rolname = ${group} AND u.rolname = ${member}`);
  if (found.length > 0) return;
  await connection.query(sql`GRANT ${identifier(group)} TO ${identifier(member)}`);
}

/** What is revoked is revoked once, with the role's creation: later grants are the operator's. */
async function ensureDefaultPrivileges(
  connection: SqlConnection,
  users: readonly SystemUser[],
): Promise<void> {
  if (!(await hasRole(connection, 'admin'))) {
    await connection.query(sql`REVOKE ALL ON DATABASE postgres FROM PUBLIC`);
    await connection.query(sql`REVOKE CREATE ON SCHEMA public FROM PUBLIC`);
    // Without LOGIN and without a password: admission is granted to users, never to the role.
    await connection.query(sql`CREATE ROLE admin NOLOGIN`);
    await connection.query(sql`GRANT pg_read_all_data, pg_write_all_data TO admin`);
    await connection.query(sql`GRANT CONNECT ON DATABASE postgres TO admin`);
  }
  if (users.length === 0) return;
  const names = list(users.map((user) => identifier(user.name)));
  await connection.query(sql`GRANT ALL ON DATABASE postgres TO ${names}`);
}

async function ensureAccessGroups(
  connection: SqlConnection,
  users: readonly SystemUser[],
): Promise<void> {
  for (const group of Object.values(accessGroups)) {
    if (await hasRole(connection, group)) continue;
    await connection.query(sql`CREATE ROLE ${identifier(group)} NOLOGIN`);
  }
  for (const user of users) await ensureMember(connection, accessGroups.internal, user.name);
}

async function hasRole(connection: SqlConnection, name: string): Promise<boolean> {
  const found = await connection.query(sql`
    SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = ${name}`);
  return found.length > 0;
}

async function switchWal(connection: SqlConnection): Promise<string> {
  // The restore point makes sure that there is something to archive.
  const [row] = await connection.query(sql`
    SELECT pg_catalog.pg_walfile_name(point) AS file
      FROM pg_catalog.pg_create_restore_point('charm') AS point`);
  await connection.query(sql`SELECT pg_catalog.pg_switch_wal()`);
  return v.parse(v.string(), row?.['file']);
}

const archiverSchema = v.object({
  command: v.string(),
  last_archived_wal: v.nullable(v.string()),
  last_failed_wal: v.nullable(v.string()),
});

async function readArchiver(connection: SqlConnection): Promise<ArchiverState> {
  const [row] = await connection.query(sql`
    SELECT pg_catalog.current_setting('archive_command') AS command,
           last_archived_wal, last_failed_wal
      FROM pg_catalog.pg_stat_archiver`);
  const state = v.parse(archiverSchema, row);
  return {
    command: state.command,
    ...(state.last_archived_wal === null ? {} : { lastArchivedWal: state.last_archived_wal }),
    ...(state.last_failed_wal === null ? {} : { lastFailedWal: state.last_failed_wal }),
  };
}
