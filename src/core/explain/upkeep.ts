// Rules of explain on what the watcher sees of the own member, and on what this unit has to do for it.

import { isoSeconds } from '../backups/times.ts';
import { watcherService } from '../render/pebble-layer.ts';
import type { StorageJudgement } from '../storage.ts';
import { isReadOnly, refusalToStart } from '../watch-state.ts';
import { type Observed, seen, type UpkeepFacts } from './facts.ts';

const makeRoom = 'Make room, or enlarge it.';

export function answerDisk({ upkeep }: Observed): readonly string[] {
  const watch = seen(upkeep)?.watch;
  if (watch?.disk === undefined) return [];
  const { level, freePercent } = watch.disk;
  if (isReadOnly(watch)) {
    return [
      `Let clients write again when 12 % of the data volume are free: ${freePercent} % are. ${makeRoom}`,
    ];
  }
  return level === 'low'
    ? [
        `Let clients only read when 3 % of the data volume are free: ${freePercent} % are. ${makeRoom}`,
      ]
    : [];
}

/** A replica archives nothing. */
export function archiveWal({ upkeep, own }: Observed): readonly string[] {
  const archive = seen(upkeep)?.watch.archive;
  if (archive === undefined || seen(own)?.role === 'replica') return [];
  const what = `Archive ${archive.waiting} files of WAL`;
  if (archive.failing) {
    return [
      `${what} when the storage of the backups takes them: nothing has gone for over a minute. Until ` +
        'then they stay on the data volume.',
    ];
  }
  return archive.lags
    ? [`${what}, of which some have waited for minutes: more is written than the storage takes.`]
    : [];
}

export function repairReplica({ upkeep }: Observed): readonly string[] {
  const facts = seen(upkeep);
  if (facts === undefined) return [];
  const refusal = refusalToStart(facts.watch);
  if (refusal !== undefined) {
    return [`Start PostgreSQL of this unit when this has been seen to: ${refusal}.`];
  }
  if (facts.repair !== undefined) return [describeRepair(facts, facts.repair)];
  const { brokenAtMs } = facts.watch;
  if (brokenAtMs === undefined) return [];
  return [
    `Get WAL from the primary again, from which none has come since ${timeText(brokenAtMs)}.`,
  ];
}

function describeRepair(
  { refusal, nowMs }: UpkeepFacts,
  { kind, reason, atMs }: NonNullable<UpkeepFacts['repair']>,
): string {
  if (kind === 'give-up') {
    return `Leave this replica as it is, which new copies have not mended: ${reason}. Look at its log.`;
  }
  const what = kind === 'restart' ? 'Restart PostgreSQL of this unit' : 'Clone this replica anew';
  if (atMs > nowMs) return `${what} at ${timeText(atMs)}, unless it follows by then: ${reason}.`;
  if (kind === 'clone' && refusal !== undefined) {
    return `${what} when that is safe, which is looked at every minute: ${refusal}.`;
  }
  return `${what} with the next event of this unit: ${reason}.`;
}

function timeText(ms: number): string {
  return isoSeconds(Math.floor(ms / 1000));
}

export function replaceWatcher({ pebble }: Observed): readonly string[] {
  const down = seen(pebble)?.checks.some(({ name, status }) => {
    return name === watcherService && status === 'down';
  });
  return down === true
    ? ['See the watcher started anew by Pebble: it hangs, so nothing wakes this unit.']
    : [];
}

/** Whether a member must not start on what is there. */
export function missesData(storage: StorageJudgement | undefined): boolean {
  return storage?.kind === 'foreign' || storage?.kind === 'lost';
}

export function startOnStorage({ storage }: Observed): readonly string[] {
  const judgement = seen(storage);
  if (judgement?.kind === 'foreign') {
    return [
      `Start nothing: the storage belongs to another cluster (${judgement.reason}). Attach the right ` +
        'one, or remove the unit.',
    ];
  }
  return judgement?.kind === 'lost'
    ? [
        'Start nothing: the volume is empty, and the data of the cluster are nowhere. Attach its ' +
          'storage, or restore a backup.',
      ]
    : [];
}

export function awaitAddress({ kubernetes }: Observed): readonly string[] {
  return (seen(kubernetes)?.strayTargets ?? []).map(
    ({ unit, address, actual }) =>
      `Wait for Patroni to lead clients to ${unit} at ${actual}: they are led to ${address}, where ` +
      'it is no more.',
  );
}

export function finishWork({ juju }: Observed): readonly string[] {
  const texts = {
    configuration: 'Tell Patroni the rest of the configuration, with the next update-status.',
    everything: 'Make up for what an outage has cut short, with the next update-status.',
  } as const;
  const unfinished = seen(juju)?.unfinished;
  return unfinished === undefined ? [] : [texts[unfinished]];
}

export function keepExtensions({ juju }: Observed): readonly string[] {
  const problem = seen(juju)?.extensions;
  return problem === undefined ? [] : [`Bring extensions to what is switched on: ${problem}.`];
}
