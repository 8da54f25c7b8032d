// One connection to a PostgreSQL server, over the network or through a stream that leads to the
// server's socket. The driver is loaded when the first connection is made. Nothing is retried: a statement may have been carried out although its answer was lost.

import type { Duplex } from 'node:stream';

import type { Client, ClientConfig, DatabaseError } from 'pg';

import { systemClock } from '../base/clock.ts';
import { messageOf } from '../base/error.ts';
import type { Secret } from '../base/secret.ts';
import { PostgresError, type PostgresErrorCode } from './error.ts';
import { type Sql, sql } from './sql.ts';
import { asSocket } from './stream-socket.ts';

export type SqlTarget = NetworkTarget | StreamTarget;

export interface NetworkTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: Secret;
  readonly database: string;
  /** PEM of the authority; with it the connection is encrypted and the server's name checked. */
  readonly ca?: string;
}

/** A server that knows by where the stream comes from who we are, and asks for no password. */
export interface StreamTarget {
  /** Leads to the server's socket; ours from now on. */
  readonly stream: Duplex;
  /** Of the server, for messages. */
  readonly host: string;
  readonly user: string;
  readonly database: string;
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
  // A charm that got lost must not keep others waiting for its locks.
  idleTransactionMs: 60_000,
  closeMs: 2_000,
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
  return createConnection(client, 'stream' in target ? target.stream : undefined);
}

function createConnection(client: Client, stream: Duplex | undefined): SqlConnection {
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
      await closeInTime(client, stream);
    },
  };
}

/** What the stream goes through may be slow to end, or gone; the server ends its part by itself. */
async function closeInTime(client: Client, stream: Duplex | undefined): Promise<void> {
  const closed = new AbortController();
  const late = systemClock.sleep(deadlines.closeMs, closed.signal).then(
    () => stream?.destroy(),
    () => undefined,
  );
  await client.end();
  closed.abort();
  await late;
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
    user: target.user,
    database: target.database,
    application_name: 'charm',
    connectionTimeoutMillis: deadlines.connectMs,
    statement_timeout: deadlines.statementMs,
    query_timeout: deadlines.answerMs,
    idle_in_transaction_session_timeout: deadlines.idleTransactionMs,
    ...('stream' in target ? describeStream(target) : describeNetwork(target)),
  };
}

function describeNetwork({ host, port, password, ca }: NetworkTarget): ClientConfig {
  // Stated either way, so that no variable of the environment decides.
  return { host, port, password: password.reveal(), ssl: ca === undefined ? false : { ca } };
}

function describeStream({ stream }: StreamTarget): ClientConfig {
  // A function, so that the driver does not look for a password anywhere else.
  return { stream: () => asSocket(stream), password: () => '', ssl: false };
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
