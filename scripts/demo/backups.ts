/** The table that list-backups prints, read back as data. Pure. */

export interface Backup {
  readonly id: string;
  readonly action: string;
  readonly status: string;
  readonly reference: string;
  readonly lsn: string;
  readonly started: string;
  readonly finished: string;
  readonly timeline: string;
  readonly path: string;
}

/** The rows below the line of dashes; a row that has not all columns is left out. */
export function parseBackups(table: string): readonly Backup[] {
  const lines = table.split('\n');
  const rows = lines.slice(lines.findIndex((line) => /^-{20,}$/.test(line)) + 1);
  return rows.flatMap((row) => {
    const [id, action, status, reference, lsn, started, finished, timeline, path] = row
      .split(' | ')
      .map((cell) => cell.trim());
    if (id === undefined || action === undefined || status === undefined) return [];
    if (reference === undefined || lsn === undefined || started === undefined) return [];
    if (finished === undefined || timeline === undefined || path === undefined) return [];
    return [{ id, action, status, reference, lsn, started, finished, timeline, path }];
  });
}
