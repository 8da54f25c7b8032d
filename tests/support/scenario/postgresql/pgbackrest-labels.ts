// What follows from the labels of backups.

/** First and last segment of a backup of which nothing else is told. */
export const usualWal = ['000000010000000000000003', '000000010000000000000003'] as const;

/** When it was begun. */
export function secondsOfLabel(label: string): number {
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = (
    /(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)[FDI]$/.exec(label) ?? []
  )
    .slice(1)
    .map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second) / 1000;
}

/**
 * The backup that this one continues: for a differential one the full one, for an incremental one the
 * last one before it that goes back to the same full one.
 */
export function priorOf(label: string, labels: readonly string[]): string | undefined {
  const [full = label] = label.split('_');
  if (full === label) return undefined;
  if (label.endsWith('D')) return full;
  return labels
    .filter((other) => other.startsWith(full) && secondsOfLabel(other) < secondsOfLabel(label))
    .toSorted((one, other) => secondsOfLabel(one) - secondsOfLabel(other))
    .at(-1);
}

/** All that it builds on, the oldest first. */
export function chainOf(label: string, labels: readonly string[]): readonly string[] {
  const prior = priorOf(label, labels);
  return prior === undefined ? [] : [...chainOf(prior, labels), prior];
}
