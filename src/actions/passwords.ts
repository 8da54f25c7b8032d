// get-password and set-password.

import { CodedError } from '../../lib/base/error.ts';
import type { Handler } from '../../lib/juju/hook.ts';
import { openCluster } from '../adapters/cluster.ts';
import { shown } from '../core/action-parameters.ts';
import { passwordKey, passwordUsers } from '../core/names.ts';
import type { PostgresqlPorts } from '../ports.ts';

type PostgresqlHandler = Handler<PostgresqlPorts>;

/** Parity: users in the order in which others have always read them. */
const changeable = ['backup', 'replication', 'rewind', 'operator', 'monitoring'] as const;

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
