// goal-state, application-version-set, resource-get.

import { readJson, readText, runTool, unreadable } from './call.ts';
import { isRecord, textAt, toRecord } from './json.ts';
import type { HookToolPort } from './port.ts';

export interface GoalState {
  /** Own units, those that Juju only plans included, with their status (`dying`: going away). */
  readonly units: Readonly<Record<string, string>>;
  /** By endpoint: remote applications and units with their status. */
  readonly relations: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export async function goalState(port: HookToolPort): Promise<GoalState> {
  const tool = 'goal-state';
  const record = toRecord(tool, await readJson(port, { tool, args: [] }));
  const relations = toRecord(tool, record['relations'] ?? null);
  return {
    units: toStatuses(record['units']),
    relations: Object.fromEntries(
      Object.entries(relations).map(([endpoint, each]) => [endpoint, toStatuses(each)]),
    ),
  };
}

/** The workload's version that `juju status` shows; takes effect at once. */
export async function applicationVersionSet(port: HookToolPort, version: string): Promise<void> {
  await runTool(port, { tool: 'application-version-set', args: ['--', version] });
}

/** Path of the local copy of a resource, fetched when it is not the current one. */
export async function resourceGet(port: HookToolPort, name: string): Promise<string> {
  const tool = 'resource-get';
  const path = (await readText(port, { tool, args: [name] })).trim();
  if (path === '') throw unreadable(tool, 'it printed no path');
  return path;
}

function toStatuses(value: unknown): Readonly<Record<string, string>> {
  const record = isRecord(value) ? value : {};
  return Object.fromEntries(
    Object.entries(record).map(([name, each]) => [
      name,
      (isRecord(each) ? textAt(each, 'status') : undefined) ?? 'unknown',
    ]),
  );
}
