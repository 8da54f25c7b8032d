// The newest good backup, as units tell each other in the peer databag: who made, deleted or listed
// backups has just seen which one it is. What was seen last counts. Pure.

import * as v from 'valibot';

import type { Backup } from './backup-list.ts';
import { backupTypes } from './backup-types.ts';
import { timeSchema } from './times.ts';

const schema = v.object({
  /** When somebody looked, in seconds. */
  seen: timeSchema,
  /** Absent when there is none. */
  backup: v.optional(
    v.object({
      id: v.string(),
      type: v.picklist(backupTypes),
      start: timeSchema,
      stop: timeSchema,
      /** Of the database. */
      size: v.optional(v.number()),
    }),
  ),
});

export type LastBackup = Readonly<v.InferOutput<typeof schema>>;

/** As it stands in a databag; anything else is none. */
export function parseLastBackup(text: string | undefined): LastBackup | undefined {
  if (text === undefined) return undefined;
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text);
  return result.success ? result.output : undefined;
}

/** Of backups that can be restored. */
export function lastOf(backups: readonly Backup[], nowSeconds: number): LastBackup {
  const newest = backups.toSorted((one, other) => one.stopSeconds - other.stopSeconds).at(-1);
  const seen = Math.floor(nowSeconds);
  if (newest === undefined) return { seen };
  const { id, type, startSeconds: start, stopSeconds: stop, bytes } = newest;
  const size = bytes.size === undefined ? {} : { size: bytes.size };
  return { seen, backup: { id, type, start, stop, ...size } };
}

/** Whether both tell of the same backup, whenever they were seen. */
export function isSameBackup(one: LastBackup | undefined, other: LastBackup | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return JSON.stringify(one.backup) === JSON.stringify(other.backup);
}
