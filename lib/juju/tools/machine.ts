// juju-reboot: machines only, refused in actions.

import { runTool } from './call.ts';
import type { HookToolPort } from './port.ts';

/** Reboots the machine after the hook, or now; in the latter case the hook runs again afterwards. */
export async function jujuReboot(port: HookToolPort, when: 'after-hook' | 'now'): Promise<void> {
  await runTool(port, { tool: 'juju-reboot', args: when === 'now' ? ['--now'] : [] });
}
