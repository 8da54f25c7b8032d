// `pgbackrest expire` on the repository of the world: by the retention of the configuration file, or
// one backup with all that depend on it.

import type { ExecAnswer } from '../../fake-pebble.ts';
import { chainOf, secondsOfLabel } from './pgbackrest-labels.ts';
import type { BackupState, PgbackrestWorld } from './world.ts';

export interface Expiry {
  readonly stanza: string;
  /** `--set` */
  readonly set: string | undefined;
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
  const archive =
    chosen.length === 0 ? world.archive : keptArchive({ ...world, backups }, expiry.stanza);
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

/** WAL from before the oldest full backup goes; history files stay. */
function keptArchive({ archive, backups }: PgbackrestWorld, stanza: string) {
  const [oldest] = backups
    .filter((backup) => backup.stanza === stanza && isFull(backup))
    .toSorted((one, other) => one.label.localeCompare(other.label));
  const first = oldest?.wal?.[0] ?? '';
  return Object.fromEntries(
    Object.entries(archive).filter(([path]) => {
      const segment = /\/([0-9A-F]{24})-/.exec(path)?.[1];
      return segment === undefined || !path.startsWith(`${stanza}/`) || segment >= first;
    }),
  );
}
