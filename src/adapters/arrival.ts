// Whether a WAL segment is in the repository that the settings name. That it was archived says no more
// than that the primary's command took it: a command, or a file of pgBackRest, of before may have.

import type { Clock } from '../../lib/base/clock.ts';
import { poll } from '../../lib/base/retry.ts';
import type { S3Parameters } from '../../lib/interfaces/s3-fields.ts';
import type { ArchiverState, ObjectStore, Postgres } from '../ports.ts';
import { objectKey } from './repository.ts';

export interface ArchivedSegment {
  readonly parameters: Pick<S3Parameters, 'path'>;
  readonly stanza: string;
  /** `000000010000000A00000003` */
  readonly segment: string;
}

/**
 * Looks through the one folder that it would be in, of each database that the stanza has known. Rejects
 * with `ObjectStoreError`.
 */
export async function hasArrived(
  store: ObjectStore,
  { parameters, stanza, segment }: ArchivedSegment,
): Promise<boolean> {
  const archive = objectKey(parameters, `archive/${stanza}/`);
  const databases = (await store.list(archive)).filter((name) => name.endsWith('/'));
  for (const database of databases) {
    const names = await store.list(`${archive}${database}${segment.slice(0, 16)}/`);
    if (names.some((name) => name.startsWith(`${segment}-`))) return true;
  }
  return false;
}

/** `elsewhere`: it is archived, but not there; `nowhere`: it is not archived. */
export type Arrival = 'arrived' | 'elsewhere' | 'nowhere';

export interface ArrivalCheck {
  readonly clock: Clock;
  readonly postgres: Pick<Postgres, 'switchWal' | 'archiver'>;
  readonly isThere: (segment: string) => Promise<boolean>;
}

const patience = { intervalMs: 1_000, timeoutMs: 60_000 };

/** Ends WAL segments until one of them is there, for a minute. */
export async function awaitArrival(check: ArrivalCheck): Promise<Arrival> {
  const { clock, postgres } = check;
  const switched: string[] = [];
  let last: Arrival = 'nowhere';
  await poll({ clock, ...patience }, async () => {
    // A new segment in each round wakes the archiver, which pauses a minute after failures.
    switched.push(await postgres.switchWal());
    await clock.sleep(500);
    last = await look(check, switched, await postgres.archiver());
    return last === 'arrived' ? true : undefined;
  });
  return last;
}

/** The archiver goes one by one, and may be some segments behind. */
async function look(
  { isThere }: ArrivalCheck,
  switched: readonly string[],
  { lastArchivedWal = '', lastFailedWal = '' }: ArchiverState,
): Promise<Arrival> {
  const newest = switched.findLast((segment) => segment <= lastArchivedWal);
  if (newest === undefined) return 'nowhere';
  if (await isThere(newest)) return 'arrived';
  // What was in force before took some, and what is in force now cannot.
  return lastFailedWal > lastArchivedWal ? 'nowhere' : 'elsewhere';
}
