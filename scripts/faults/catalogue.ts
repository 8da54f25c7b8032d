/** All faults, in the order in which they are tried. */

import { dataFaults } from './data-faults.ts';
import { type Fault, titleOf } from './fault.ts';
import { freezeFaults } from './freeze-faults.ts';
import { fullVolumeFault } from './full-volume-fault.ts';
import { leaderFault } from './leader-fault.ts';
import { networkFaults } from './network-faults.ts';
import { outageFaults } from './outage-faults.ts';
import { podFaults } from './pod-faults.ts';
import { processFaults } from './process-faults.ts';
import { switchoverFault } from './switchover-fault.ts';
import { watcherFault } from './watcher-fault.ts';

export const faults: readonly Fault[] = [
  ...processFaults,
  watcherFault,
  ...podFaults,
  ...networkFaults,
  ...freezeFaults,
  ...dataFaults,
  switchoverFault,
  leaderFault,
  fullVolumeFault,
  ...outageFaults,
];

/** The rows that a list of names means: `kill-patroni` both, `kill-patroni-replica` one of them. */
export function chooseFaults(names: readonly string[]): readonly Fault[] {
  const unknown = names.filter((name) => !faults.some((fault) => isNamed(fault, name)));
  if (unknown.length > 0) throw new Error(`cannot find fault "${unknown.join('", "')}"`);
  const chosen =
    names.length === 0
      ? faults
      : faults.filter((fault) => names.some((name) => isNamed(fault, name)));
  // Whatever disturbs others comes last.
  return chosen.toSorted(
    (one, other) => Number(one.everywhere ?? false) - Number(other.everywhere ?? false),
  );
}

function isNamed(fault: Fault, name: string): boolean {
  return name === fault.name || name === titleOf(fault);
}
