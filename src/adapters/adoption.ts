// The passwords of this model in a database that came with its volume. Nobody can log in with them
// before they are set, so they are set from inside the workload, over the local socket, where the
// server's own operating-system user needs none.

import { CodedError } from '../../lib/base/error.ts';
import { type Sql, sql } from '../../lib/sql/sql.ts';
import { workloadUser } from '../core/names.ts';
import type { Cluster, PostgresqlHook } from './cluster.ts';
import { alterPassword, unloggedSettings } from './postgres.ts';
import { readWorkload } from './workload.ts';

/** Users that Patroni works with; the others follow with the usual set-up. */
const users = ['operator', 'replication', 'rewind'] as const;

/** Sets the passwords on the own member, which has to be the primary. Safe to repeat. */
export async function takeOverUsers(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const statements: Sql[] = [sql`BEGIN`, ...unloggedSettings];
  for (const user of users) {
    const password = await cluster.password(user);
    if (password !== undefined) statements.push(alterPassword(user, password));
  }
  statements.push(sql`COMMIT`);
  const { binDir } = await readWorkload(hook);
  const socket = ['-h', '/var/run/postgresql', '-U', 'operator', '-d', 'postgres'];
  const result = await hook.ports.pebble.exec(
    [`${binDir}/psql`, '-X', '-q', '-v', 'ON_ERROR_STOP=1', ...socket],
    {
      user: workloadUser,
      // Verifiers, not passwords; and not in an argument list.
      stdin: statements.map((statement) => `${statement.render().text};\n`).join(''),
      timeoutMs: 30_000,
    },
  );
  if (result.exitCode === 0) return;
  throw new CodedError(`cannot take over the users of the database: ${result.stderr.trim()}`, {
    code: 'takeover-failed',
  });
}
