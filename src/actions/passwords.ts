// get-password and set-password.

import { CodedError } from '../../lib/base/error.ts';
import { Secret } from '../../lib/base/secret.ts';
import type { Handler } from '../../lib/juju/hook.ts';
import { type Cluster, openCluster, type PostgresqlHook } from '../adapters/cluster.ts';
import { applyConfiguration, readSettings } from '../adapters/configuration.ts';
import { beginPasswordChange, settlePasswordChange } from '../adapters/password-change.ts';
import { generatePassword, storePassword, withPrimary } from '../adapters/users.ts';
import { shown } from '../core/action-parameters.ts';
import { passwordKey, passwordUsers } from '../core/names.ts';
import { passwordProblem } from '../core/password.ts';
import type { PostgresqlPorts } from '../ports.ts';

type PostgresqlHandler = Handler<PostgresqlPorts>;

/** Parity: users in the order in which others have always read them. */
const changeable = ['backup', 'replication', 'rewind', 'operator', 'monitoring'] as const;
type ChangeableUser = (typeof changeable)[number];

export const getPassword: PostgresqlHandler = async (hook) => {
  const action = hook.juju.action();
  const name = String((await action.params())['username']);
  const user = passwordUsers.find((known) => known === name);
  if (user === undefined) {
    action.fail(
      'The action can be run only for system users or Patroni: ' +
        `${[...changeable, 'patroni'].join(', ')} not ${shown(name)}`,
    );
    return;
  }
  const password = await (await openCluster(hook))?.password(user);
  if (password === undefined) {
    throw new CodedError(`cannot show ${passwordKey(user)}: it has not been generated yet`, {
      code: 'no-password',
    });
  }
  action.setResults({ password: password.reveal() });
};

export const setPassword: PostgresqlHandler = async (hook) => {
  const action = hook.juju.action();
  const request = await readRequest(hook);
  const outcome = 'refusal' in request ? request : await change(hook, request);
  if ('refusal' in outcome) action.fail(outcome.refusal);
  else action.setResults({ password: outcome.password.reveal() });
};

interface Refusal {
  readonly refusal: string;
}

interface Request {
  readonly user: ChangeableUser;
  readonly password: Secret;
}

async function readRequest(hook: PostgresqlHook): Promise<Request | Refusal> {
  if (!(await hook.juju.isLeader())) {
    return { refusal: 'The action can be run only on leader unit' };
  }
  const { username, password } = await hook.juju.action().params();
  if (typeof username !== 'string' || username === '') {
    return { refusal: 'The action requires a username' };
  }
  const user = changeable.find((known) => known === username);
  if (user === undefined) {
    return {
      refusal:
        'The action can be run only for system users: ' +
        `${changeable.join(', ')} not ${shown(username)}`,
    };
  }
  if (typeof password !== 'string') return { user, password: generatePassword(hook) };
  const problem = passwordProblem(password);
  if (problem !== undefined) return { refusal: `The password cannot be used: ${problem}` };
  return { user, password: new Secret(password) };
}

async function change(
  hook: PostgresqlHook,
  request: Request,
): Promise<{ readonly password: Secret } | Refusal> {
  const { user, password } = request;
  const cluster = await openCluster(hook);
  if ((await cluster?.password(user))?.equals(password) === true) {
    hook.log('INFO', 'The old and new passwords are equal.');
    return { password };
  }
  const refusal = await refuseCluster(hook, cluster);
  if (refusal !== undefined || cluster === undefined) return { refusal: refusal ?? notReady };
  await changeEverywhere(hook, cluster, request);
  return { password };
}

const notReady = 'Failed changing the password: Not all members healthy or finished initial sync.';

async function refuseCluster(
  hook: PostgresqlHook,
  cluster: Cluster | undefined,
): Promise<string | undefined> {
  if (cluster === undefined || !(await hook.ports.pebble.canConnect())) return notReady;
  if (!(await cluster.allMembersReady())) return notReady;
  const settings = await readSettings(hook);
  // A unit on which the charm has not been refreshed yet writes nothing then: a replica would go on with the
  // old password.
  if (settings.kind === 'invalid') {
    return `Failed changing the password: the configuration is invalid: ${settings.problems[0] ?? ''}`;
  }
  if (await settlePasswordChange(hook, cluster)) return undefined;
  return 'Failed changing the password: an earlier change has not ended, check the logs for details';
}

/**
 * The database first, then Juju's secret, which the other units follow. What is connected stays
 * connected; a replica that connects anew within the seconds in between tries again by itself.
 */
async function changeEverywhere(
  hook: PostgresqlHook,
  cluster: Cluster,
  { user, password }: Request,
): Promise<void> {
  await beginPasswordChange(hook, user);
  try {
    await withPrimary(hook, cluster, async (postgres) => {
      await postgres.setPassword(user, password);
    });
    await storePassword(hook, cluster, { user, password });
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    await hook.juju.action().log(error.message);
    const details = { code: 'password-change-failed', cause: error };
    throw new CodedError('Failed changing the password.', details);
  }
  await hook.juju.action().log(`the database has the new password of ${user}; units follow`);
  try {
    await applyConfiguration(hook, cluster);
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    // The database has it; the hook of the notice makes up for this.
    hook.log('WARNING', `${error.message}; the own configuration follows in the next hook`);
  }
}
