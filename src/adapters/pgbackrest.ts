// pgBackRest in the workload, one function per command, as the server's user. A non-zero exit is a
// `PgbackrestError` whose message is what pgBackRest itself named as the reason.

import * as v from 'valibot';

import type { Clock } from '../../lib/base/clock.ts';
import { CodedError } from '../../lib/base/error.ts';
import { isPebbleError } from '../../lib/pebble/errors.ts';
import type { ExecOptions, ExecResult, Pebble } from '../../lib/pebble/pebble.ts';
import { archiveFilter } from '../core/backups/archive.ts';
import { parseInfo, type StanzaInfo } from '../core/backups/backup-list.ts';
import { isFileLine } from '../core/backups/backup-progress.ts';
import { hintOfAnswer } from '../core/backups/storage-hints.ts';
import { workloadUser } from '../core/names.ts';

/** Code `failed`; fields: command, exit code; a hint where the storage has failed. */
export class PgbackrestError extends CodedError {
  readonly stdout: string;
  readonly stderr: string;

  constructor(command: string, result: ExecResult) {
    const reason = reasonOf(result);
    const hint = hintIn(reason);
    super(`cannot run pgbackrest ${command}: ${reason}`, {
      code: 'failed',
      fields: { command, exitCode: result.exitCode },
      ...(hint === undefined ? {} : { hint }),
    });
    this.stdout = result.stdout;
    this.stderr = result.stderr;
  }
}

/** Before a command that has time. */
export const patiently: readonly string[] = ['nice', '-n', '19'];

const infoTimeoutMs = 60_000;
const stanzaTimeoutMs = 120_000;
// A full backup of a large database takes hours; a day is the bound that nobody should meet.
const backupTimeoutMs = 24 * 60 * 60 * 1000;

const reasonLength = 200;

/** The lines that pgBackRest marks as errors (else its last line), shortened. */
export function reasonOf(result: Pick<ExecResult, 'stdout' | 'stderr'>): string {
  const lines = `${result.stderr}\n${result.stdout}`
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const errors = lines.flatMap((line) => /\bERROR:\s*(.*)$/.exec(line)?.[1] ?? []);
  const chosen =
    errors.length > 0 ? [...new Set(errors)].join('; ') : (lines.at(-1) ?? 'no output');
  return chosen.slice(0, reasonLength);
}

/** Of a server's failure pgBackRest shows the status and its name, when it has tried again in vain. */
function hintIn(reason: string): string | undefined {
  const [, status, text = ''] = /\[(5\d\d)\] (.*)/.exec(reason) ?? [];
  return status === undefined ? undefined : hintOfAnswer(Number(status), text);
}

/** Every stanza of the repository. A repository that cannot be read is an error, too. */
export async function info(pebble: Pebble): Promise<readonly StanzaInfo[]> {
  const result = await run(pebble, ['info', '--output=json'], { timeoutMs: infoTimeoutMs });
  const fail = (reason: string): never => {
    throw new PgbackrestError('info', { ...result, stdout: '', stderr: `ERROR: ${reason}` });
  };
  if (unreadable.test(result.stdout)) return fail(notAsTold);
  const stanzas = parseInfo(result.stdout);
  const [failure] = stanzas.flatMap((stanza) => stanza.failure ?? []);
  return failure === undefined ? stanzas : fail(failure);
}

// It is no failure for pgBackRest, which shows what it read instead, as text that no JSON may have.
const unreadable =
  /"message"\s*:\s*"\[(?:CryptoError(?!\] unable to verify certificate)|FormatError)\]/;
const notAsTold = 'the repository is not encrypted as backup_cipher_secret says, or it is damaged';

// 100,000 segments are a hundred requests to S3, and some ten megabytes of output.
const archiveTimeoutMs = 180_000;

/** WAL segments and history files of every stanza, as JSON. */
export async function listArchive(pebble: Pebble): Promise<string> {
  const { stdout } = await run(
    pebble,
    ['repo-ls', 'archive', '--recurse', '--output=json', `--filter=${archiveFilter}`],
    { timeoutMs: archiveTimeoutMs },
  );
  return stdout;
}

