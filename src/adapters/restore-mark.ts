// A file beside the data directory that says that a restore has begun, what it restores, and how far it
// is. It outlives hooks and pods, so a restore that was interrupted at any moment is taken up again
// instead of starting an empty database; it goes when the peer databag tells how the restore has ended.

import * as v from 'valibot';

import { isPebbleError } from '../../lib/pebble/errors.ts';
import { type RestoreTarget, targetFields } from '../core/backups/restore-target.ts';
import { copiedMarkPath, restoreMarkPath, stoppedMarkPath, workloadUser } from '../core/names.ts';
import type { PostgresqlHook } from './cluster.ts';

const mapSchema = v.record(v.string(), v.string());

const savedSchema = v.array(
  v.object({ name: v.string(), labels: mapSchema, annotations: mapSchema }),
);

const markSchema = v.object({
  ...targetFields,
  /**
   * `preparing`: nothing has been touched but that the database may be down. `stopped`: it is, and
   * everything may be gone from its place. `started`: PostgreSQL has been told to restore. `undoing`:
   * what was there comes back. `restored`, `undone`: at the end, until the databag tells so.
   */
  phase: v.picklist(['preparing', 'stopped', 'started', 'undoing', 'restored', 'undone']),
  /** What became of the data of before; `none`: there were none, or nobody knows. */
  old: v.optional(v.picklist(['aside', 'removed', 'none']), 'none'),
  /** Of a cluster of several units. */
  request: v.exactOptional(v.string()),
  /** Of an only unit: by this the cluster knows a restore that it has gone on without. */
  id: v.exactOptional(v.string()),
  /** What Patroni remembered of the cluster of before. */
  saved: v.exactOptional(savedSchema),
  startedMs: v.exactOptional(v.number()),
  /** Size of the output of Patroni's service at that time. */
  outputBytes: v.exactOptional(v.number()),
  failure: v.exactOptional(v.string()),
  /** Why the restored database, which answers, could not be set up so far. */
  notSetUp: v.exactOptional(v.string()),
  /** Why a restore before this one failed, which has left nothing to go back to. */
  before: v.exactOptional(v.string()),
});

export type RestoreMark = Readonly<v.InferOutput<typeof markSchema>>;
export type SavedState = NonNullable<RestoreMark['saved']>;

const keptSchema = v.object({ request: v.string(), saved: savedSchema });

/** The same outside of the volume, for a request of the cluster; see patroni-state.ts. */
export function parseKeptState(
  text: string | undefined,
): v.InferOutput<typeof keptSchema> | undefined {
  if (text === undefined) return undefined;
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), keptSchema), text);
  return result.success ? result.output : undefined;
}

/** The mark of a restore that has begun and not ended. */
export async function readRestoreMark(hook: PostgresqlHook): Promise<RestoreMark | undefined> {
  const text = await hook.ports.pebble.pull(restoreMarkPath);
  if (text === undefined) return undefined;
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), markSchema), text);
  return result.success ? result.output : undefined;
}

const owner = { user: workloadUser, group: workloadUser, mode: '0600' } as const;

export async function writeRestoreMark(hook: PostgresqlHook, mark: RestoreMark): Promise<void> {
  await hook.ports.pebble.push(restoreMarkPath, `${JSON.stringify(mark)}\n`, owner);
}

/** Says whether there was room for it: a restore may have filled the volume. */
export async function writeMarkIfRoom(hook: PostgresqlHook, mark: RestoreMark): Promise<boolean> {
  return await hasRoom(async () => {
    await writeRestoreMark(hook, mark);
  });
}

async function hasRoom(write: () => Promise<void>): Promise<boolean> {
  try {
    await write();
    return true;
  } catch (error) {
    if (!isPebbleError(error, 'no-space')) throw error;
    return false;
  }
}

export async function removeRestoreMark(hook: PostgresqlHook): Promise<void> {
  await hook.ports.pebble.remove(restoreMarkPath, { recursive: true });
}

/** What a mark restores. */
export function targetOfMark({ label, stanza, timeline, time }: RestoreMark): RestoreTarget {
  return {
    label,
    stanza,
    ...(timeline === undefined ? {} : { timeline }),
    ...(time === undefined ? {} : { time }),
  };
}

/** Whether the restore has ended, and only Juju may not know yet. */
export function isOver({ phase }: RestoreMark): boolean {
  return phase === 'restored' || phase === 'undone';
}

/** Whether it has failed, and left nothing to go back to. */
export function hasFailed({ phase, failure }: RestoreMark): boolean {
  return phase === 'started' && failure !== undefined;
}

/** Whether PostgreSQL is to restore when it is started now. */
export function restoresAtStart({ phase }: RestoreMark): boolean {
  return phase === 'preparing' || phase === 'stopped' || phase === 'started';
}

/** The request for which this member has stopped; its data are as they were. */
export async function readStoppedMark(hook: PostgresqlHook): Promise<string | undefined> {
  return (await hook.ports.pebble.pull(stoppedMarkPath))?.trim();
}

export async function writeStoppedMark(hook: PostgresqlHook, request: string): Promise<void> {
  await hook.ports.pebble.push(stoppedMarkPath, `${request}\n`, owner);
}

export async function removeStoppedMark(hook: PostgresqlHook): Promise<void> {
  await hook.ports.pebble.remove(stoppedMarkPath, { recursive: true });
}

/** The request whose restored data this member has copied, or begun to; stays until the next. */
export async function readCopiedMark(hook: PostgresqlHook): Promise<string | undefined> {
  return (await hook.ports.pebble.pull(copiedMarkPath))?.trim();
}

export async function writeCopiedMark(hook: PostgresqlHook, request: string): Promise<void> {
  await hook.ports.pebble.push(copiedMarkPath, `${request}\n`, owner);
}

/** Says whether there was room for it. */
export async function writeCopiedIfRoom(hook: PostgresqlHook, request: string): Promise<boolean> {
  return await hasRoom(async () => {
    await writeCopiedMark(hook, request);
  });
}

export async function removeCopiedMark(hook: PostgresqlHook): Promise<void> {
  await hook.ports.pebble.remove(copiedMarkPath, { recursive: true });
}
