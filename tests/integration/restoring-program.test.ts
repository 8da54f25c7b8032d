// What ends a pgBackRest that still restores, against real processes: those of one directory, and no
// others.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

import { afterAll, expect, test } from '@jest/globals';
import { execa } from 'execa';

import { endingCommand } from '../../src/adapters/restoring-program.ts';

/** Nobody else's. */
const place = `/nowhere/${process.pid}/pgdata`;
const started: ChildProcess[] = [];

/** A process that is called with these words, and waits. */
async function start(...words: readonly string[]): Promise<ChildProcess> {
  const program = `process.stdout.write('.'); setInterval(() => {}, 1000)`;
  const child = spawn(process.execPath, ['-e', program, '--', 'pgbackrest', ...words]);
  started.push(child);
  await once(child.stdout, 'data');
  return child;
}

afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
});

test('what restores into the directory is killed, with its workers, and nothing else', async () => {
  const doomed = [
    await start('--stanza=s', `--pg1-path=${place}`, 'restore'),
    await start(`--pg1-path=${place}`, '--process=1', 'restore:local'),
  ];
  const spared = [
    await start(`--pg1-path=${place}-beside`, 'restore'),
    await start(`--pg1-path=${place}`, 'backup'),
  ];
  const ends = Promise.all(
    doomed.map(async (child) => {
      await once(child, 'exit');
    }),
  );

  const [command, ...args] = endingCommand;
  const { exitCode } = await execa(command, [...args, place], { reject: false });

  expect(exitCode).toBe(0);
  await ends;
  expect(doomed.map(({ signalCode }) => signalCode)).toEqual(['SIGKILL', 'SIGKILL']);
  expect(spared.map(({ exitCode: code, signalCode }) => [code, signalCode])).toEqual([
    [null, null],
    [null, null],
  ]);
});

test('where nothing restores there is nothing to do', async () => {
  const [command, ...args] = endingCommand;

  expect(await execa(command, [...args, `${place}-other`], { reject: false })).toMatchObject({
    exitCode: 0,
    stdout: '',
    stderr: '',
  });
});
