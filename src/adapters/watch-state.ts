// Reads what the watcher of the workload sees: one pull of a small file, again only when the hook has
// done something since (view.ts).

import * as v from 'valibot';

import { present } from '../../lib/base/present.ts';
import { PebbleError } from '../../lib/pebble/errors.ts';
import type { Pebble } from '../../lib/pebble/pebble.ts';
import { watcherStatePath } from '../core/render/watcher.ts';
import { nothingSeen, type WatchState } from '../core/watch-state.ts';
import { type Looking, viewOf } from './view.ts';

const optional = <T>(schema: v.GenericSchema<unknown, T>) =>
  v.fallback(v.optional(schema), undefined);
const time = v.pipe(
  v.string(),
  v.transform((text) => Date.parse(text)),
  v.number(),
);

const schema = v.pipe(
  v.object({
    disk: optional(
      v.pipe(
        v.object({
          level: v.picklist(['ok', 'low', 'full']),
          free_percent: v.number(),
          total: v.number(),
          read_only: v.fallback(v.boolean(), false),
        }),
        v.transform((disk) => ({
          level: disk.level,
          freePercent: disk.free_percent,
          totalBytes: disk.total,
          readOnly: disk.read_only,
        })),
      ),
    ),
    archive: optional(
      v.object({
        waiting: v.number(),
        failing: v.boolean(),
        lags: v.fallback(v.boolean(), false),
      }),
    ),
    replication: optional(
      v.object({
        standby: optional(v.boolean()),
        streams: optional(v.array(v.string())),
        broken_at: optional(time),
        steady_at: optional(time),
      }),
    ),
    down: optional(
      v.pipe(
        v.object({
          at: time,
          starts: v.number(),
          control: v.fallback(v.boolean(), true),
          refusal: optional(v.string()),
        }),
        v.transform(({ at, starts, control, refusal }) => ({
          atMs: at,
          starts,
          control,
          ...present({ refusal }),
        })),
      ),
    ),
    trial: optional(v.literal(true)),
    idle: optional(v.record(v.string(), time)),
    fences: v.fallback(
      v.array(
        v.pipe(
          v.object({ at: time, reason: v.string() }),
          v.transform(({ at, reason }) => ({ atMs: at, reason })),
        ),
      ),
      [],
    ),
  }),
  v.transform(
    (seen): WatchState => ({
      fences: seen.fences,
      ...present({
        disk: seen.disk,
        archive: seen.archive,
        brokenAtMs: seen.replication?.broken_at,
        steadyAtMs: seen.replication?.steady_at,
        streams: seen.replication?.standby === false ? seen.replication.streams?.length : undefined,
        down: seen.down,
        trial: seen.trial,
        idleSinceMs: seen.idle,
      }),
    }),
  ),
);

/** Parses the watcher's file; what does not make sense counts as not seen. */
export function parseWatchState(text: string | undefined): WatchState {
  if (text === undefined) return nothingSeen;
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text);
  return result.success ? result.output : nothingSeen;
}

interface Watching extends Looking {
  readonly ports: Looking['ports'] & { readonly pebble: Pick<Pebble, 'pull'> };
}

/** What the watcher sees. */
export async function readWatchState(hook: Watching): Promise<WatchState> {
  const known = viewOf(hook).watched;
  if (known !== undefined) return known;
  const watched = parseWatchState(await hook.ports.pebble.pull(watcherStatePath));
  viewOf(hook).watched = watched;
  return watched;
}

/** Whether Pebble answers, or has just answered: with what is looked at in every hook. */
export async function isReachable(hook: Watching): Promise<boolean> {
  try {
    await readWatchState(hook);
    return true;
  } catch (error) {
    if (error instanceof PebbleError) return false;
    throw error;
  }
}
