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
