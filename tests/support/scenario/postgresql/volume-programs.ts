// Programs of the image that look at the data volume, or move what is on it.

import { endingCommand } from '../../../../src/adapters/restoring-program.ts';
import type { ExecAnswer, ExecCall, ExecResponder, FakePebble } from '../../fake-pebble.ts';
import type { Host } from '../host.ts';
import type { PostgresqlWorld } from './world.ts';

const dataDirectory = '/var/lib/postgresql/data/pgdata';

export function volumePrograms(host: Host<PostgresqlWorld>): readonly ExecResponder[] {
  const { volume } = host.world.get();
  return [
    { command: ['mv', '--no-target-directory'], respond: move },
    { command: ['rm', '--recursive', '--force'], respond: remove },
    {
      command: ['df', '--block-size=1', '--output=avail'],
      respond: () => ({ stdout: `    Avail\n${volume.freeBytes}\n` }),
    },
    {
      command: ['df', '--block-size=1', '--output=avail,size'],
      respond: () => ({ stdout: `Avail 1B-blocks\n${volume.freeBytes} ${volume.totalBytes}\n` }),
    },
    {
      command: ['du', '--summarize', '--block-size=1'],
      respond: ({ command }) => ({ stdout: `${volume.usedBytes}\t${command.at(-1)}\n` }),
    },
    {
      command: ['/usr/lib/postgresql/17/bin/pg_ctl'],
      respond: (call, fake) => control(call, fake, host),
    },
    { command: endingCommand, respond: endRestore },
    { command: ['tail', '--quiet'], respond: showEnds },
  ];
}

/** As the real one: a directory that holds something is not replaced. */
function move({ command }: ExecCall, fake: FakePebble): ExecAnswer {
  const [from = '', to = ''] = command.slice(-2);
  const { files } = fake.state();
  if (files[from] === undefined) {
    return { exitCode: 1, stderr: `mv: cannot stat '${from}': No such file or directory` };
  }
  if (Object.keys(files).some((path) => path.startsWith(`${to}/`))) {
    return { exitCode: 1, stderr: `mv: cannot move '${from}' to '${to}': Directory not empty` };
  }
  const isPart = (path: string): boolean => path === from || path.startsWith(`${from}/`);
  fake.update((state) => ({
    ...state,
    files: Object.fromEntries(
      Object.entries(state.files).map(([path, entry]) => [
        isPart(path) ? `${to}${path.slice(from.length)}` : path,
        entry,
      ]),
    ),
  }));
  return {};
}

function remove({ command }: ExecCall, fake: FakePebble): ExecAnswer {
  const directory = command.at(-1) ?? '';
  fake.update((state) => ({
    ...state,
    files: Object.fromEntries(
      Object.entries(state.files).filter(
        ([path]) => path !== directory && !path.startsWith(`${directory}/`),
      ),
    ),
  }));
  return {};
}

/** Exit code 3: no server runs there. */
function control({ command }: ExecCall, fake: FakePebble, host: Host<PostgresqlWorld>): ExecAnswer {
  const pidFile = `${dataDirectory}/postmaster.pid`;
  const runs = fake.state().files[pidFile] !== undefined;
  if (!command.includes('stop')) return { exitCode: runs ? 0 : 3 };
  if (host.world.get().volume.hangs === true)
    return { exitCode: 1, stderr: 'server does not shut down' };
  fake.update((state) => {
    const { [pidFile]: _, ...files } = state.files;
    return { ...state, files };
  });
  return {};
}

/** A program that runs is a file as in `/proc`; only what restores into that directory ends. */
function endRestore({ command }: ExecCall, fake: FakePebble): ExecAnswer {
  const restores = (content: unknown): boolean => {
    const words = String(content).split('\0');
    return words.includes(`--pg1-path=${command.at(-1)}`) && words.includes('restore');
  };
  fake.update((state) => ({
    ...state,
    files: Object.fromEntries(
      Object.entries(state.files).filter(
        ([path, entry]) =>
          !(
            /^\/proc\/\d+\/cmdline$/.test(path) &&
            entry.type === 'file' &&
            restores(entry.content)
          ),
      ),
    ),
  }));
  return {};
}

/** Of files that there are; complains of others, as the real one does, and goes on. */
function showEnds({ command }: ExecCall, fake: FakePebble): ExecAnswer {
  const paths = command.filter((word) => word.startsWith('/'));
  const [, from] = /^--bytes=\+(\d+)$/.exec(command[2] ?? '') ?? [];
  const texts = paths.flatMap((path) => {
    const entry = fake.state().files[path];
    return entry?.type === 'file' ? [String(entry.content).slice(Number(from ?? 1) - 1)] : [];
  });
  return { exitCode: texts.length < paths.length ? 1 : 0, stdout: texts.join('') };
}
