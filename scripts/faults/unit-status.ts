/**
 * What the units show. Juju may call an agent lost for as long as that agent lives, when it came back
 * over a new connection before the old one was given up; its hooks run all the same. So a unit that
 * is called lost is believed when its log says that it has shown something a short time ago.
 */

import * as v from 'valibot';

import type { Model } from '../demo/model.ts';
import { readStatus } from '../demo/settle.ts';
import type { UnitStatus } from '../demo/status.ts';

/** A living unit shows its status anew every minute, because the model asks for it. */
const freshMs = 100_000;

const logSchema = v.array(
  v.object({
    status: v.string(),
    message: v.optional(v.string(), ''),
    since: v.pipe(v.string(), v.isoTimestamp()),
  }),
);

export async function readUnits(model: Model, app: string): Promise<readonly UnitStatus[]> {
  const units = (await readStatus(model)).applications[app] ?? [];
  const believed: UnitStatus[] = [];
  for (const unit of units)
    believed.push(isCalledLost(unit) ? await readOwnWord(model, unit) : unit);
  return believed;
}

export function isCalledLost({ workload, message }: UnitStatus): boolean {
  return workload === 'unknown' && message.startsWith('agent lost');
}

async function readOwnWord(model: Model, unit: UnitStatus): Promise<UnitStatus> {
  const args = [unit.name, '--type', 'workload', '-n', '1', '--utc', '--format', 'json'];
  const { stdout } = await model.run('show-status-log', args, { timeoutMs: 30_000 });
  return believeLog(unit, stdout, Date.now());
}

/** The unit with what it has shown last, if that is not too old. */
export function believeLog(unit: UnitStatus, log: string, nowMs: number): UnitStatus {
  const last = v.parse(logSchema, JSON.parse(log)).at(-1);
  if (last === undefined || nowMs - Date.parse(last.since) > freshMs) return unit;
  return { ...unit, workload: last.status, message: last.message };
}
