// The contract charm: every hook logs the context that was parsed; the action `run-contract` runs
// a phase of the contract against the real hook tools.

import { systemClock } from '../../../../../lib/base/clock.ts';
import { environment, exitWith } from '../../../../../lib/base/environment.ts';
import { dispatch } from '../../../../../lib/juju/dispatch.ts';
import { createHookToolPort } from '../../../../../lib/juju/tools/process-port.ts';
import { type ContractPorts, charm } from './hooks.ts';

async function main(): Promise<void> {
  let abandoned = false;
  const hookTools = createHookToolPort();
  const ports: ContractPorts = {
    hookTools,
    abandon: () => {
      abandoned = true;
    },
  };
  const env = environment();
  const exitCode = await dispatch({ env, port: hookTools, ports, charm, clock: systemClock });
  exitWith(abandoned ? 1 : exitCode);
}

void main();
