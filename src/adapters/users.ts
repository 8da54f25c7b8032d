// Passwords of the system users, and what the database needs before anybody uses it.

import { poll } from '../../lib/base/retry.ts';
import { Secret } from '../../lib/base/secret.ts';
import { PostgresError } from '../../lib/sql/error.ts';
import { appSecretLabel, type PasswordUser, passwordKey, passwordUsers } from '../core/names.ts';
import type { Postgres, PostgresTarget } from '../ports.ts';
import type { Cluster, PostgresqlHook } from './cluster.ts';

const passwordLength = 32;

/** Generates the passwords that are missing; leader only. Others in the secret are kept. */
export async function ensurePasswords(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const label = appSecretLabel(cluster.app);
  const present = (await hook.juju.secretByLabel(label)) ?? {};
  const missing = passwordUsers.filter((user) => present[passwordKey(user)] === undefined);
  if (missing.length === 0) return;
  const content: Record<string, Secret> = { ...present };
  for (const user of missing) {
    content[passwordKey(user)] = generatePassword(hook);
  }
  await hook.juju.setSecret({ label, owner: 'application', content });
}

/** A password as the charm makes them: letters and digits only. */
export function generatePassword(hook: PostgresqlHook): Secret {
  return new Secret(hook.ports.random.password(passwordLength));
}

/** Puts one password into Juju's secret; leader only. */
export async function storePassword(
  hook: PostgresqlHook,
  cluster: Cluster,
  { user, password }: { readonly user: PasswordUser; readonly password: Secret },
): Promise<void> {
  const label = appSecretLabel(cluster.app);
  const present = (await hook.juju.secretByLabel(label)) ?? {};
  const content = { ...present, [passwordKey(user)]: password };
  await hook.juju.setSecret({ label, owner: 'application', content });
}

/** Users, groups and default privileges on the primary. */
export async function setUpDatabase(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  const monitoring = await cluster.password('monitoring');
  const backup = await cluster.password('backup');
  await withPrimary(hook, cluster, async (postgres) => {
    await postgres.setUp([
      { name: 'operator' },
      { name: 'replication' },
      { name: 'rewind' },
      { name: 'backup', superuser: true, ...(backup === undefined ? {} : { password: backup }) },
      {
        name: 'monitoring',
        memberOf: ['pg_monitor'],
        ...(monitoring === undefined ? {} : { password: monitoring }),
      },
    ]);
  });
}

/** One connection to the primary as `operator`, closed whatever happens. */
export async function withPrimary<T>(
  hook: PostgresqlHook,
  cluster: Cluster,
  use: (postgres: Postgres) => Promise<T>,
): Promise<T> {
  const postgres = await connectPatiently(hook, cluster);
  try {
    return await use(postgres);
  } finally {
    await postgres.close();
  }
}

/** Where the primary is now; rejects with `PostgresError` while nobody leads. */
export async function primaryTarget(cluster: Cluster): Promise<PostgresTarget> {
  const view = await cluster.patroniCluster({ fresh: true });
  const leader = view?.members.find(({ role }) => role === 'leader');
  if (leader !== undefined) return { pod: leader.name };
  throw new PostgresError('cannot connect to PostgreSQL: no member leads', { code: 'unreachable' });
}

// A fail-over takes longer; the next hook comes after it.
const connectPatience = { intervalMs: 500, timeoutMs: 10_000 };

async function connectPatiently(hook: PostgresqlHook, cluster: Cluster): Promise<Postgres> {
  const connect = async () => await hook.ports.connectPostgres(await primaryTarget(cluster));
  const connected = await poll({ clock: hook.ports.clock, ...connectPatience }, async () => {
    try {
      return await connect();
    } catch (error) {
      if (error instanceof PostgresError && error.code === 'unreachable') return undefined;
      throw error;
    }
  });
  return connected ?? (await connect());
}
