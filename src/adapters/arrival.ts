// Whether a WAL segment is in the repository that the settings name. That it was archived says no more
// than that the primary's command took it: a command, or a file of pgBackRest, of before may have.

import type { S3Parameters } from '../../lib/interfaces/s3-fields.ts';
import type { ObjectStore } from '../ports.ts';
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
