// WAL that an archive should have and has not. pgBackRest's own verification checks the files that are
// there, and says nothing of one that is not. Pure.

import { type Archive, segmentOfName, timelineOfName } from './archive.ts';
import type { Backup } from './backup-list.ts';

export interface WalGap {
  readonly archiveId: string;
  readonly timeline: number;
  /** Names of the first and the last segment that is missing. */
  readonly first: string;
  readonly last: string;
}

/** Between segments of one timeline, after the beginning of a backup: older WAL nobody needs. */
export function walGaps(archive: Archive, backups: readonly Backup[]): readonly WalGap[] {
  const starts = backups.flatMap(({ stanza, archiveId, walStart }) =>
    stanza === archive.stanza && archiveId === archive.id && walStart !== undefined
      ? [{ timeline: timelineOfName(walStart), segment: segmentOfName(archive, walStart) }]
      : [],
  );
  return [...archive.runs].flatMap(([timeline, runs]) =>
    runs.flatMap((run, index): readonly WalGap[] => {
      const next = runs[index + 1];
      const needed = starts.some((one) => one.timeline <= timeline && one.segment <= run.last);
      if (next === undefined || !needed) return [];
      const name = (segment: number): string => nameOfSegment(archive, timeline, segment);
      const [first, last] = [name(run.last + 1), name(next.first - 1)];
      return [{ archiveId: archive.id, timeline, first, last }];
    }),
  );
}

/** `000000010000000000000003` */
function nameOfSegment({ segmentBytes }: Archive, timeline: number, segment: number): string {
  const perLog = 2 ** 32 / segmentBytes;
  return [timeline, Math.floor(segment / perLog), segment % perLog]
    .map((part) => part.toString(16).toUpperCase().padStart(8, '0'))
    .join('');
}
