// Whether there is room for a trial restore beside the data. Pure.

/** Recovery replays WAL, and writes its own. */
const leastMarginBytes = 128 * 1024 * 1024;

/**
 * Share of the volume that stays free: at a tenth the unit says that the disk is low, at less clients
 * may only read, and the database may grow meanwhile.
 */
const freeShare = 0.2;

export interface VolumeBytes {
  readonly free: number;
  readonly total: number;
}

/** Why there is no room; `undefined` when there is. */
export function refuseTrial(backupBytes: number, { free, total }: VolumeBytes): string | undefined {
  const margin = Math.max(leastMarginBytes, backupBytes / 10);
  const needed = backupBytes + margin + freeShare * total;
  if (needed <= free) return undefined;
  const megabytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
  return (
    `There is no room for a trial restore on the volume: it takes ${megabytes(backupBytes + margin)}, ` +
    `and a fifth of the volume has to stay free (${megabytes(freeShare * total)}); ` +
    `${megabytes(free)} are free. Use trial-restore=false, or a unit with more room`
  );
}
