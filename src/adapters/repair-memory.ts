// What is remembered of the repairs of the own member, in a file beside the data directory, so that it
// outlives hooks and pods.

import * as v from 'valibot';

import { present } from '../../lib/base/present.ts';
import { repairMemoryPath, workloadUser } from '../core/names.ts';
import type { Attempt } from '../core/repair.ts';
import type { Replay } from '../core/trouble.ts';
import type { PostgresqlHook } from './cluster.ts';

export interface RepairMemory {
  /** Oldest first. */
  readonly attempts: readonly Attempt[];
  readonly replay?: Replay;
  /** Why a clone that is due was not made. */
  readonly refusal?: string;
}

const schema = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    attempts: v.array(v.object({ kind: v.picklist(['restart', 'clone']), atMs: v.number() })),
    replay: v.optional(v.object({ location: v.number(), sinceMs: v.number() })),
    refusal: v.optional(v.string()),
  }),
);

const kept = 10;
const nothing: RepairMemory = { attempts: [] };

export async function readRepairMemory(hook: PostgresqlHook): Promise<RepairMemory> {
  const text = await hook.ports.pebble.pull(repairMemoryPath);
  const result = v.safeParse(schema, text ?? render(nothing));
  if (!result.success) return nothing;
  const { attempts, replay, refusal } = result.output;
  return { attempts, ...present({ replay, refusal }) };
}

/** Writes only what is new. */
export async function writeRepairMemory(hook: PostgresqlHook, memory: RepairMemory): Promise<void> {
  const { pebble } = hook.ports;
  const content = render(memory);
  if (((await pebble.pull(repairMemoryPath)) ?? render(nothing)) === content) return;
  await pebble.push(repairMemoryPath, content, {
    user: workloadUser,
    group: workloadUser,
    mode: '0600',
  });
}

function render({ attempts, replay, refusal }: RepairMemory): string {
  const memory = { attempts: attempts.slice(-kept), ...present({ replay, refusal }) };
  return `${JSON.stringify(memory)}\n`;
}
