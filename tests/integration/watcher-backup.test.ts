// The watcher wakes the charm for a backup.

import { expect, test } from '@jest/globals';

import { systemClock } from '../../lib/base/clock.ts';
import { sleep } from '../support/watcher/observe.ts';
import { onStage, until } from '../support/watcher/stage.ts';

test('the time at which a backup is due is told once it has come', async () => {
  await onStage({}, async (stage) => {
    const told = async () =>
      (await stage.notices()).filter((notice) => notice.startsWith('test/backup-due'));
    const time = (seconds: number) =>
      new Date(systemClock.nowMs() + seconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
    await stage.writeBackupDue('no time at all');
    await until(async () => await Promise.resolve(stage.said().includes('no time') || undefined));
    const soon = time(4);
    await stage.writeBackupDue(soon);
    await sleep(1.5);
    expect(await told()).toEqual([]);
    await until(async () => (await told())[0]);
    expect(systemClock.nowMs()).toBeGreaterThanOrEqual(Date.parse(soon));
    // It stays due, and is not told over and over; another time is told at once.
    await sleep(3);
    expect(await told()).toEqual([`test/backup-due at=${soon}`]);
    const before = time(-3600);
    await stage.writeBackupDue(`${before}\n`);
    await until(async () => (await told())[1]);
    await stage.writeBackupDue('');
    await sleep(2);
    expect((await told())[1]).toBe(`test/backup-due at=${before}`);
    expect(await told()).toHaveLength(2);
  });
});
