// `pgbackrest expire` on the repository of the world: by the retention of the configuration file, or
// one backup with all that depend on it.

import type { ExecAnswer } from '../../fake-pebble.ts';
import { chainOf, secondsOfLabel, usualWal } from './pgbackrest-labels.ts';
import type { BackupState, PgbackrestWorld } from './world.ts';

export interface Expiry {
  readonly stanza: string;
  /** `--set` */
  readonly set: string | undefined;
  /** `--repo1-retention-archive`: full backups whose WAL is kept, of those that stay. */
  readonly archive: string | undefined;
  /** Text of pgbackrest.conf. */
  readonly config: string;
  readonly nowSeconds: number;
}

interface Outcome {
  readonly answer: ExecAnswer;
  readonly world: PgbackrestWorld;
}

export function expireBackups(world: PgbackrestWorld, expiry: Expiry): Outcome {
  const own = world.backups.filter(({ stanza }) => stanza === expiry.stanza);
  const fulls = own.filter(isFull);
  const refusal = expiry.set === undefined ? undefined : refuseSet(world, own, expiry.set);
  if (refusal !== undefined) return refusal;
  const chosen = expiry.set === undefined ? expiredFulls(fulls, expiry) : [expiry.set];
  const invalid = own.filter(({ manifestGone }) => manifestGone === true);
  const roots = [...chosen, ...invalid.map(({ label }) => label)];
  const labels = own.map(({ label }) => label);
  const gone = own.filter(({ label }) =>
    [label, ...chainOf(label, labels)].some((one) => roots.includes(one)),
  );
  const lines = gone.map(({ label }) => `repo1: remove expired backup ${label}`);
  const backups = world.backups.filter((backup) => !gone.includes(backup));
  const archive = keptArchive({ ...world, backups }, expiry, chosen.length);
  const shown = [...lines, 'expire command end: completed successfully'];
  return {
    answer: { stdout: shown.map((line) => `P00   INFO: ${line}\n`).join('') },
    world: { ...world, backups, archive },
  };
}

/** The answer for a set that is not expired. */
function refuseSet(
  world: PgbackrestWorld,
  own: readonly BackupState[],
  set: string,
): Outcome | undefined {
  if (!/^\d{8}-\d{6}F(_\d{8}-\d{6}[DI])?$/.test(set)) {
    return refuse(world, 32, `[032]: '${set}' is not a valid backup label format`);
  }
  if (!own.some(({ label }) => label === set)) {
    return { answer: { stderr: `WARN: backup ${set} does not exist\n` }, world };
  }
  const fulls = own.filter(isFull);
  if (fulls.length !== 1 || fulls[0]?.label !== set) return undefined;
  const reason = 'cannot be expired until another full backup has been created on this repo';
  return refuse(world, 104, `[075]: repo1: full backup ${set} ${reason}`);
}

function refuse(world: PgbackrestWorld, exitCode: number, error: string): Outcome {
  return { answer: { exitCode, stderr: `ERROR: ${error}\n` }, world };
}

function isFull({ label }: BackupState): boolean {
  return !label.includes('_');
}

/** Of those older than the retention the newest is kept: what it covers is within. */
function expiredFulls(fulls: readonly BackupState[], expiry: Expiry): readonly string[] {
  const value = (key: string): string | undefined =>
    new RegExp(`^${key}=(.*)$`, 'm').exec(expiry.config)?.[1];
  const retention = Number(value('repo1-retention-full') ?? Infinity);
  const labels = fulls.map(({ label }) => label).toSorted();
  if (value('repo1-retention-full-type') === 'count') {
    return labels.slice(0, Math.max(0, labels.length - retention));
  }
  const before = expiry.nowSeconds - retention * 86_400;
  const old = labels.filter((label) => secondsOfLabel(label) + 10 < before);
  return old.slice(0, -1);
}

/**
 * WAL goes only as far as somebody has said how many full backups need theirs, and when there are as many;
 * with days, an expiry by time says it itself. History files stay.
 */
function keptArchive(
  { archive, backups }: PgbackrestWorld,
  expiry: Expiry,
  expired: number,
): PgbackrestWorld['archive'] {
  const own = backups.filter(({ stanza }) => stanza === expiry.stanza);
  const fulls = own.filter(isFull).toSorted((one, other) => other.label.localeCompare(one.label));
  const retention = archiveRetention(expiry, { expired, left: fulls.length });
  const first = fulls[retention - 1];
  if (first === undefined) return archive;
  // What older ones cannot do without stays.
  const ranges = own
    .filter(({ label }) => label <= first.label)
    .map(({ label, wal }) => {
      const [start, stop] = wal ?? usualWal;
      return { start, stop: label === first.label ? undefined : stop };
    });
  return Object.fromEntries(
    Object.entries(archive).filter(([path]) => {
      const segment = /\/([0-9A-F]{24})-/.exec(path)?.[1];
      if (segment === undefined || !path.startsWith(`${expiry.stanza}/`)) return true;
      return ranges.some(({ start, stop = segment }) => start <= segment && segment <= stop);
    }),
  );
}

/** 0: none. */
function archiveRetention(
  { set, archive, config }: Expiry,
  { expired, left }: { readonly expired: number; readonly left: number },
): number {
  if (archive !== undefined) return Number(archive);
  const byNumber = /^repo1-retention-full-type=count$/m.test(config);
  if (byNumber) return Number(/^repo1-retention-full=(\d+)$/m.exec(config)?.[1] ?? 0);
  return set === undefined && expired > 0 ? left : 0;
}
