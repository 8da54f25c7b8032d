/**
 * The primary's whole pod stands still, as on a machine that is paused, and goes on later as if
 * nothing had been. What it believes about the cluster is old by then: it must not act on it.
 */

import { act } from './agent.ts';
import type { Fault, Scene } from './fault.ts';
import { answerProbes } from './probes.ts';

const rounds = 5;
const boundS = 180;
const watchS = 60;

export const freezeFaults: readonly Fault[] = [
  { ...freeze(30), rounds: 3, watchS: 20 },
  freeze(100),
  freeze(180),
  freeze(240),
];

function freeze(seconds: number): Fault {
  return {
    name: `freeze-${seconds}`,
    target: 'primary',
    inject: freezeVictim,
    lastsS: seconds,
    boundS,
    watchS,
    rounds,
    away: 'victim',
  };
}

async function freezeVictim({ victim, undo }: Scene): Promise<void> {
  await answerProbes(victim, undo);
  undo.add(`${victim.name} goes on`, async () => {
    await act({ kind: 'thaw', podUid: victim.uid });
  });
  await act({ kind: 'freeze', podUid: victim.uid });
}
