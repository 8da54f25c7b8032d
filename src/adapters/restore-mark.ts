// A file beside the data directory that says that a restore has begun. It outlives hooks and pods,
// so a restore that was interrupted at any moment is taken up again instead of starting an empty
// database; it goes when the peer databag knows of the restore and the restore has ended.

import * as v from 'valibot';

import { restoreMarkPath, workloadUser } from '../core/names.ts';
import type { PostgresqlHook } from './cluster.ts';

const markSchema = v.object({
  label: v.string(),
  stanza: v.string(),
  /** `preparing`: the data directory may be gone; `started`: PostgreSQL has been told to restore. */
  phase: v.picklist(['preparing', 'started']),
});

export type RestoreMark = Readonly<v.InferOutput<typeof markSchema>>;

/** The mark of a restore that has begun and not ended. */
export async function readRestoreMark(hook: PostgresqlHook): Promise<RestoreMark | undefined> {
  const text = await hook.ports.pebble.pull(restoreMarkPath);
  if (text === undefined) return undefined;
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), markSchema), text);
  return result.success ? result.output : undefined;
}

export async function writeRestoreMark(hook: PostgresqlHook, mark: RestoreMark): Promise<void> {
  await hook.ports.pebble.push(restoreMarkPath, `${JSON.stringify(mark)}\n`, {
    user: workloadUser,
    group: workloadUser,
    mode: '0600',
  });
}

export async function removeRestoreMark(hook: PostgresqlHook): Promise<void> {
  await hook.ports.pebble.remove(restoreMarkPath, { recursive: true });
}
