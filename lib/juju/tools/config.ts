// config-get.

import { readJson, unreadable } from './call.ts';
import { toRecord } from './json.ts';
import type { HookToolPort } from './port.ts';

/** Options that are set or have a default. */
export async function configGet(
  port: HookToolPort,
): Promise<Readonly<Record<string, string | number | boolean>>> {
  const tool = 'config-get';
  const options: Record<string, string | number | boolean> = {};
  const printed = toRecord(tool, await readJson(port, { tool, args: [] }));
  for (const [name, value] of Object.entries(printed)) {
    if (value === null) continue;
    if (!isOption(value)) throw unreadable(tool, `option "${name}" is neither text nor number`);
    options[name] = value;
  }
  return options;
}

function isOption(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}
