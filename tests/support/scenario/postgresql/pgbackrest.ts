// pgBackRest as the charm runs it: what it prints, and what it does to the repository of the world.
// The contract tests run it and the real program through the same suite.

import type { ExecAnswer, ExecCall, FakePebble } from '../../fake-pebble.ts';
import { fileEntry } from '../../pebble-state.ts';
import type { Host } from '../host.ts';
import { repositoryConfig, unreadableReason, withInfoFiles } from './pgbackrest-cipher.ts';
import { expireBackups } from './pgbackrest-expire.ts';
import { chainOf, secondsOfLabel, usualWal } from './pgbackrest-labels.ts';
import { renderVerification } from './pgbackrest-verify.ts';
import type { BackupState, PgbackrestWorld, PostgresqlWorld } from './world.ts';

/** What it needs of a host. */
export type PgbackrestHost = Pick<Host<PostgresqlWorld>, 'world' | 'clock' | 'unexpected'>;

export function runPgbackrest(
  host: PgbackrestHost,
  { command }: ExecCall,
  pebble: Pick<FakePebble, 'state' | 'update'>,
): ExecAnswer {
  const [, ...args] = command;
  const [name = '', ...operands] = args.filter((arg) => !arg.startsWith('-'));
  const fault = host.world.get().pgbackrest.faults[name];
  if (fault !== undefined) return { exitCode: 55, stderr: fault };
  const refusal = refuseConfig(configText(pebble));
  if (refusal !== undefined) return { exitCode: 32, stderr: `ERROR: [032]: ${refusal}\n` };
  const run = commands[name];
  if (run === undefined) throw host.unexpected(`pgbackrest ${args.join(' ')}`);
  return run({ host, stanza: optionOf(args, 'stanza') ?? '', args, operands, pebble });
}

function optionOf(args: readonly string[], name: string): string | undefined {
  return args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
}

interface Call {
  readonly host: PgbackrestHost;
  readonly stanza: string;
  readonly args: readonly string[];
  readonly operands: readonly string[];
  readonly pebble: Pick<FakePebble, 'state' | 'update'>;
}

