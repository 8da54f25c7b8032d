// A due backup that is not the leader's to make: who is told to make it, in the application's databag, and
// what that unit says to it, in its own. Pure.

import * as v from 'valibot';

import { type BackupType, backupTypes } from './backup-types.ts';
import { timeSchema } from './times.ts';

const id = v.pipe(v.string(), v.regex(/^[0-9a-z]{1,32}$/));

const orderSchema = v.object({
  id,
  /** The one that makes it. */
  unit: v.pipe(v.string(), v.regex(/^[a-z0-9-]+\/\d+$/)),
  type: v.picklist(backupTypes),
  due: timeSchema,
});

export type BackupOrder = Readonly<v.InferOutput<typeof orderSchema>>;

const answerSchema = v.object({
  /** Of the order. */
  id,
  /** The backup, and the moment from which it counts. */
  made: v.exactOptional(
    v.object({ id: v.string(), type: v.picklist(backupTypes), start: timeSchema }),
  ),
  /** Why there is none. */
  failure: v.exactOptional(v.string()),
  /** What it would have to wait for: the leader asks again. */
  waits: v.exactOptional(v.string()),
});

export type BackupAnswer = Readonly<v.InferOutput<typeof answerSchema>>;

/** As it stands in a databag; anything else is none. */
export function parseOrder(text: string | undefined): BackupOrder | undefined {
  return parse(orderSchema, text);
}

export function parseAnswer(text: string | undefined): BackupAnswer | undefined {
  return parse(answerSchema, text);
}

function parse<T>(schema: v.GenericSchema<unknown, T>, text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text);
  return result.success ? result.output : undefined;
}

/** Whether it is for this unit, and this backup. */
export function isOrderFor(
  order: BackupOrder | undefined,
  wanted: { readonly unit: string; readonly type: BackupType; readonly due: number },
): boolean {
  return order?.unit === wanted.unit && order.type === wanted.type && order.due === wanted.due;
}

export interface Candidate {
  readonly unit: string;
  readonly leads: boolean;
  readonly started: boolean;
}

/**
 * Who makes a backup: with certificates a replica, which spares the primary; without them only the
 * primary can. The own unit before others, also when nobody can, since its refusal says why.
 */
export function chooseMaker(
  own: string,
  members: readonly Candidate[],
  { tls }: { readonly tls: boolean },
): string {
  const able = members
    .filter(({ leads, started }) => (tls && members.length > 1 ? !leads && started : leads))
    .map(({ unit }) => unit);
  return able.includes(own) ? own : (able[0] ?? own);
}
