// Work on backups as the watcher sees it: a hook that was killed in the middle of it is made up for.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';

import { expect, test } from '@jest/globals';

import { systemClock } from '../../lib/base/clock.ts';
import { onStage, patienceS, type Stage, until } from '../support/watcher/stage.ts';

/** Longer than nobody at work is put up with. */
const quiet = async () => {
  await systemClock.sleep(9 * patienceS * 1000);
};

/** Of no other pgBackRest on the machine. */
const stanza = `watcher-${process.pid}.patroni-app`;

async function told(stage: Stage): Promise<readonly string[]> {
  return (await stage.notices()).filter((one) => one === 'test/work-left');
}

/** A program that shows itself under such a command. */
function startPgbackrest(...words: readonly string[]): ChildProcess {
  return spawn('sh', ['-c', 'read line', ...words], { argv0: 'pgbackrest' });
}

async function end(program: ChildProcess): Promise<void> {
  const ended = once(program, 'exit');
  program.kill('SIGKILL');
  await ended;
}

test('work on which nobody is any more wakes the charm, once for each', async () => {
  await onStage({}, async (stage) => {
    const service = startPgbackrest(`--stanza=${stanza}`, 'archive-push:async');
    const backup = startPgbackrest(`--stanza=${stanza}`, 'backup');
    try {
      await writeFile(stage.longWork, stanza);
      await quiet();
      expect(await told(stage)).toEqual([]);

      await end(backup);
      await until(async () => (await told(stage))[0]);
      await quiet();
      expect(await told(stage)).toHaveLength(1);

      await rm(stage.longWork);
      await systemClock.sleep(3 * patienceS * 1000);
      await writeFile(stage.longWork, stanza);
      await until(async () => (await told(stage))[1]);
    } finally {
      await Promise.all([service, backup].filter(({ signalCode }) => signalCode === null).map(end));
    }
  });
});
