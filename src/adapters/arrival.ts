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
  /** The command that archives there. */
  readonly command: string;
  readonly isThere: (segment: string) => Promise<boolean>;
}

// A primary that is well takes over what the members share within a turn of Patroni's loop.
const takeover = { intervalMs: 500, timeoutMs: 15_000 };
const patience = { intervalMs: 500, timeoutMs: 20_000 };

/**
 * Ends a WAL segment, when the command is in force, and waits for it. One more comes later: what was in
 * force before may have taken the first, and an archiver that has failed pauses a minute unless it is woken.
 */
export async function awaitArrival(check: ArrivalCheck): Promise<Arrival> {
  const { clock, postgres, command } = check;
  await poll({ clock, ...takeover }, async () => {
    return (await postgres.archiver()).command === command ? true : undefined;
  });
  const first = await postgres.switchWal();
  const arrival = await awaitAny(check, [first]);
  return arrival === 'arrived'
    ? arrival
    : await awaitAny(check, [first, await postgres.switchWal()]);
}

async function awaitAny(check: ArrivalCheck, switched: readonly string[]): Promise<Arrival> {
  const { clock, postgres } = check;
  let last: Arrival = 'nowhere';
  await poll({ clock, ...patience }, async () => {
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
