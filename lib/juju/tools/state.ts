// state-get, state-set, state-delete: the unit's own key-value state in the controller. It survives
// the pod; writes take effect when the hook ends well. Keys hold 256 bytes, values 65,536.

import { readJson, runTool } from './call.ts';
import { renderTexts, toTexts } from './json.ts';
import type { HookToolPort } from './port.ts';

/** The whole state. */
export async function stateGet(port: HookToolPort): Promise<Readonly<Record<string, string>>> {
  const tool = 'state-get';
  return toTexts(tool, await readJson(port, { tool, args: [] }));
}

/** Sets keys; the empty text is a value like any other. */
export async function stateSet(
  port: HookToolPort,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  await runTool(port, { tool: 'state-set', args: ['--file', '-'], stdin: renderTexts(values) });
}

/** Removes one key, if it exists. */
export async function stateDelete(port: HookToolPort, key: string): Promise<void> {
  await runTool(port, { tool: 'state-delete', args: ['--', key] });
}
