// explain: what the charm sees on this unit, what it does next, and why it waits.

import type { Handler } from '../../lib/juju/hook.ts';
import { openCluster, type PostgresqlHook } from '../adapters/cluster.ts';
import { observe, reach } from '../adapters/observe.ts';
import { shown } from '../core/action-parameters.ts';
import { explain } from '../core/explain/explain.ts';
import { type Observed, seen } from '../core/explain/facts.ts';
import { renderExplanation } from '../core/explain/text.ts';
import type { PostgresqlPorts } from '../ports.ts';
import { readStorage } from '../storage.ts';

export const explainUnit: Handler<PostgresqlPorts> = async (hook) => {
  const action = hook.juju.action();
  const { format } = await action.params();
  if (format !== 'text' && format !== 'json') {
    action.fail(`Format should be either text or json, not ${shown(String(format))}`);
    return;
  }
  const explanation = explain(await observeAll(hook));
  action.setResults({
    explanation: format === 'json' ? JSON.stringify(explanation) : renderExplanation(explanation),
  });
};

/** A member that is up has the data that it has to have. */
async function observeAll(hook: PostgresqlHook): Promise<Observed> {
  const observed = await observe(hook);
  const cluster = await openCluster(hook);
  const isUp = seen(observed.own)?.started === true;
  const storage = await reach(async () =>
    isUp || cluster === undefined ? undefined : await readStorage(hook, cluster),
  );
  return { ...observed, storage };
}
