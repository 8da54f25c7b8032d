// The handlers of all actions, each behind the check of its parameters: a wrong one fails the action
// with a sentence before anything has been looked at.

import type { Handler } from '../../lib/juju/hook.ts';
import { openCluster, type PostgresqlHook } from '../adapters/cluster.ts';
import { excuseDelay } from '../backup-schedule.ts';
import { parameterProblem } from '../core/action-parameters.ts';
import { type ActionName, type ActionRow, actionTable } from '../core/action-table.ts';
import type { PostgresqlPorts } from '../ports.ts';

type PostgresqlHandler = Handler<PostgresqlPorts>;

/** The part of the charm's table that answers actions. */
export function checkedActions(
  handlers: Readonly<Record<ActionName, PostgresqlHandler>>,
): Readonly<Record<string, PostgresqlHandler>> {
  return Object.fromEntries(
    actionTable.map((row) => [`action:${row.name}`, checked(row, handlers[row.name])]),
  );
}

function checked(row: ActionRow, handler: PostgresqlHandler): PostgresqlHandler {
  return async (hook) => {
    const action = hook.juju.action();
    const problem = parameterProblem(row, await action.params());
    if (problem !== undefined) {
      action.fail(problem);
      return;
    }
    const sinceMs = hook.ports.clock.nowMs();
    await handler(hook);
    await tellDelay(hook, { name: row.name, sinceMs });
  };
}

/** Nothing else is handled while an action runs; the schedule of backups is told by which. */
const longMs = 60_000;

async function tellDelay(
  hook: PostgresqlHook,
  { name, sinceMs }: { readonly name: string; readonly sinceMs: number },
): Promise<void> {
  if (hook.ports.clock.nowMs() - sinceMs < longMs) return;
  const cluster = await openCluster(hook);
  if (cluster === undefined) return;
  await excuseDelay(hook, cluster, { sinceMs, reason: `the action ${name} was running` });
}
