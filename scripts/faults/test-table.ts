/** The table that the writer fills: without a key, so that a number can be there twice. */

import { randomBytes } from 'node:crypto';

import { type Member, query } from './sql.ts';

export const database = 'faults';
export const user = 'faults_writer';

/** Makes a database with a user of its own, anew; returns the user's password. */
export async function createTestTable(primary: Member): Promise<string> {
  const password = randomBytes(24).toString('hex');
  await query(primary, {
    sql: `drop database if exists ${database} with (force);
drop role if exists ${user};
set log_statement = 'none';
create role ${user} login password '${password}' in role relation_access;
create database ${database} owner ${user};`,
  });
  await query(primary, {
    database,
    sql: `create table public.writes (id bigint not null, written timestamptz not null default clock_timestamp());
alter table public.writes owner to ${user};`,
  });
  return password;
}
