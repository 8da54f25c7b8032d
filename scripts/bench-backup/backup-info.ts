/** What `pgbackrest info --output=json` says of the newest backup. Pure. */

import * as v from 'valibot';

export interface NewestBackup {
  readonly label: string;
  readonly type: 'full' | 'diff' | 'incr';
  /** What was copied from the database. */
  readonly bytes: number;
  /** The whole database, which is what a restore copies. */
  readonly databaseBytes: number;
  /** What was added to the repository. */
  readonly repoBytes: number;
}

const backupSchema = v.object({
  label: v.string(),
  type: v.picklist(['full', 'diff', 'incr']),
  error: v.optional(v.nullable(v.boolean())),
  info: v.object({
    size: v.number(),
    delta: v.number(),
    repository: v.object({ delta: v.number() }),
  }),
});
const infoSchema = v.array(v.object({ name: v.string(), backup: v.array(backupSchema) }));

/** Of one stanza; fails without a good backup, since one has just been made. */
export function parseNewestBackup(json: string, stanza: string): NewestBackup {
  const found = v.parse(infoSchema, JSON.parse(json)).find(({ name }) => name === stanza);
  const newest = found?.backup.filter(({ error }) => error !== true).at(-1);
  if (newest === undefined) throw new Error(`cannot measure: no backup of stanza "${stanza}"`);
  const { label, type, info } = newest;
  return {
    label,
    type,
    bytes: info.delta,
    databaseBytes: info.size,
    repoBytes: info.repository.delta,
  };
}

/** Seconds that pgBackRest itself took, by its log: the backup, and the expiry after it. */
export function parseOwnSeconds(log: string): number {
  const ends = [...log.matchAll(/command end: completed successfully \((\d+)ms\)/g)];
  if (ends.length === 0) throw new Error('cannot measure: the log says nowhere how long it took');
  return ends.reduce((sum, [, ms]) => sum + Number(ms), 0) / 1000;
}
