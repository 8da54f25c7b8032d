// The server of a trial restore, in a directory of its own: started, asked, stopped. Works on that
// directory and on the process that its own lock file names, and on nothing else.

import type { Clock } from '../../lib/base/clock.ts';
import { CodedError } from '../../lib/base/error.ts';
import { poll } from '../../lib/base/retry.ts';
import { isPebbleError } from '../../lib/pebble/errors.ts';
import type { ExecResult, Pebble } from '../../lib/pebble/pebble.ts';
import { workloadUser } from '../core/names.ts';
import {
  commandLineOf,
  renderTrialServer,
  trialAccess,
  trialPort,
} from '../core/render/trial-server.ts';
import { patiently } from './pgbackrest.ts';

export interface TrialPlace {
  /** Everything is in here: data, tablespaces, sockets, configuration, log. */
  readonly directory: string;
  /** That of the server's programs. */
  readonly binDir: string;
}

export function dataOf({ directory }: Pick<TrialPlace, 'directory'>): string {
  return `${directory}/pgdata`;
}

export function tablespacesOf({ directory }: TrialPlace): string {
  return `${directory}/tablespaces`;
}

const commandTimeoutMs = 60_000;
const startSeconds = 6 * 60 * 60;
const stopSeconds = 120;
// Reading every page of a large database.
const checkTimeoutMs = 24 * 60 * 60 * 1000;

/** An empty place; there must be none. */
export async function makePlace(pebble: Pebble, place: TrialPlace): Promise<void> {
  const owner = { user: workloadUser, group: workloadUser } as const;
  await pebble.makeDir(place.directory, { mode: '0700', ...owner });
  for (const path of [dataOf(place), tablespacesOf(place)]) {
    await pebble.makeDir(path, { mode: '0700', ...owner });
  }
  const files = { 'postgresql.conf': '', 'pg_hba.conf': trialAccess, 'pg_ident.conf': '' };
  for (const [name, content] of Object.entries(files)) {
    await pebble.push(`${place.directory}/${name}`, content, { mode: '0600', ...owner });
  }
}

export interface TrialPorts {
  readonly pebble: Pebble;
  readonly clock: Clock;
}

/** Recovers the data until they are consistent. Rejects with what the server said against it. */
export async function startTrial({ pebble, clock }: TrialPorts, place: TrialPlace): Promise<void> {
  const control = await readControl(pebble, place);
  const number = (name: string, least: number): number =>
    Math.max(least, Number(control.get(`${name} setting`) ?? least));
  const settings = renderTrialServer({
    directory: place.directory,
    preparedTransactions: number('max_prepared_xacts', 0),
    locksPerTransaction: number('max_locks_per_xact', 64),
    segmentBytes: segmentBytesOf(control),
  });
  const log = logOf(place);
  const options = ['-w', '-t', `${startSeconds}`, '-l', log, '-o', commandLineOf(settings)];
  const command = [`${place.binDir}/pg_ctl`, 'start', '-D', dataOf(place), ...options];
  const { exitCode } = await exec(pebble, [...patiently, ...command], {
    timeoutMs: (startSeconds + 60) * 1000,
  });
  if (exitCode !== 0) throw await notStarted(pebble, place);
  // pg_ctl is content with one that only recovers.
  const patience = { intervalMs: 1_000, timeoutMs: startSeconds * 1000 };
  const outcome = await poll({ clock, ...patience }, async () => {
    const state = (await readControl(pebble, place)).get('Database cluster state');
    if (state === 'in production') return 'started';
    return (await runsTrial(pebble, place)) ? undefined : 'ended';
  });
  if (outcome !== 'started') throw await notStarted(pebble, place);
}

/** `pg_controldata` tells the size of a WAL file as a bare number. */
function segmentBytesOf(control: ReadonlyMap<string, string>): number {
  return Number(control.get('Bytes per WAL segment') ?? 16 * 1024 * 1024);
}

async function notStarted(pebble: Pebble, place: TrialPlace): Promise<CodedError> {
  const said = (await pebble.pull(logOf(place))) ?? '';
  const reason = said.match(/\b(?:FATAL|PANIC): .*$/gm)?.at(-1) ?? 'it does not come up';
  return new CodedError(`PostgreSQL does not start: ${reason}`, { code: 'no-start' });
}

function logOf({ directory }: TrialPlace): string {
  return `${directory}/server.log`;
}

/** `pg_controldata`, by the names of its lines. */
export async function readControl(
  pebble: Pebble,
  place: TrialPlace,
): Promise<ReadonlyMap<string, string>> {
  const { stdout } = await succeed(pebble, [`${place.binDir}/pg_controldata`, dataOf(place)]);
  return new Map(
    stdout.split('\n').flatMap((line): [string, string][] => {
      const [, name, value] = /^([^:]+):\s+(.*)$/.exec(line) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value]];
    }),
  );
}

export interface TrialAnswer {
  readonly databases: number;
  readonly bytes: number;
  readonly amcheck: boolean;
}

