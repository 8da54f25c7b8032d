// A trial restore as the watcher sees it: its server is nobody whom the member has lost, and what is left
// of one is told.

import { spawn } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { expect, test } from '@jest/globals';

import { systemClock } from '../../lib/base/clock.ts';
import { endOf, onStage, patienceS, until } from '../support/watcher/stage.ts';

test.concurrent('a server of other data is not taken for the own one', async () => {
  await onStage({}, async (stage) => {
    const command = ['-c', 'read line', 'sh', '-D', `${stage.volume}/trial-restore/pgdata`];
    const other = spawn('sh', command, { argv0: 'postgres' });
    try {
      stage.postmaster.kill('SIGKILL');
      await until(async () => await Promise.resolve(endOf(stage.postmaster)));
      await writeFile(path.join(stage.data, 'postmaster.pid'), `${other.pid}\n`);
      other.kill('SIGSTOP');
      await systemClock.sleep(3 * patienceS * 1000);

      expect(endOf(other)).toBeUndefined();
      expect((await stage.notices()).filter((notice) => notice.includes('fenced'))).toEqual([]);
      expect(await stage.seen()).toHaveProperty('down');
    } finally {
      other.kill('SIGKILL');
    }
  });
});

test.concurrent('a trial on which nobody works any more wakes the charm', async () => {
  await onStage({}, async (stage) => {
    const trial = path.join(stage.volume, 'trial-restore');
    const told = async () => (await stage.notices()).filter((one) => one === 'test/trial-left');
    // As pgBackRest and its like name it; the server, which nobody has stopped, is no work.
    const work = spawn('sh', ['-c', 'read line', 'sh', `--pg1-path=${trial}/pgdata`]);
    const server = spawn('sh', ['-c', 'read line', 'sh', '-D', `${trial}/pgdata`], {
      argv0: 'postgres',
    });
    try {
      await mkdir(trial);
      await until(async () => (await stage.seen())['trial']);
      await systemClock.sleep(8 * patienceS * 1000);
      expect(await told()).toEqual([]);

      work.kill('SIGKILL');
      await until(async () => (await told())[0]);
    } finally {
      work.kill('SIGKILL');
      server.kill('SIGKILL');
    }
  });
});

test.concurrent('a trial restore that stands beside the data is seen', async () => {
  await onStage({}, async (stage) => {
    const seen = async () => (await stage.seen())['trial'];
    const trial = path.join(stage.volume, 'trial-restore');
    expect(await seen()).toBeUndefined();

    await mkdir(trial);
    await until(seen);
    await rm(trial, { recursive: true });
    await until(async () => ((await seen()) === undefined ? true : undefined));
  });
});