/** Text of a file of the repository. */
export async function readRepositoryFile(pebble: Pebble, path: string): Promise<string> {
  const { stdout } = await run(pebble, ['repo-get', path], { timeoutMs: infoTimeoutMs });
  return stdout;
}

const sizesSchema = v.record(v.string(), v.looseObject({ size: v.optional(v.number(), 0) }));

/** What a stanza takes of the repository: its backups and its WAL. */
export async function repositoryBytes(pebble: Pebble, stanza: string): Promise<number> {
  let bytes = 0;
  for (const folder of [`backup/${stanza}`, `archive/${stanza}`]) {
    const { stdout } = await run(pebble, ['repo-ls', folder, '--recurse', '--output=json'], {
      timeoutMs: archiveTimeoutMs,
    });
    for (const { size } of Object.values(v.parse(sizesSchema, JSON.parse(stdout)))) bytes += size;
  }
  return bytes;
}

// S3 deletes a thousand objects with one request.
const expireTimeoutMs = 600_000;

export interface ExpireRun {
  readonly stanza: string;
  /** This backup and those that depend on it, whatever the retention says. */
  readonly label?: string;
  /** How many full backups stay; without it a single backup goes without any WAL. */
  readonly fullsLeft?: number;
}

/** Removes what the retention does not keep; gives what pgBackRest says that it removed. */
export async function expire(pebble: Pebble, request: ExpireRun): Promise<string[]> {
  const { stanza, label, fullsLeft = 0 } = request;
  const set = label === undefined ? [] : [`--set=${label}`];
  // pgBackRest keeps all WAL as long as there are not so many.
  const archive = fullsLeft === 0 ? [] : [`--repo1-retention-archive=${fullsLeft}`];
  const { stdout } = await run(
    pebble,
    [`--stanza=${stanza}`, '--log-level-console=info', ...set, ...archive, 'expire'],
    { timeoutMs: expireTimeoutMs },
  );
  return [...stdout.matchAll(/INFO: (?:repo1: )?((?:\S+ )?remove .*)$/gm)].flatMap(
    ([, removed = '']) => removed,
  );
}

/**
 * Takes a backup's manifest away, without which the next `expire` removes the rest: pgBackRest never
 * expires the last full backup itself. The repository has no whole backup with half its files.
 */
export async function removeManifest(
  pebble: Pebble,
  { stanza, label }: Required<Pick<ExpireRun, 'stanza' | 'label'>>,
): Promise<void> {
  for (const name of ['backup.manifest', 'backup.manifest.copy']) {
    await run(pebble, ['repo-rm', `backup/${stanza}/${label}/${name}`], {
      timeoutMs: infoTimeoutMs,
    });
  }
}

/** Removes a folder of the repository with all that is in it; fine when there is none. */
export async function removeFolder(pebble: Pebble, path: string): Promise<void> {
  await run(pebble, ['repo-rm', '--recurse', path], { timeoutMs: infoTimeoutMs });
}

/** Fine when the stanza exists already and belongs to this database. Works on any member. */
export async function createStanza(pebble: Pebble, stanza: string): Promise<void> {
  await run(pebble, [`--stanza=${stanza}`, '--no-online', 'stanza-create'], {
    timeoutMs: stanzaTimeoutMs,
  });
}

const pingTimeoutMs = 20_000;
// A member of the same cluster answers at once. Refused connections are tried for three times as
// long (measured with 2.55).
const pingIoTimeoutSeconds = 2;

/** Whether pgBackRest's server of another member answers. */
export async function pingServer(pebble: Pebble, host: string): Promise<boolean> {
  try {
    await run(pebble, ['server-ping', `--io-timeout=${pingIoTimeoutSeconds}`, host], {
      timeoutMs: pingTimeoutMs,
    });
    return true;
  } catch (error) {
    if (error instanceof PgbackrestError) return false;
    throw error;
  }
}