const question = `SELECT pg_catalog.pg_is_in_recovery(), pg_catalog.count(*),
  pg_catalog.sum(pg_catalog.pg_database_size(oid)),
  EXISTS (SELECT 1 FROM pg_catalog.pg_available_extensions WHERE name = 'amcheck')
  FROM pg_catalog.pg_database`;

export async function askTrial(pebble: Pebble, place: TrialPlace): Promise<TrialAnswer> {
  const command = ['psql', ...loginOf(place), '-XAt', '-d', 'postgres', '-c', question];
  const { stdout } = await succeed(pebble, inFolder(place, command));
  const [recovers, databases, bytes, amcheck] = stdout.trim().split('|');
  if (recovers !== 'f') {
    throw new CodedError('PostgreSQL has not ended its recovery', { code: 'in-recovery' });
  }
  return { databases: Number(databases), bytes: Number(bytes), amcheck: amcheck === 't' };
}

const corruptionFound = 2;

/** Looks at every table and index; `undefined` where that cannot be done. */
export async function checkTables(pebble: Pebble, place: TrialPlace): Promise<true | undefined> {
  const options = ['--all', '--install-missing', '--no-password'];
  const command = inFolder(place, ['pg_amcheck', ...loginOf(place), ...options]);
  const result = await ifThere(pebble, [...patiently, ...command]);
  if (result?.exitCode === corruptionFound) throw damaged('pg_amcheck', result);
  return result?.exitCode === 0 ? true : undefined;
}

/** Looks at the checksum of every page of a server that is down; `undefined` where there are none. */
export async function checkPages(pebble: Pebble, place: TrialPlace): Promise<true | undefined> {
  const version = (await readControl(pebble, place)).get('Data page checksum version');
  if (version === undefined || version === '0') return undefined;
  const command = inFolder(place, ['pg_checksums', '--check', '-D', dataOf(place)]);
  const result = await ifThere(pebble, [...patiently, ...command]);
  if (result === undefined) return undefined;
  if (result.exitCode === 0) return true;
  throw damaged('pg_checksums', result);
}

function damaged(program: string, { stdout, stderr }: ExecResult): CodedError {
  const [first = 'no reason given'] = `${stdout}\n${stderr}`
    .split('\n')
    .filter((line) => line !== '');
  return new CodedError(`${program}: ${first}`, { code: 'damaged' });
}

/** Stops the server, if its own lock file names one. Rejects when it does not end. */
export async function stopTrial(pebble: Pebble, place: TrialPlace): Promise<void> {
  for (const mode of ['fast', 'immediate']) {
    if (!(await runsTrial(pebble, place))) return;
    const options = ['-m', mode, '-w', '-t', `${stopSeconds}`];
    await exec(pebble, [`${place.binDir}/pg_ctl`, 'stop', '-D', dataOf(place), ...options], {
      timeoutMs: (stopSeconds + 30) * 1000,
    });
  }
  if (!(await runsTrial(pebble, place))) return;
  throw new CodedError('the PostgreSQL of the trial does not end', { code: 'still-running' });
}

/**
 * Whether the process in the lock file is a server of these data. After a restart of the container
 * another process may have its number, even the member's own server.
 */
async function runsTrial(pebble: Pebble, place: TrialPlace): Promise<boolean> {
  const lock = await pebble.pull(`${dataOf(place)}/postmaster.pid`);
  const pid = /^(\d+)$/m.exec(lock ?? '')?.[1];
  if (pid === undefined) return false;
  const { stdout } = await exec(pebble, ['cat', `/proc/${pid}/cmdline`]);
  const words = stdout.split('\0');
  return words[words.indexOf('-D') + 1] === dataOf(place);
}

function loginOf({ directory }: TrialPlace): readonly string[] {
  return ['-h', directory, '-p', `${trialPort}`, '-U', 'operator'];
}

function inFolder({ binDir }: TrialPlace, [program = '', ...args]: readonly string[]) {
  return [`${binDir}/${program}`, ...args];
}

async function succeed(pebble: Pebble, command: readonly string[]): Promise<ExecResult> {
  const result = await exec(pebble, command);
  if (result.exitCode === 0) return result;
  const program = command[0]?.replace(/^.*\//, '') ?? '';
  throw new CodedError(`${program}: ${result.stderr.trim()}`, { code: 'failed' });
}

async function ifThere(
  pebble: Pebble,
  command: readonly string[],
): Promise<ExecResult | undefined> {
  try {
    const result = await exec(pebble, command, { timeoutMs: checkTimeoutMs });
    // By `nice`: it has found no such program.
    return result.exitCode === 127 ? undefined : result;
  } catch (error) {
    if (isPebbleError(error, 'not-found')) return undefined;
    throw error;
  }
}

async function exec(
  pebble: Pebble,
  command: readonly string[],
  { timeoutMs = commandTimeoutMs }: { readonly timeoutMs?: number } = {},
): Promise<ExecResult> {
  return await pebble.exec(command, {
    user: workloadUser,
    group: workloadUser,
    environment: { LC_ALL: 'C.UTF-8' },
    timeoutMs,
  });
}
