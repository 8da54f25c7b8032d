// What can go wrong with a PostgreSQL server.

import { CodedError } from '../base/error.ts';

/**
 * `unreachable`: nobody there, starting, stopping, or lost meanwhile; `refused-login`: wrong
 * password or not admitted; `sql`: everything that a statement can run into.
 */
export type PostgresErrorCode = 'unreachable' | 'refused-login' | 'sql';

/**
 * Carries the field `sqlState` when the server answered, and `dependents`, one line each, when other
 * objects keep one from being dropped; never the statement.
 */
export class PostgresError extends CodedError {
  declare readonly code: PostgresErrorCode;
}
