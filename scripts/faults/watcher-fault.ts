/**
 * The charm's watcher stands still: nobody would fence a member that hangs, nor wake the charm. Pebble has
 * to notice, and the one that it starts wakes the unit.
 */

import { act, awaitHook } from './agent.ts';
import type { Fault } from './fault.ts';
import { podOf } from './names.ts';

const stopMs = 60_000;
const hook = 'postgresql-pebble-custom-notice';
const noticeKey = 'postgresql.charm/watcher-restarted';

export const watcherFault: Fault = {
  name: 'stop-watcher',
  target: 'primary',
  inject: async ({ model, victim, undo, say }) => {
    undo.add(`${victim.name}: the watcher goes on`, async () => {
      await act({ kind: 'continue', podUid: victim.uid });
    });
    const program = { container: victim.workload, program: 'watcher' } as const;
    await act({ kind: 'signal', ...program, signal: 'SIGSTOP' });
    const woken = await awaitHook({ model: model.name, hook, noticeKey }, stopMs);
    if (podOf(woken) !== victim.name) throw new Error(`${woken} was woken, not ${victim.name}`);
    say(`${woken} is woken by another watcher`);
  },
  lastsS: 0,
  boundS: 120,
};
