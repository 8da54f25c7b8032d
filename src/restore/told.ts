// What units tell each other, and the operator, of a restore: keys of the databags, names, reasons.

import type { Cluster, PostgresqlHook } from '../adapters/cluster.ts';
import type { RestoreMark } from '../adapters/restore-mark.ts';
import { idOfLabel } from '../core/backups/backup-list.ts';
import { parseResult, type RestoreResult } from '../core/backups/restore-request.ts';
import type { RestoreTarget } from '../core/backups/restore-target.ts';
import { restoreFailed } from '../core/status.ts';

export interface Refusal {
  readonly refusal: string;
}

/** Key of the unit's databag. */
export const resultKey = 'restore-result';

/** Why there is no restore: what is in tablespaces could not come back. */
export function tablespacesOn(units: readonly string[]): string {
  const how = 'docs/how-to/restore-without-the-charm.md';
  return `there are tablespaces on ${units.join(', ')}: use ${how}`;
}

/** The leader tells of it in the application's databag; others have the request that they follow. */
export async function announce(
  hook: PostgresqlHook,
  cluster: Cluster,
  target: Pick<RestoreMark, 'label' | 'stanza' | 'timeline' | 'time' | 'id'>,
): Promise<void> {
  if (!(await hook.juju.isLeader())) return;
  // What an earlier one has left is not to be taken for the end of this one.
  cluster.setUnit({ [resultKey]: undefined });
  cluster.setApp({
    'restoring-backup': target.label,
    'restoring-unit': cluster.unit,
    'restore-id': target.id,
    'restore-stanza': target.stanza,
    'restore-timeline': target.timeline === undefined ? undefined : `${target.timeline}`,
    'restore-to-time': target.time,
    'restore-failure': undefined,
    's3-initialization-block-message': undefined,
  });
}

/** Keys that only a restore has. */
export const endedRestore = {
  'restoring-backup': undefined,
  'restoring-unit': undefined,
  'restore-id': undefined,
  'restore-stanza': undefined,
  'restore-timeline': undefined,
  'restore-to-time': undefined,
} as const;

export interface Ending extends Omit<RestoreResult, 'id'> {
  readonly request: string | undefined;
}

/** Why a restore ended that somebody did not want any more. */
export const cancelled = 'cancelled';

/** Stands for the request in what an only unit tells, which restores without one. */
const withoutRequest = 'alone';

/** Tells the leader, whose request it was, or who has become the leader while an only unit restored. */
export function publishResult(cluster: Cluster, { request, ...result }: Ending): void {
  cluster.setUnit({ [resultKey]: JSON.stringify({ id: request ?? withoutRequest, ...result }) });
}

/** What a unit has told of a restore without a request. */
export async function readOnlyResult(
  cluster: Cluster,
  unit: string,
): Promise<RestoreResult | undefined> {
  const result = parseResult((await cluster.peers.data(unit))[resultKey]);
  return result?.id === withoutRequest ? result : undefined;
}

/** What is shown of a restore that failed; nobody has to be told what they have cancelled. */
export function noteOf(
  target: Pick<RestoreTarget, 'label' | 'time'>,
  failure: string,
): string | undefined {
  return failure === cancelled ? undefined : restoreFailed(nameOf(target), failure);
}

/** The backup as operators know it, and the time. */
export function nameOf({ label, time }: Pick<RestoreTarget, 'label' | 'time'>): string {
  const until = time?.replace(/(\.0+)?\+00$/, '');
  return until === undefined ? idOfLabel(label) : `${idOfLabel(label)} to ${until}`;
}
