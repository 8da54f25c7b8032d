// is-leader.

import { readJson } from './call.ts';
import type { HookToolPort } from './port.ts';

/** Whether this unit is the leader, and stays so for at least 30 seconds. */
export async function isLeader(port: HookToolPort): Promise<boolean> {
  return (await readJson(port, { tool: 'is-leader', args: [] })) === true;
}
