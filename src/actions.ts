// The small actions: which unit is the primary, and the passwords of the system users.

import { CodedError } from '../lib/base/error.ts';
import type { Handler } from '../lib/juju/hook.ts';
import { openCluster } from './adapters/cluster.ts';
import { passwordKey, passwordUsers } from './core/names.ts';
import type { PostgresqlPorts } from './ports.ts';

type PostgresqlHandler = Handler<PostgresqlPorts>;

export const getPrimary: PostgresqlHandler = async (hook) => {
  const primary = await (await openCluster(hook))?.primary();
  if (primary === undefined) {
    hook.juju.action().fail('No primary: the cluster has not started, or is choosing a new one.');
    return;
  }
  hook.juju.action().setResults({ primary });
};

export const getPassword: PostgresqlHandler = async (hook) => {
  const action = hook.juju.action();
  const given = (await action.params())['username'];
  const name = typeof given === 'string' ? given : 'operator';
  const user = passwordUsers.find((known) => known === name);
  if (user === undefined) {
    action.fail(
      'The action can be run only for system users or Patroni: ' +
        `${passwordUsers.join(', ')} not ${name}`,
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
