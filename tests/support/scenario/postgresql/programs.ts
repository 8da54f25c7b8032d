// The programs of the workload image, as far as the charm runs them: what they print, and what they
// do to the world. A command that stands in for none of them fails the scenario.

import { options } from '../../../../src/core/config/options.ts';
import type { ExecAnswer, ExecCall, ExecResponder, FakePebble } from '../../fake-pebble.ts';
import type { PebbleState } from '../../pebble-state.ts';
import type { Host } from '../host.ts';
import type { BackupState, PgbackrestWorld, PostgresqlWorld } from './world.ts';

/** All of them. */
export function postgresqlPrograms(host: Host<PostgresqlWorld>): readonly ExecResponder[] {
  return [
    { command: ['pgbackrest'], respond: (call) => runPgbackrest(host, call) },
    { command: ['chown'], respond: changeOwner },
    { command: ['/usr/lib/postgresql/17/bin/pg_controldata'], respond: showControlData },
    { command: ['locale', '-a'], respond: () => ({ stdout: 'C\nC.utf8\nPOSIX\nen_US.utf8\n' }) },
    {
      command: ['/usr/lib/postgresql/17/bin/postgres', '--version'],
      respond: () => ({ stdout: 'postgres (PostgreSQL) 17.4\n' }),
    },
    {
      command: ['/usr/lib/postgresql/17/bin/postgres', '--describe-config'],
      respond: () => ({ stdout: describedParameters() }),
    },
  ];
}

/** As PostgreSQL 17 has them. */
function describedParameters(): string {
  const gone = ['old_snapshot_threshold'];
  return options
    .flatMap(({ target }) => (target.kind === 'parameter' ? [target.parameter] : []))
    .filter((name) => !gone.includes(name) && !name.includes('.'))
    .map((name) => `${name}\tuser\tGroup\tSTRING\t\t\t\tDescription.\t\n`)
    .join('');
}

function changeOwner({ command }: ExecCall, fake: FakePebble): ExecAnswer {
  const [, owner = '', ...paths] = command;
  const [user = '', group = user] = owner.split(':');
  fake.update((state): PebbleState => {
    const changed = paths.flatMap((path) => {
      const entry = state.files[path];
      return entry === undefined ? [] : [[path, { ...entry, user, group }] as const];
    });
    return { ...state, files: { ...state.files, ...Object.fromEntries(changed) } };
  });
  return {};
}

/** The control file of a fake holds the system identifier and nothing else. */
function showControlData({ command }: ExecCall, fake: FakePebble): ExecAnswer {
  const entry = fake.state().files[`${command[1]}/global/pg_control`];
  if (entry?.type !== 'file') return { exitCode: 1, stderr: 'could not open file' };
  return {
    stdout: `pg_control version number: 1700\nDatabase system identifier: ${String(entry.content)}\n`,
  };
}

function runPgbackrest(host: Host<PostgresqlWorld>, { command }: ExecCall): ExecAnswer {
  const [, ...args] = command;
  const name = args.find((arg) => !arg.startsWith('-')) ?? '';
  const stanza = args.flatMap((arg) => /^--stanza=(.*)$/.exec(arg)?.[1] ?? [])[0] ?? '';
  const fault = host.world.get().pgbackrest.faults[name];
  if (fault !== undefined) return { exitCode: 55, stderr: fault };
  const run = commands[name];
  if (run === undefined) throw host.unexpected(`pgbackrest ${args.join(' ')}`);
  return run({ host, stanza, args });
}

interface Call {
  readonly host: Host<PostgresqlWorld>;
  readonly stanza: string;
  readonly args: readonly string[];
}

const commands: Readonly<Record<string, (call: Call) => ExecAnswer>> = {
  'stanza-create': ({ host, stanza }) => {
    update(host, (now) => ({ ...now, stanzas: [...new Set([...now.stanzas, stanza])] }));
    return {};
  },
  'server-ping': () => ({}),
  info: ({ host }) => ({ stdout: renderInfo(host.world.get()) }),
  check: ({ host, stanza }) =>
    host.world.get().pgbackrest.stanzas.includes(stanza)
      ? {}
      : { exitCode: 55, stderr: 'ERROR: [055]: no stanza' },
  backup: ({ host, stanza, args }) => {
    const type = args.flatMap((arg) => /^--type=(.*)$/.exec(arg)?.[1] ?? [])[0] ?? 'incr';
    const label = nextLabel(host, type);
    update(host, (now) => ({ ...now, backups: [...now.backups, { label, stanza }] }));
    return {
      stdout: `P00   INFO: new backup label = ${label}\nP00   INFO: backup command end: completed successfully\n`,
    };
  },
};

function nextLabel(host: Host<PostgresqlWorld>, type: string): string {
  const { backups } = host.world.get().pgbackrest;
  const at = new Date(host.clock.nowMs() + backups.length * 1000).toISOString();
  const time = at.slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  const full = backups.findLast(({ label }) => /^[\d-]+F$/.test(label));
  if (type === 'full' || full === undefined) return `${time}F`;
  return `${full.label}_${time}${type === 'diff' ? 'D' : 'I'}`;
}

function renderInfo({ pgbackrest, patroni }: PostgresqlWorld): string {
  const shown = pgbackrest.stanzas.map((name) => ({
    name,
    status: { code: 0, message: 'ok' },
    db: [{ id: 1, 'repo-key': 1, 'system-id': 'SYSTEM-ID', version: '17' }],
    backup: pgbackrest.backups.filter(({ stanza }) => stanza === name).map(renderBackup),
  }));
  // The identifier is a number that JSON.stringify cannot write exactly.
  return JSON.stringify(shown).replaceAll('"SYSTEM-ID"', patroni.systemIdentifier);
}

function renderBackup({ label, failed }: BackupState): unknown {
  const seconds = 1_769_860_800;
  const full = label.split('_')[0];
  const types: Readonly<Record<string, string>> = { F: 'full', D: 'diff', I: 'incr' };
  return {
    label,
    type: types[label.slice(-1)] ?? 'full',
    error: failed === true,
    reference: label === full ? null : [full],
    lsn: { start: '0/3000028', stop: '0/3000120' },
    timestamp: { start: seconds, stop: seconds + 10 },
    archive: { start: '000000010000000000000003', stop: '000000010000000000000003' },
  };
}

function update(
  host: Host<PostgresqlWorld>,
  change: (now: PgbackrestWorld) => PgbackrestWorld,
): void {
  host.world.update((now) => ({ ...now, pgbackrest: change(now.pgbackrest) }));
}
