// The programs of the workload image, as far as the charm runs them: what they print, and what they
// do to the world. A command that stands in for none of them fails the scenario.

import { options } from '../../../../src/core/config/options.ts';
import type { ExecAnswer, ExecCall, ExecResponder, FakePebble } from '../../fake-pebble.ts';
import type { PebbleState } from '../../pebble-state.ts';
import type { Host } from '../host.ts';
import { runPgbackrest } from './pgbackrest.ts';
import { trialPrograms } from './trial-programs.ts';
import { volumePrograms } from './volume-programs.ts';
import type { PostgresqlWorld } from './world.ts';

/** All of them. */
export function postgresqlPrograms(host: Host<PostgresqlWorld>): readonly ExecResponder[] {
  return [
    { command: ['pgbackrest'], respond: (call, fake) => runPgbackrest(host, call, fake) },
    { command: ['chown'], respond: changeOwner },
    ...volumePrograms(host),
    ...trialPrograms(host),
    { command: ['/usr/lib/postgresql/17/bin/pg_controldata'], respond: showControlData },
    {
      command: ['/usr/lib/postgresql/17/bin/psql', replicationTarget],
      respond: (call) => identifySystem(host, call),
    },
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

/** Of the only other member that leads in scenarios that log in there. */
const replicationTarget =
  'host=postgresql-k8s-0.postgresql-k8s-endpoints port=5432 user=replication ' +
  'replication=true connect_timeout=5';

/** With the password that the database has. */
function identifySystem(host: Host<PostgresqlWorld>, { environment }: ExecCall): ExecAnswer {
  const { postgres, patroni } = host.world.get();
  const { replicationFault: fault } = postgres;
  if (fault !== undefined) return { exitCode: 2, stderr: `${fault}\n` };
  if (environment?.['PGPASSWORD'] !== 'password-of-replication') {
    return { exitCode: 2, stderr: 'psql: error: fe_sendauth: no password supplied\n' };
  }
  return { stdout: `${patroni.systemIdentifier}|1|0/5000060|\n` };
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
