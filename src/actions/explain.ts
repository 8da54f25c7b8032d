// explain: what the charm sees on this unit, what it does next, and why it waits.

import type { Handler } from '../../lib/juju/hook.ts';
import { observe } from '../adapters/observe.ts';
import { shown } from '../core/action-parameters.ts';
import { explain } from '../core/explain/explain.ts';
import { renderExplanation } from '../core/explain/text.ts';
import type { PostgresqlPorts } from '../ports.ts';

export const explainUnit: Handler<PostgresqlPorts> = async (hook) => {
  const action = hook.juju.action();
  const { format } = await action.params();
  if (format !== 'text' && format !== 'json') {
    action.fail(`Format should be either text or json, not ${shown(String(format))}`);
    return;
  }
  const explanation = explain(await observe(hook));
  action.setResults({
    explanation: format === 'json' ? JSON.stringify(explanation) : renderExplanation(explanation),
  });
};
