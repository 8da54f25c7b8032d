// The kinds of backups, the fullest first: one that is made stands for those after it.

export const backupTypes = ['full', 'differential', 'incremental'] as const;
export type BackupType = (typeof backupTypes)[number];

/** As pgBackRest calls them. */
export const pgbackrestTypes = {
  full: 'full',
  differential: 'diff',
  incremental: 'incr',
} as const satisfies Readonly<Record<BackupType, string>>;

/** Whether a backup of one type is as good as one of the other. */
export function standsFor(made: BackupType, wanted: BackupType): boolean {
  return backupTypes.indexOf(made) <= backupTypes.indexOf(wanted);
}
