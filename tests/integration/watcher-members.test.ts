// The watcher and the members of the cluster, as Patroni tells of them: what is told, and when.

import { expect, test } from '@jest/globals';

import { noticed, sleep } from '../support/watcher/observe.ts';
import { onStage, type Stage, until } from '../support/watcher/stage.ts';

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

const idleOf = async (stage: Stage) => (await stage.seen())['idle'];

test.concurrent('a primary notes since when replicas are up without streaming', async () => {
  await onStage({}, async (stage) => {
    const leader = { name: 'app-0', role: 'leader', state: 'running' };
    const following = (...states: readonly string[]) =>
      states.map((state, index) => ({ name: `app-${index + 1}`, role: 'replica', state }));
    const list = async (...members: readonly object[]) => {
      await stage.answer({ '/cluster': [200, { members }] });
    };
    await list(leader, ...following('streaming', 'running', 'start failed'));
    const first = await until(async () => await idleOf(stage));
    expect(first).toEqual({ 'app-2': expect.stringMatching(/^20.*Z$/) });

    await sleep(1.1);
    await list(leader, ...following('in archive recovery', 'running', 'stopped'));
    const both = await until(async () => {
      const idle = await idleOf(stage);
      return JSON.stringify(idle) === JSON.stringify(first) ? undefined : idle;
    });
    expect(both).toEqual({ 'app-1': expect.stringMatching(/^20.*Z$/), ...Object(first) });

    await list(leader, ...following('streaming', 'streaming', 'streaming'));
    await until(async () => ((await idleOf(stage)) === undefined ? true : undefined));
  });
});

test.concurrent('who does not lead notes nothing of that', async () => {
  await onStage({}, async (stage) => {
    const own = { name: 'app-0', role: 'leader', state: 'running' };
    const other = { name: 'app-1', role: 'replica', state: 'running' };
    await stage.answer({ '/cluster': [200, { members: [own, other] }] });
    await until(async () => await idleOf(stage));

    const led = [
      { ...own, role: 'replica' },
      { ...other, role: 'leader' },
    ];
    await stage.answer({ '/cluster': [200, { members: led }] });
    await until(async () => ((await idleOf(stage)) === undefined ? true : undefined));
  });
});
