/** The same through the charm's actions, as an operator runs them: what `juju run` takes is the time. */

import { performance } from 'node:perf_hooks';

import { idOfLabel } from '../../src/core/backups/backup-list.ts';
import { requireAction } from '../demo/action.ts';
import { postgresql, s3Integrator } from '../demo/deploy.ts';
import type { Model } from '../demo/model.ts';
import { readStatus, waitUntilSettled } from '../demo/settle.ts';
import { describeUnsettled } from '../demo/status.ts';
import { notYet, type Say, there, waitFor } from '../demo/wait.ts';
import { type Bench, readNewest, readOwnSeconds } from './pod.ts';
import type { Kind, Measurement } from './rows.ts';

export interface CharmBench {
  readonly bench: Bench;
  readonly model: Model;
  readonly say: Say;
}

export const expected = { [postgresql]: 1, [s3Integrator]: 1 } as const;

const unit = `${postgresql}/0`;
const longestMs = 3 * 60 * 60_000;

export async function createBackup(
  { bench, model }: CharmBench,
  type: Exclude<Kind, 'restore'>,
): Promise<Measurement> {
  const startedMs = performance.now();
  const params = { type };
  await requireAction(model, { unit, action: 'create-backup', params, timeoutMs: longestMs });
  const seconds = (performance.now() - startedMs) / 1000;
  const { bytes, repoBytes, label } = await readNewest(bench);
  const ownSeconds = await readOwnSeconds(bench, idOfLabel(label));
  return { seconds, bytes, repoBytes, ownSeconds };
}

/** Until the restored database is in service: more than the copy that bare pgBackRest makes. */
export async function restore({ bench, model, say }: CharmBench): Promise<Measurement> {
  const { databaseBytes, label } = await readNewest(bench);
  const startedMs = performance.now();
  const params = { 'backup-id': idOfLabel(label) };
  await requireAction(model, { unit, action: 'restore', params, timeoutMs: longestMs });
  await waitFor(
    async () => {
      const unsettled = describeUnsettled(await readStatus(model), expected);
      return unsettled === undefined ? there(true) : notYet(unsettled);
    },
    { what: 'the restored database', timeoutMs: longestMs, say, intervalMs: 500 },
  );
  const seconds = (performance.now() - startedMs) / 1000;
  await waitUntilSettled(model, expected, { say });
  return { seconds, bytes: databaseBytes, repoBytes: 0 };
}
