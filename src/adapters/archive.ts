// What a repository has archived, and where its timelines came from, read through pgBackRest.

import type { Pebble } from '../../lib/pebble/pebble.ts';
import {
  type Ancestor,
  type ArchiveListing,
  parseArchiveListing,
  parseHistory,
} from '../core/backups/archive.ts';
import type { StanzaInfo } from '../core/backups/backup-list.ts';
import { type Lineage, lineageKey } from '../core/backups/windows.ts';
import { listArchive, readRepositoryFile } from './pgbackrest.ts';

export interface ArchiveState {
  readonly archive: ArchiveListing;
  readonly lineage: Lineage;
}

/** Of all stanzas that `info` knows. */
export async function readArchive(
  pebble: Pebble,
  stanzas: readonly StanzaInfo[],
): Promise<ArchiveState> {
  const backups = stanzas.flatMap((stanza) => stanza.backups);
  const archive = parseArchiveListing(await listArchive(pebble), backups);
  return { archive, lineage: await readLineage(pebble, archive) };
}

/** Reading one takes a third of a second from S3. */
const mostFiles = 30;

/**
 * A history file holds the forks of all ancestors, so only those of timelines are read that nothing
 * newer came from. One that is not read costs the windows that reach across its fork.
 */
async function readLineage(pebble: Pebble, { histories }: ArchiveListing): Promise<Lineage> {
  const lineage = new Map<string, readonly Ancestor[]>();
  let files = 0;
  for (const history of histories.toSorted((one, other) => other.timeline - one.timeline)) {
    const { stanza, archiveId, timeline, path } = history;
    const key = (of: number): string => lineageKey(stanza, archiveId, of);
    if (lineage.has(key(timeline)) || files === mostFiles) continue;
    files += 1;
    const ancestors = parseHistory(await readRepositoryFile(pebble, `archive/${path}`));
    lineage.set(key(timeline), ancestors);
    for (const [index, ancestor] of ancestors.entries()) {
      const known = lineage.get(key(ancestor.timeline));
      if (known === undefined) lineage.set(key(ancestor.timeline), ancestors.slice(0, index));
    }
  }
  return lineage;
}