const commands: Readonly<Record<string, (call: Call) => ExecAnswer>> = {
  'stanza-create': ({ host, stanza, pebble }) => {
    if ((host.world.get().pgbackrest.half ?? []).length > 0) {
      return {
        exitCode: 55,
        stderr:
          'ERROR: [055]: archive.info exists but backup.info is missing on repo1\n       HINT: this may be a symptom of repository corruption!\n',
      };
    }
    const config = repositoryConfig(configText(pebble));
    const unreadable = unreadableReason(host.world.get().objectStore, config, stanza);
    if (unreadable !== undefined) {
      return { exitCode: 29, stderr: `ERROR: [029]: unable to load info file: ${unreadable}\n` };
    }
    host.world.update((now) => ({
      ...now,
      objectStore: withInfoFiles(now.objectStore, config, stanza),
    }));
    update(host, (now) => ({ ...now, stanzas: [...new Set([...now.stanzas, stanza])] }));
    return {};
  },
  'server-ping': () => ({}),
  info: ({ host, pebble }) => ({ stdout: renderInfo(host.world.get(), configText(pebble)) }),
  check: ({ host, stanza }) =>
    host.world.get().pgbackrest.stanzas.includes(stanza)
      ? {}
      : { exitCode: 55, stderr: 'ERROR: [055]: no stanza' },
  backup: ({ host, stanza, args }) => {
    const label = nextLabel(host, optionOf(args, 'type') ?? 'incr');
    update(host, (now) => ({ ...now, backups: [...now.backups, { label, stanza }] }));
    return {
      stdout: `${copied}P00   INFO: new backup label = ${label}\nP00   INFO: backup command end: completed successfully\n`,
    };
  },
  verify: ({ host, stanza }) => ({
    stdout: renderVerification(host.world.get().pgbackrest, stanza),
  }),
  restore: restoreFiles,
  'repo-ls': ({ host, args, operands }) => ({
    stdout: listFolder(host.world.get().pgbackrest, operands[0] ?? '', optionOf(args, 'filter')),
  }),
  'repo-get': ({ host, operands: [path = ''] }) => {
    const file = host.world.get().pgbackrest.archive[path.replace(/^archive\//, '')];
    return file?.text === undefined ? missing(path) : { stdout: file.text };
  },
  // Removing what is not there is fine.
  'repo-rm': ({ host, args, operands: [path = ''], pebble }) => {
    if (args.includes('--recurse')) removeObjects(host, configText(pebble), path);
    update(host, ({ half = [], ...now }) => {
      const left = half.filter((one) => one !== path);
      return left.length === 0 ? now : { ...now, half: left };
    });
    const [, stanza, label] = /^backup\/(.+)\/(.+)\/backup\.manifest$/.exec(path) ?? [];
    const marked = (one: BackupState): BackupState =>
      one.stanza === stanza && one.label === label ? { ...one, manifestGone: true } : one;
    update(host, (now) => ({ ...now, backups: now.backups.map(marked) }));
    return {};
  },
  expire: ({ host, stanza, args, pebble }) => {
    const { pgbackrest } = host.world.get();
    if (pgbackrest.lock !== undefined) {
      return { exitCode: 50, stderr: 'ERROR: [050]: unable to acquire lock on file\n' };
    }
    const { answer, world } = expireBackups(pgbackrest, {
      stanza,
      set: optionOf(args, 'set'),
      archive: optionOf(args, 'repo1-retention-archive'),
      config: configText(pebble),
      nowSeconds: host.clock.nowMs() / 1000,
    });
    update(host, () => world);
    return answer;
  },
};

/** Whatever the command: each reads the whole file. */
function refuseConfig(config: string): string | undefined {
  const [, key] = /^([a-z0-9-]+)=[ \t]*$/m.exec(config) ?? [];
  return key === undefined ? undefined : `section 'global', key '${key}' must have a value`;
}

function configText(pebble: Call['pebble']): string {
  const file = pebble.state().files['/etc/pgbackrest.conf'];
  return file?.type === 'file' ? String(file.content) : '';
}
/** Of the thirty million bytes that `info` tells. */
const copied = [
  'P01 DETAIL: backup file /data/base/1/1255 (19.1MB, 66.67%) checksum 1f',
  'P01 DETAIL: backup file /data/base/1/1249 (bundle 1/0, 9.5MB, 100%) checksum 2f',
]
  .map((line) => `${line}\n`)
  .join('');
/** Only beside the data: where there is something, the real one refuses. */
function restoreFiles({ host, stanza, args, pebble }: Call): ExecAnswer {
  const [label, place] = ['set', 'pg1-path'].map((name) => optionOf(args, name) ?? '');
  const { files } = pebble.state();
  if (Object.keys(files).some((path) => path.startsWith(`${place}/`))) {
    return { exitCode: 40, stderr: `ERROR: [040]: unable to restore to path '${place}'\n` };
  }
  const known = host.world.get().pgbackrest.backups;
  if (!known.some((backup) => backup.stanza === stanza && backup.label === label)) {
    return { exitCode: 75, stderr: `ERROR: [075]: backup set ${label} is not valid\n` };
  }
  const owner = { user: 'postgres', group: 'postgres', mode: '0600' };
  const restored = {
    [`${place}/PG_VERSION`]: fileEntry('17\n', owner),
    [`${place}/global/pg_control`]: fileEntry('', owner),
  };
  pebble.update((state) => ({ ...state, files: { ...state.files, ...restored } }));
  return { stdout: 'P00   INFO: restore command end: completed successfully\n' };
}

/** What is below a folder, of what the charm itself has put into the bucket. */
function removeObjects({ world }: PgbackrestHost, text: string, folder: string): void {
  const config = repositoryConfig(text);
  if (config === undefined) return;
  const start = `${config.path}/${folder}/`.replace(/^\//, '');
  world.update((now) => {
    const { [config.bucket]: bucket = {}, ...others } = now.objectStore.buckets;
    const kept = Object.entries(bucket).filter(([key]) => !key.startsWith(start));
    const buckets = { ...others, [config.bucket]: Object.fromEntries(kept) };
    return { ...now, objectStore: { ...now.objectStore, buckets } };
  });
}

function missing(path: string): ExecAnswer {
  return {
    exitCode: 55,
    stderr: `ERROR: [055]: unable to open missing file '${path}' for read\n`,
  };
}

/** Only what a filter lets through is shown, as the charm always asks. */
function listFolder(
  { archive, backups, half = [] }: PgbackrestWorld,
  folder: string,
  filter: string | undefined,
): string {
  const files = [
    ...Object.entries(archive).map(([path, { seconds }]) => [`archive/${path}`, seconds] as const),
    ...backups.map(({ stanza, label }): readonly [string, number] => [
      `backup/${stanza}/${label}/bundle/1`,
      secondsOfLabel(label),
    ]),
    ...half.map((path) => [path, 0] as const),
  ]
    .filter(([path]) => path.startsWith(`${folder}/`))
    .map(([path, seconds]) => [path.slice(folder.length + 1), seconds] as const)
    .filter(([path]) => new RegExp(filter ?? '').test(path));
  return JSON.stringify(
    Object.fromEntries(files.map(([path, time]) => [path, { type: 'file', size: 1000, time }])),
  );
}

function nextLabel(host: PgbackrestHost, type: string): string {
  const { backups } = host.world.get().pgbackrest;
  const at = new Date(host.clock.nowMs() + backups.length * 1000).toISOString();
  const time = at.slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  const full = backups.findLast(({ label }) => /^[\d-]+F$/.test(label));
  if (type === 'full' || full === undefined) return `${time}F`;
  return `${full.label}_${time}${type === 'diff' ? 'D' : 'I'}`;
}

function renderInfo({ pgbackrest, patroni, objectStore }: PostgresqlWorld, text: string): string {
  // It looks for a repository in a folder then, which is empty, and content.
  if (text === '') return '[]';
  const config = repositoryConfig(text);
  const { lock } = pgbackrest;
  const held =
    lock === undefined
      ? { held: false }
      : { held: true, size: lock.size, 'size-cplt': lock.complete };
  const shown = pgbackrest.stanzas.map((name) => {
    const unreadable = unreadableReason(objectStore, config, name);
    if (unreadable !== undefined) return { name, ...renderUnreadable(unreadable) };
    const backups = pgbackrest.backups.filter(({ stanza }) => stanza === name);
    const labels = backups.map(({ label }) => label);
    const status = backups.length === 0 ? noBackups : { code: 0, message: 'ok' };
    return {
      name,
      cipher: config?.pass === undefined ? 'none' : 'aes-256-cbc',
      status: { ...status, lock: { backup: held } },
      db: [{ id: 1, 'repo-key': 1, 'system-id': 'SYSTEM-ID', version: '17' }],
      backup: backups.map((backup) => renderBackup(backup, labels)),
    };
  });
  // The identifier is a number that JSON.stringify cannot write exactly.
  return JSON.stringify(shown).replaceAll('"SYSTEM-ID"', patroni.systemIdentifier);
}

/** For pgBackRest that is a success. */
function renderUnreadable(message: string): object {
  return {
    status: { code: 99, message: 'other', lock: { backup: { held: false } } },
    repo: [{ key: 1, cipher: 'none', status: { code: 99, message } }],
  };
}

const noBackups = { code: 2, message: 'no valid backups' };

function renderBackup({ label, failed, wal }: BackupState, labels: readonly string[]): unknown {
  const seconds = secondsOfLabel(label);
  const chain = chainOf(label, labels);
  const types: Readonly<Record<string, string>> = { F: 'full', D: 'diff', I: 'incr' };
  const [start, stop] = wal ?? usualWal;
  return {
    label,
    type: types[label.slice(-1)] ?? 'full',
    error: failed === true,
    prior: chain.at(-1) ?? null,
    reference: chain.length === 0 ? null : chain,
    lsn: { start: `${positionOf(start)}000028`, stop: `${positionOf(stop)}000120` },
    timestamp: { start: seconds, stop: seconds + 10 },
    archive: { start, stop },
    database: { id: 1, 'repo-key': 1 },
    info: {
      size: 30_000_000,
      delta: 20_000_000,
      repository: { delta: 4_000_000, 'delta-map': 18_529, 'size-map': 18_529 },
    },
  };
}

/** `000000010000000A00000003` → `A/3`, in which the position within the segment is missing. */
function positionOf(segment: string): string {
  const [high = 0, low = 0] = [8, 16].map((at) => Number.parseInt(segment.slice(at, at + 8), 16));
  return `${high.toString(16).toUpperCase()}/${low.toString(16).toUpperCase()}`;
}

function update(host: PgbackrestHost, change: (now: PgbackrestWorld) => PgbackrestWorld): void {
  host.world.update((now) => ({ ...now, pgbackrest: change(now.pgbackrest) }));
}
