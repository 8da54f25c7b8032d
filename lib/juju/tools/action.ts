// action-get, -set, -fail, -log: only while an action runs. Results and failure are delivered when
// the action ends; progress at once. Results go through arguments, so one value holds 128 KiB.

import { readJson, runTool } from './call.ts';
import { toRecord } from './json.ts';
import type { HookToolPort } from './port.ts';

/** Parameters with their defaults. */
export async function actionGet(port: HookToolPort): Promise<Readonly<Record<string, unknown>>> {
  const tool = 'action-get';
  return toRecord(tool, await readJson(port, { tool, args: [] }));
}

/** Adds results; dots in a key make a tree. */
export async function actionSet(
  port: HookToolPort,
  results: Readonly<Record<string, string>>,
): Promise<void> {
  const args = Object.entries(results).map(([key, value]) => `${key}=${value}`);
  await runTool(port, { tool: 'action-set', args: ['--', ...args] });
}

/** Marks the action failed. */
export async function actionFail(port: HookToolPort, message: string): Promise<void> {
  await runTool(port, { tool: 'action-fail', args: ['--', message] });
}

/** Tells the operator what is going on. */
export async function actionLog(port: HookToolPort, message: string): Promise<void> {
  await runTool(port, { tool: 'action-log', args: ['--', message] });
}