export interface BackupRun {
  readonly stanza: string;
  /** From a replica; pgBackRest then asks the primary's server to start and stop the backup. */
  readonly replica: boolean;
  readonly type: 'full' | 'diff' | 'incr';
  readonly clock: Clock;
  readonly onLine: (line: string) => void;
}

const aborted = /\bbackup command end: aborted with exception/;
const afterlifeMs = 30_000;

/**
 * Kills a backup some time after it has said that it failed. Of its processes one may wait for ever to
 * hand over what it has done, since another one has inherited the pipe; pgBackRest waits half an hour for
 * it, in which the unit can do nothing else. Both end when the first one is gone.
 */
function boundAfterlife(clock: Clock) {
  const kill = new AbortController();
  const over = new AbortController();
  const wait = async (): Promise<void> => {
    try {
      await clock.sleep(afterlifeMs, over.signal);
      kill.abort();
    } catch (error) {
      if (!over.signal.aborted) throw error;
    }
  };
  return {
    kill: kill.signal,
    begin: (): void => {
      void wait();
    },
    end: (): void => {
      over.abort();
    },
  };
}

/**
 * Makes a backup of the local member; gives what pgBackRest wrote. Its lines about single files, of
 * which there may be millions, are for the listener only.
 */
export async function backup(pebble: Pebble, request: BackupRun): Promise<ExecResult> {
  let rest = '';
  const kept: string[] = [];
  const afterlife = boundAfterlife(request.clock);
  const take = (line: string): void => {
    if (!isFileLine(line)) kept.push(`${line}\n`);
    if (aborted.test(line)) afterlife.begin();
    request.onLine(line);
  };
  const options = {
    timeoutMs: backupTimeoutMs,
    kill: afterlife.kill,
    printed: () => {
      if (rest !== '') take(rest);
      return kept.join('');
    },
    onStdout: (text: string) => {
      const lines = `${rest}${text}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) take(line);
    },
  };
  const command = [
    `--stanza=${request.stanza}`,
    '--log-level-console=detail',
    `--type=${request.type}`,
    request.replica ? '--backup-standby' : '--no-backup-standby',
    'backup',
  ];
  try {
    return await run(pebble, command, options);
  } finally {
    afterlife.end();
  }
}

export interface RunOptions extends Pick<ExecOptions, 'timeoutMs' | 'onStdout' | 'kill'> {
  /** What of the output is the result, when the listener has chosen. */
  readonly printed?: () => string;
  /** Lets the database go first wherever the processor is short. */
  readonly patient?: true;
}

/** Runs one command; the name of the command is the first word without a dash. */
export async function run(
  pebble: Pebble,
  args: readonly string[],
  { printed, patient, ...options }: RunOptions,
): Promise<ExecResult> {
  const command = [...(patient === true ? patiently : []), 'pgbackrest', ...args];
  const done = await endInTime(
    options.timeoutMs,
    async () =>
      await pebble.exec(command, {
        user: workloadUser,
        group: workloadUser,
        ...options,
        ...(printed === undefined ? {} : { discardStdout: true }),
      }),
  );
  const result = printed === undefined ? done : { ...done, stdout: printed() };
  if (result.exitCode !== 0) {
    throw new PgbackrestError(args.find((arg) => !arg.startsWith('-')) ?? '', result);
  }
  return result;
}

/** What `timeout` says of a program that it has ended. */
const timedOut = 124;

/** pgBackRest tries for minutes to reach a storage that is down: one more way in which it fails. */
async function endInTime(limitMs: number, attempt: () => Promise<ExecResult>): Promise<ExecResult> {
  try {
    return await attempt();
  } catch (error) {
    // A Pebble that does not answer names no change.
    if (!isPebbleError(error, 'timeout') || error.fields['change'] === undefined) throw error;
    const reason = `no end within ${limitMs / 1000} s: the storage is slow or does not answer`;
    return { exitCode: timedOut, stdout: '', stderr: `ERROR: ${reason}\n` };
  }
}
