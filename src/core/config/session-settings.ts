// Options that change how sessions behave are meant for clients. Sessions of the charm, Patroni and
// pgBackRest keep PostgreSQL's defaults: a transaction that may not write, a date in other words or a
// password that is stored in another way would break what keeps the cluster together.

/** What the system users keep, whatever the operator chooses for everybody else. */
export const systemSessionSettings: Readonly<Record<string, string>> = {
  DateStyle: 'ISO, MDY',
  bytea_output: 'hex',
  client_min_messages: 'notice',
  default_transaction_deferrable: 'off',
  // A replica refuses every serialisable transaction.
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  exit_on_error: 'off',
  extra_float_digits: '1',
  idle_in_transaction_session_timeout: '0',
  lock_timeout: '0',
  // Patroni sets the first passwords itself, and members log in with SCRAM.
  password_encryption: 'scram-sha-256',
  standard_conforming_strings: 'on',
  statement_timeout: '0',
  transform_null_equals: 'off',
};

/**
 * Whether the system users would have to be kept from it. Until they are, a server must not have such
 * a value: Patroni makes the first of them with its settings.
 */
export function disturbsSystemUsers(parameter: string, value: string): boolean {
  return (systemSessionSettings[parameter] ?? value) !== value;
}
