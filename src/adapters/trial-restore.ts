// A restore of a backup beside the data, to see whether it works: restored, recovered, started, looked
// at, and removed again, whatever happens. The directory itself is the mark of one that was cut short.

import type { Clock } from '../../lib/base/clock.ts';
import { CodedError } from '../../lib/base/error.ts';
import type { Pebble } from '../../lib/pebble/pebble.ts';
import { trialDirectory } from '../core/names.ts';
import type { PostgresqlHook } from './cluster.ts';
import { restoreBeside } from './repository-check.ts';
import {
  askTrial,
  checkPages,
  checkTables,
  dataOf,
  makePlace,
  readControl,
  startTrial,
  stopTrial,
  type TrialAnswer,
  type TrialPlace,
  type TrialPorts,
  tablespacesOf,
} from './trial-server.ts';
import { readWorkload } from './workload.ts';

// Removing the files of a large database takes a while.
const removalTimeoutMs = 1_800_000;

export interface TrialOrder {
  readonly place: TrialPlace;
  readonly stanza: string;
  readonly label: string;
  readonly say: (text: string) => Promise<void>;
}

export interface TrialResult {
  readonly seconds: number;
  readonly databases: number;
  readonly bytes: number;
  /** What has looked at the pages. */
  readonly checkedBy: 'pg_amcheck' | 'pg_checksums' | 'nothing';
}

/** Rejects with `CodedError` and the reason when the backup does not become a database. */
export async function tryRestore(ports: TrialPorts, order: TrialOrder): Promise<TrialResult> {
  const { pebble, clock } = ports;
  const { place, say } = order;
  const beganMs = clock.nowMs();
  await removeTrial(pebble, place);
  try {
    await makePlace(pebble, place);
    const progress = createProgress(clock, say);
    await restoreBeside(pebble, {
      stanza: order.stanza,
      label: order.label,
      dataDirectory: dataOf(place),
      tablespaces: tablespacesOf(place),
      onLine: progress.hear,
    });
    await progress.said();
    await say('restored; PostgreSQL is started on it');
    await startTrial(ports, place);
    const { databases, bytes, checkedBy } = await lookAtDatabase(pebble, order);
    const seconds = Math.round((clock.nowMs() - beganMs) / 1000);
    return { seconds, databases, bytes, checkedBy };
  } finally {
    await removeTrial(pebble, place);
  }
}

async function lookAtDatabase(
  pebble: Pebble,
  { place, say }: TrialOrder,
): Promise<TrialAnswer & Pick<TrialResult, 'checkedBy'>> {
  const answer = await askTrial(pebble, place);
  await say(`it answers, with ${answer.databases} databases; their pages are checked`);
  const tables = answer.amcheck ? await checkTables(pebble, place) : undefined;
  await stopTrial(pebble, place);
  await expectCleanEnd(pebble, place);
  if (tables === true) return { ...answer, checkedBy: 'pg_amcheck' };
  const pages = await checkPages(pebble, place);
  return { ...answer, checkedBy: pages === true ? 'pg_checksums' : 'nothing' };
}

async function expectCleanEnd(pebble: Pebble, place: TrialPlace): Promise<void> {
  const state = (await readControl(pebble, place)).get('Database cluster state');
  if (state === 'shut down') return;
  const message = `pg_control says "${state ?? ''}" after a shutdown`;
  throw new CodedError(message, { code: 'wrong-state' });
}

/**
 * Stops what runs of a trial, and takes it away; says whether there was one. Rejects with `CodedError`;
 * may be repeated.
 */
export async function removeTrial(pebble: Pebble, place: TrialPlace): Promise<boolean> {
  if ((await pebble.stat(place.directory)) === undefined) return false;
  await stopTrial(pebble, place);
  const command = ['rm', '--recursive', '--force', place.directory];
  const { exitCode, stderr } = await pebble.exec(command, { timeoutMs: removalTimeoutMs });
  if (exitCode === 0) return true;
  const message = `cannot remove "${place.directory}": ${stderr.trim()}`;
  throw new CodedError(message, { code: 'not-removed' });
}

/** In the workload. */
export async function trialPlace(hook: PostgresqlHook): Promise<TrialPlace> {
  const { binDir } = await readWorkload(hook);
  return { directory: trialDirectory, binDir };
}

const progressIntervalMs = 10_000;

/** How far pgBackRest is, at most once in ten seconds. */
function createProgress(clock: Clock, say: (text: string) => Promise<void>) {
  let nextMs = clock.nowMs() + progressIntervalMs;
  let saying = Promise.resolve();
  return {
    hear: (line: string): void => {
      const percent = /: restore file .*, (\d+)(?:\.\d+)?%\)/.exec(line)?.[1];
      const now = clock.nowMs();
      if (percent === undefined || now < nextMs) return;
      nextMs = now + progressIntervalMs;
      saying = saying.then(async () => {
        await say(`restored ${percent} %`);
      });
    },
    said: async (): Promise<void> => {
      await saying;
    },
  };
}
