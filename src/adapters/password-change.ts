// A password lives in Juju's secret, which is the truth, and in the database. The database is changed
// first, within an action; Juju keeps the secret only when the action's process ends well. So before
// anything is changed a mark is set beside the data directory and a notice is sent: the hook of that
// notice, or the next one that looks, makes the database agree with the secret and takes the mark
// away, whether the change went through or was cut short.

import { CodedError, messageChain } from '../../lib/base/error.ts';
import { isPebbleError } from '../../lib/pebble/errors.ts';
import { passwordChangePath, passwordUsers } from '../core/names.ts';
import { noticeDomain } from '../core/render/watcher.ts';
import type { Cluster, PostgresqlHook } from './cluster.ts';
import { applyConfiguration } from './configuration.ts';
import { withPrimary } from './users.ts';

const noticeKey = `${noticeDomain}/password-change`;

/** To be called before the database gets a password that Juju does not have yet. */
export async function beginPasswordChange(hook: PostgresqlHook, user: string): Promise<void> {
  const { pebble } = hook.ports;
  await pebble.push(passwordChangePath, `${user}\n`, { mode: '0600' });
  await pebble.notify(noticeKey);
}

/**
 * Ends a change that began in an earlier hook of this unit. Without one it costs a look at a file.
 * Says whether passwords agree; when not, the next hook tries again.
 */
export async function settlePasswordChange(
  hook: PostgresqlHook,
  cluster: Cluster,
): Promise<boolean> {
  if (!(await hasBegun(hook))) return true;
  try {
    await alignPasswords(hook, cluster);
    if (!(await applyConfiguration(hook, cluster))) return false;
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    hook.log('WARNING', `cannot end the change of a password yet: ${messageChain(error)}`);
    return false;
  }
  await hook.ports.pebble.remove(passwordChangePath, { recursive: true });
  return true;
}

async function hasBegun(hook: PostgresqlHook): Promise<boolean> {
  try {
    return (await hook.ports.pebble.stat(passwordChangePath)) !== undefined;
  } catch (error) {
    if (isPebbleError(error, 'unreachable')) return false;
    throw error;
  }
}

async function alignPasswords(hook: PostgresqlHook, cluster: Cluster): Promise<void> {
  await withPrimary(hook, cluster, async (postgres) => {
    for (const user of passwordUsers) {
      const password = await cluster.password(user);
      if (user !== 'patroni' && password !== undefined) await postgres.setPassword(user, password);
    }
  });
}
