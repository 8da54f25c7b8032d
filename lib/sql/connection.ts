// One connection to a PostgreSQL server. The driver is loaded when the first connection is made.
// Nothing is retried: a statement may have been carried out although its answer was lost.

import type { Client, ClientConfig, DatabaseError } from 'pg';

import { messageOf } from '../base/error.ts';
import type { Secret } from '../base/secret.ts';
import { PostgresError, type PostgresErrorCode } from './error.ts';
import { type Sql, sql } from './sql.ts';

export interface SqlTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: Secret;
  readonly database: string;
  /** PEM of the authority; with it the connection is encrypted and the server's name checked. */
  readonly ca?: string;
}

export type SqlRow = Readonly<Record<string, unknown>>;

/** Every call rejects with `PostgresError`. */
export interface SqlConnection {
  query(statement: Sql): Promise<readonly SqlRow[]>;
  /** Commits when `work` is done, rolls back when it fails. */
  transaction<T>(work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const deadlines = {
  // A server that is there answers within milliseconds; Patroni moves a dead one in seconds.
  connectMs: 5_000,
  // What the charm runs is small, but may wait for a lock of somebody's running statement.
  statementMs: 30_000,
  // Past the server's own limit, which gives the better error.
  answerMs: 35_000,
};

/** Connects and logs in. */
export async function connectSql(target: SqlTarget): Promise<SqlConnection> {
  const { Client } = await import('pg');
  const client = new Client(describe(target));
  // A connection that breaks between two statements must not end the process; the next one fails.
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    throw toPostgresError(`connect to PostgreSQL on "${target.host}"`, error);
  }
  return createConnection(client);
}

function createConnection(client: Client): SqlConnection {
  const query = async (statement: Sql): Promise<readonly SqlRow[]> => {
    const { text, values } = statement.render();
    try {
      return (await client.query<SqlRow>(text, [...values])).rows;
    } catch (error) {
      throw toPostgresError('run a statement', error);
    }
  };
  return {
    query,
    transaction: async (work) => {
      await query(sql`BEGIN`);
      try {
        const result = await work();
        await query(sql`COMMIT`);
        return result;
      } catch (error) {
        await rollBack(query);
        throw error;
      }
    },
    close: async () => {
      await client.end();
    },
  };
}

/** A connection that is gone has rolled back already. */
async function rollBack(query: SqlConnection['query']): Promise<void> {
  try {
    await query(sql`ROLLBACK`);
  } catch (error) {
    if (!(error instanceof PostgresError)) throw error;
  }
}

function describe(target: SqlTarget): ClientConfig {
  return {
    host: target.host,
    port: target.port,
    user: target.user,
    password: target.password.reveal(),
    database: target.database,
    application_name: 'charm',
    connectionTimeoutMillis: deadlines.connectMs,
    statement_timeout: deadlines.statementMs,
    query_timeout: deadlines.answerMs,
    // Stated either way, so that no variable of the environment decides.
    ssl: target.ca === undefined ? false : { ca: target.ca },
  };
}

/** The driver's error as ours, without the statement and the driver's own fields. */
function toPostgresError(purpose: string, error: unknown): PostgresError {
  const sqlState = isDatabaseError(error) ? error.code : undefined;
  const message = messageOf(error) || (error instanceof AggregateError ? 'no address answers' : '');
  return new PostgresError(`cannot ${purpose}: ${message}`, {
    code: codeOf(sqlState),
    fields: { sqlState, dependents: dependentsOf(error) },
  });
}

function codeOf(sqlState: string | undefined): PostgresErrorCode {
  // No answer at all, or: shutting down, starting up, too many connections.
  if (sqlState === undefined || /^(57P0[1-4]|53300)$/u.test(sqlState)) return 'unreachable';
  return sqlState.startsWith('28') ? 'refused-login' : 'sql';
}

/** The objects that keep another one from being dropped; names only, unlike other details. */
function dependentsOf(error: unknown): string | undefined {
  return isDatabaseError(error) && error.code === '2BP01' ? error.detail : undefined;
}

/** Only the server's errors have a severity; the system's have a code too. */
function isDatabaseError(error: unknown): error is DatabaseError & { readonly code: string } {
  return error instanceof Error && 'severity' in error && 'code' in error;
}
