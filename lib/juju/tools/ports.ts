// open-port, close-port, opened-ports. Changes take effect when the hook ends well; opened-ports
// shows those of the same hook. On Kubernetes: single ports only.

import { readJson, runTool } from './call.ts';
import { toTextList } from './json.ts';
import type { HookToolPort } from './port.ts';

/** `5432/tcp`, `icmp`, … */
export async function openedPorts(port: HookToolPort): Promise<readonly string[]> {
  const tool = 'opened-ports';
  return toTextList(tool, await readJson(port, { tool, args: [] }));
}

export async function openPort(port: HookToolPort, portRange: string): Promise<void> {
  await runTool(port, { tool: 'open-port', args: [portRange] });
}

export async function closePort(port: HookToolPort, portRange: string): Promise<void> {
  await runTool(port, { tool: 'close-port', args: [portRange] });
}
