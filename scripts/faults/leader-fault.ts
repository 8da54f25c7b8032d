/**
 * Leadership moves, and the pod of the new leader is lost in the middle of its `leader-elected`. The
 * old leader's agent stands still meanwhile, so that Juju has to elect another unit.
 */

import { act, awaitHook } from './agent.ts';
import type { Fault } from './fault.ts';
import { podOf } from './names.ts';
import { atOnce, deletePods } from './pod-faults.ts';
import { answerProbes } from './probes.ts';

/** Juju's lease of leadership runs out after a minute. */
const electionTimeoutMs = 180_000;

export const leaderFault: Fault = {
  name: 'lose-pod-while-elected',
  target: 'leader-unit',
  inject: async ({ model, victim, undo, say }) => {
    await answerProbes(victim, undo);
    undo.add(`${victim.name}: the charm's container goes on`, async () => {
      await act({ kind: 'thaw', podUid: victim.uid });
    });
    await act({ kind: 'freeze', ...victim.charm });
    const elected = await awaitHook(
      { model: model.name, hook: 'leader-elected' },
      electionTimeoutMs,
    );
    say(`${elected} runs leader-elected: its pod goes away`);
    await deletePods(model.name, [podOf(elected)], atOnce);
  },
  lastsS: 0,
  boundS: 300,
  away: 'victim',
};
