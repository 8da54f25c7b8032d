// What deleting a backup takes along, and what speaks against it. Pure.

import type { Backup } from './backup-list.ts';

export interface DeletionRequest {
  readonly id: string;
  /** Whether those that depend on it may go, too. */
  readonly dependents: boolean;
  /** Whether the last full backup may go, too. */
  readonly force: boolean;
}

export interface Deletion {
  readonly backup: Backup;
  /** All that go, the oldest first; those that depend on it among them. */
  readonly doomed: readonly Backup[];
  /** Whether no full backup stays, which pgBackRest would refuse. */
  readonly isLastFull: boolean;
  /** Full backups that stay: WAL from before the oldest of them serves nobody. */
  readonly fullsLeft: number;
}

/** `shownId` is what the operator gave, fit for a message. */
export function planDeletion(
  backups: readonly Backup[],
  { id, dependents, force }: DeletionRequest,
  shownId: string,
): Deletion | { readonly refusal: string } {
  const backup = backups.find((one) => one.id === id);
  if (backup === undefined) return { refusal: `Invalid backup-id: ${shownId}` };
  const doomed = withDependents(backups, backup);
  const others = doomed.filter((one) => one !== backup).map((one) => one.id);
  if (others.length > 0 && !dependents) {
    return {
      refusal:
        `Other backups depend on ${id}: ${others.join(', ')}. ` +
        'Use dependents=true to delete them, too.',
    };
  }
  const rest = backups.filter((one) => !doomed.includes(one));
  if (doomed.some(isUsableFull) && !rest.some(isUsableFull) && !force) {
    return {
      refusal:
        `${id} is the last full backup that can be restored. ` +
        'Use force=true to delete it all the same.',
    };
  }
  const fullsLeft = rest.filter(isFull).length;
  return { backup, doomed, isLastFull: isFull(backup) && fullsLeft === 0, fullsLeft };
}

function isFull({ type }: Backup): boolean {
  return type === 'full';
}

function isUsableFull(backup: Backup): boolean {
  return isFull(backup) && backup.error === undefined;
}

/** As pgBackRest sees it: whatever continues a backup, directly or not. */
function withDependents(backups: readonly Backup[], backup: Backup): readonly Backup[] {
  const labels = new Set([backup.label]);
  const ordered = backups.toSorted((one, other) => one.id.localeCompare(other.id));
  for (const { label, prior } of ordered) {
    if (prior !== undefined && labels.has(prior)) labels.add(label);
  }
  return ordered.filter(({ label }) => labels.has(label));
}
