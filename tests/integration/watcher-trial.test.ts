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
