// The watcher and the members of the cluster, as Patroni tells of them: what is told, and when.

import { expect, test } from '@jest/globals';

import { systemClock } from '../../lib/base/clock.ts';
import { onStage, type Stage, until } from '../support/watcher/stage.ts';

const sleep = async (seconds: number) => {
  await systemClock.sleep(seconds * 1000);
};

const noticed = async (stage: Stage, start: string) =>
  await until(async () => (await stage.notices()).find((notice) => notice.startsWith(start)));

test.concurrent('a change of the members is told once more when all has been at rest', async () => {
  await onStage({}, async (stage) => {
    const told = async () =>
      (await stage.notices()).filter((notice) => notice.startsWith('test/cluster-changed'));
    await stage.answer({ '/cluster': [200, { members: [] }] });
    await noticed(stage, 'test/cluster-changed');
    await sleep(15);
    expect(await told()).toHaveLength(1);

    await sleep(15);
    expect(await told()).toHaveLength(2);
  });
});

test.concurrent('other members, or the same in another state, are told once they have settled', async () => {
  await onStage({}, async (stage) => {
    const member = { name: 'app-1', role: 'replica', state: 'streaming' };
    const members = [{ name: 'app-0', role: 'leader', state: 'running' }, member];
    await stage.answer({ '/cluster': [200, { members }] });

    expect(await noticed(stage, 'test/cluster-changed')).toBe('test/cluster-changed members=2');
    await stage.answer({ '/cluster': [200, { members: [...members].reverse() }] });
    await sleep(3);
    expect(await stage.notices()).toHaveLength(1);
  });
});
