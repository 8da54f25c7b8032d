// The programs of a trial restore, which work on a directory beside the data.

import type { ExecAnswer, ExecCall, ExecResponder, FakePebble } from '../../fake-pebble.ts';
import { fileEntry } from '../../pebble-state.ts';
import type { Host } from '../host.ts';
import { runPgbackrest } from './pgbackrest.ts';
import type { PostgresqlWorld, VolumeWorld } from './world.ts';

const bin = '/usr/lib/postgresql/17/bin';
const place = '/var/lib/postgresql/data/trial-restore';
const data = `${place}/pgdata`;
const lockFile = `${data}/postmaster.pid`;
const nice = ['nice', '-n', '19'];
const pid = '4242';

export function trialPrograms(host: Host<PostgresqlWorld>): readonly ExecResponder[] {
  const trial = (): NonNullable<VolumeWorld['trial']> => host.world.get().volume.trial ?? {};
  return [
    {
      command: [...nice, 'pgbackrest'],
      respond: (call, fake) =>
        runPgbackrest(host, { ...call, command: call.command.slice(nice.length) }, fake),
    },
    {
      command: [...nice, `${bin}/pg_ctl`, 'start', '-D', data],
      respond: (call, fake) => start(call, fake, trial().start),
    },
    {
      command: [`${bin}/pg_ctl`, 'stop', '-D', data],
      respond: (_call, fake) => (trial().hangs === true ? { exitCode: 1 } : stop(fake)),
    },
    {
      command: ['cat', `/proc/${pid}/cmdline`],
      respond: () => ({ stdout: [`${bin}/postgres`, '-D', data, '-c', ''].join('\0') }),
    },
    { command: [`${bin}/pg_controldata`, data], respond: (_call, fake) => showControl(fake) },
    {
      command: [`${bin}/psql`, '-h', place],
      respond: () => {
        const { availableExtensions } = host.world.get().postgres;
        return { stdout: `f|4|30000000|${availableExtensions.includes('amcheck') ? 't' : 'f'}\n` };
      },
    },
    {
      command: [...nice, `${bin}/pg_amcheck`],
      respond: () => outcome(2, trial().amcheck),
    },
    {
      command: [...nice, `${bin}/pg_checksums`, '--check', '-D', data],
      respond: () => outcome(1, trial().checksums),
    },
  ];
}

function outcome(exitCode: number, fault: string | undefined): ExecAnswer {
  return fault === undefined ? {} : { exitCode, stdout: `${fault}\n` };
}

function start(_call: ExecCall, fake: FakePebble, fault: string | undefined): ExecAnswer {
  const owner = { user: 'postgres', group: 'postgres', mode: '0600' };
  const files =
    fault === undefined
      ? { [lockFile]: fileEntry(`${pid}\n${data}\n`, owner) }
      : { [`${place}/server.log`]: fileEntry(`LOG:  starting\nFATAL:  ${fault}\n`, owner) };
  fake.update((state) => ({ ...state, files: { ...state.files, ...files } }));
  return fault === undefined ? {} : { exitCode: 1, stderr: 'pg_ctl: could not start server\n' };
}

function stop(fake: FakePebble): ExecAnswer {
  fake.update((state) => {
    const { [lockFile]: _, ...files } = state.files;
    return { ...state, files };
  });
  return {};
}

function showControl(fake: FakePebble): ExecAnswer {
  const runs = fake.state().files[lockFile] !== undefined;
  return {
    stdout: [
      `Database cluster state:               ${runs ? 'in production' : 'shut down'}`,
      'max_prepared_xacts setting:           5',
      'max_locks_per_xact setting:           64',
      'Data page checksum version:           1',
      '',
    ].join('\n'),
  };
}
