/** Bare pgBackRest in the pod of the only unit, with the charm's own file, timed there. */

import { dataDirectory, type Member, query, runInPod } from '../faults/sql.ts';
import { type NewestBackup, parseNewestBackup, parseOwnSeconds } from './backup-info.ts';
import type { Measurement } from './rows.ts';

export interface Bench {
  readonly member: Member;
  readonly stanza: string;
}

const longestMs = 3 * 60 * 60_000;
const user = `"$(stat -c %U ${dataDirectory}/..)"`;
const scratch = `${dataDirectory}-bench`;

export async function sql({ member }: Bench, database: string, text: string): Promise<void> {
  await query(member, { sql: text, database, timeoutMs: longestMs });
}

export async function countCores({ member }: Bench): Promise<number> {
  return Number(await runInPod(member, { script: 'nproc' }));
}

/** Runs a command as the server's user, and says how many seconds it took in the pod. */
async function time({ member }: Bench, command: string): Promise<number> {
  const script = `set -e
started=$(date +%s.%N)
runuser -u ${user} -- ${command} >&2
echo "$started $(date +%s.%N)"`;
  const output = await runInPod(member, { script, timeoutMs: longestMs });
  const [started = Number.NaN, ended = Number.NaN] = output.trim().split(' ').map(Number);
  return ended - started;
}

export interface BareBackup {
  readonly type: NewestBackup['type'];
  readonly args: readonly string[];
}

export async function backUp(bench: Bench, { type, args }: BareBackup): Promise<Measurement> {
  const options = [...args, '--no-backup-standby', `--type=${type}`].join(' ');
  const seconds = await time(bench, `pgbackrest --stanza=${bench.stanza} ${options} backup`);
  const newest = await readNewest(bench);
  if (newest.type !== type)
    throw new Error(`cannot compare: pgBackRest made a backup "${newest.type}"`);
  return { seconds, bytes: newest.bytes, repoBytes: newest.repoBytes };
}

export async function readNewest({ member, stanza }: Bench): Promise<NewestBackup> {
  const script = `exec runuser -u ${user} -- pgbackrest --stanza=${stanza} info --output=json`;
  return parseNewestBackup(await runInPod(member, { script }), stanza);
}

/** Of a backup that the charm has made: it keeps pgBackRest's log beside it. */
export async function readOwnSeconds({ member, stanza }: Bench, id: string): Promise<number> {
  const file = `backup/${stanza}/${id}/backup.log`;
  const script = `exec runuser -u ${user} -- pgbackrest repo-get '${file}'`;
  return parseOwnSeconds(await runInPod(member, { script }));
}

/** The newest backup into a folder beside the data, which is removed afterwards. */
export async function restore(bench: Bench, args: readonly string[]): Promise<Measurement> {
  const { databaseBytes } = await readNewest(bench);
  await removeScratch(bench);
  const options = [...args, `--pg1-path=${scratch}`].join(' ');
  try {
    const seconds = await time(bench, `pgbackrest --stanza=${bench.stanza} ${options} restore`);
    return { seconds, bytes: databaseBytes, repoBytes: 0 };
  } finally {
    await removeScratch(bench);
  }
}

async function removeScratch({ member }: Bench): Promise<void> {
  await runInPod(member, { script: `rm -rf '${scratch}'`, timeoutMs: 600_000 });
}

/** What the benchmark has put into the bucket; the model goes afterwards. */
export async function emptyRepository({ member }: Bench): Promise<void> {
  for (const folder of ['backup', 'archive']) {
    const script = `exec runuser -u ${user} -- pgbackrest repo-rm --recurse ${folder}`;
    await runInPod(member, { script, timeoutMs: 600_000 });
  }
}
