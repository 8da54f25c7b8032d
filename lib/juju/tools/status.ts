// status-get and status-set. A status is set at once and stays set when the hook fails. Within one
// hook status-get keeps giving what it gave first, whatever is set meanwhile.

import { readJson, runTool } from './call.ts';
import { isRecord, textAt, toRecord } from './json.ts';
import type { HookToolPort } from './port.ts';

/** A status as Juju has it: also `unknown`, `error` or `terminated`. */
export interface JujuStatus {
  readonly status: string;
  readonly message: string;
}

export async function unitStatusGet(port: HookToolPort): Promise<JujuStatus> {
  const tool = 'status-get';
  return toStatus(await readJson(port, { tool, args: ['--include-data'] }));
}

export interface ApplicationStatus extends JujuStatus {
  readonly units: Readonly<Record<string, JujuStatus>>;
}

/** The application's status and those of its units; leader only. */
export async function applicationStatusGet(port: HookToolPort): Promise<ApplicationStatus> {
  const tool = 'status-get';
  const printed = await readJson(port, { tool, args: ['--include-data', '--application'] });
  const application = toRecord(tool, toRecord(tool, printed)['application-status'] ?? null);
  const units = toRecord(tool, application['units'] ?? null);
  return {
    ...toStatus(application),
    units: Object.fromEntries(Object.entries(units).map(([unit, each]) => [unit, toStatus(each)])),
  };
}

export interface StatusSetOptions {
  readonly of: 'unit' | 'application';
  readonly status: 'maintenance' | 'blocked' | 'waiting' | 'active';
  readonly message: string;
}

/** Sets a status; the application's only as leader. */
export async function statusSet(port: HookToolPort, options: StatusSetOptions): Promise<void> {
  const application = options.of === 'application' ? ['--application'] : [];
  const args = [...application, options.status, '--', options.message];
  await runTool(port, { tool: 'status-set', args });
}

function toStatus(value: unknown): JujuStatus {
  if (typeof value === 'string') return { status: value, message: '' };
  const record = isRecord(value) ? value : {};
  return {
    status: textAt(record, 'status') ?? 'unknown',
    message: textAt(record, 'message') ?? '',
  };
}
