/** A pod that nobody reaches and that reaches nobody, for a while. */

import { act } from './agent.ts';
import type { Fault } from './fault.ts';
import type { Pod } from './pods.ts';
import type { UndoList } from './undo.ts';

const boundS = 180;

export const networkFaults: readonly Fault[] = [
  cut('cut-30', 'primary', 30),
  cut('cut-60', 'primary', 60),
  cut('cut-60', 'replica', 60),
];

function cut(name: string, target: Fault['target'], lastsS: number): Fault {
  const inject: Fault['inject'] = async ({ victim, undo }) => {
    await cutPod(victim, undo);
  };
  return { name, target, inject, lastsS, boundS, away: 'victim' };
}

export async function cutPod(pod: Pick<Pod, 'name' | 'uid' | 'address'>, undo: UndoList) {
  const mark = `faults-cut-${pod.uid}`;
  undo.add(`${pod.name}: the network is back`, async () => {
    await act({ kind: 'mend', mark });
  });
  await act({ kind: 'cut', address: pod.address, mark });
}
