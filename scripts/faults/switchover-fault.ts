/** No fault, but the same question: how long do writes pause when a replica is made the primary? */

import { runAction } from '../demo/action.ts';
import type { Fault } from './fault.ts';
import { unitOf } from './names.ts';

export const switchoverFault: Fault = {
  name: 'switchover',
  target: 'replica',
  inject: async ({ model, victim }) => {
    const call = { unit: unitOf(victim.name), action: 'promote-to-primary' };
    const outcome = await runAction(model, { ...call, params: { scope: 'unit' } });
    if (outcome.kind === 'failed') throw new Error(`cannot switch over: ${outcome.message}`);
  },
  lastsS: 0,
  boundS: 120,
};
