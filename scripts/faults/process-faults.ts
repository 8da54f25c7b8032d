/** Programs of the workload, killed or stopped from the node. */

import { act } from './agent.ts';
import type { Program } from './agent-requests.ts';
import type { Fault, Scene, Target } from './fault.ts';

const programs = ['postgresql', 'patroni', 'pebble'] as const;
const targets = ['primary', 'replica'] as const;
const stopS = 60;

/** Each program killed and stopped, on the primary and on a replica. */
export const processFaults: readonly Fault[] = programs.flatMap((program) =>
  targets.flatMap((target) => [killProgram(program, target), stopProgram(program, target)]),
);

function killProgram(program: Program, target: Target): Fault {
  return {
    name: `kill-${program}`,
    target,
    inject: async ({ victim }) => {
      await act({ kind: 'signal', container: victim.workload, program, signal: 'SIGKILL' });
    },
    lastsS: 0,
    boundS: 120,
  };
}

function stopProgram(program: Program, target: Target): Fault {
  return {
    name: `stop-${program}`,
    target,
    inject: async ({ victim, undo }: Scene) => {
      undo.add(`${victim.name}: ${program} goes on`, async () => {
        await act({ kind: 'continue', podUid: victim.uid });
      });
      await act({ kind: 'signal', container: victim.workload, program, signal: 'SIGSTOP' });
    },
    lastsS: stopS,
    boundS: 180,
  };
}
