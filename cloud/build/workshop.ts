/**
 * What every build step shares: the cache, the progress display, the Go toolchain and the lanes. A
 * part is one cache entry and how to make it; `providePart` is the only way to get one.
 */

import type { Cache, EntryId } from './cache.ts';
import type { GoToolchain } from './go-toolchain.ts';
import type { Lane } from './lane.ts';
import type { Platform } from './machine.ts';
import type { Progress } from './progress.ts';

export interface Workshop {
  readonly cache: Cache;
  readonly progress: Progress;
  readonly platform: Platform;
  /** Aborted when a step failed: what runs beside it stops. */
  readonly signal: AbortSignal;
  readonly go: GoToolchain;
  /** What each lane is for: the network, all processors, and one Debian root at a time. */
  readonly lanes: { readonly download: Lane; readonly compile: Lane; readonly debian: Lane };
}

export interface Part {
  readonly id: EntryId;
  readonly title: string;
}

export interface Making {
  /** Fills this folder, which becomes the cache entry. */
  readonly folder: string;
  readonly logFile: string;
}

/** The part's folder, made now when it is not in the cache. */
export async function providePart(
  workshop: Workshop,
  part: Part,
  make: (making: Making) => Promise<void>,
): Promise<string> {
  const present = await workshop.cache.find(part.id);
  if (present !== undefined) return present;
  workshop.signal.throwIfAborted();
  const logFile = workshop.cache.logFile(part.id.name);
  return await workshop.progress.step(part.title, logFile, async () => {
    return await workshop.cache.ensure(part.id, async (folder) => {
      await make({ folder, logFile });
    });
  });
}
