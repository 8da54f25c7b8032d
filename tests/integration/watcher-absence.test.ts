// A primary without Patroni: killed when the leader lock has run out and another member may lead, and
// above all when not.

import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { expect, test } from '@jest/globals';

import { asked, fences, sleep } from '../support/watcher/observe.ts';
import { endOf, onStage, type Stage, ttlS, until } from '../support/watcher/stage.ts';

const two = {
  members: [
    { name: 'app-0', role: 'leader', state: 'running' },
    { name: 'app-1', role: 'sync_standby', state: 'streaming' },
  ],
};

/** Has the watcher know this cluster. */
async function know(stage: Stage, cluster: object): Promise<void> {
  await stage.answer({ '/cluster': [200, cluster] });
  await asked(stage);
}

test.concurrent.each<[string, NodeJS.Signals]>([
  ['opens its port', 'SIGUSR1'],
  ['runs', 'SIGKILL'],
])('a primary is killed when no Patroni %s for as long as the lock lives', async (_, signal) => {
  await onStage({}, async (stage) => {
    await know(stage, two);
    stage.patroni.kill(signal);
    await sleep(ttlS - 1);
    expect(endOf(stage.postmaster)).toBeUndefined();

    expect(await until(async () => await Promise.resolve(endOf(stage.postmaster)))).toBe('SIGKILL');
    await until(async () => (await fences(stage)).length > 0 || undefined);
    expect(endOf(stage.patroni)).toBe(signal === 'SIGKILL' ? signal : undefined);
    await sleep(2);
    const told = await fences(stage);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^test\/fenced reason=a primary was without Patroni for \d+ s$/);
  });
});

test.concurrent('a Patroni that is back in time ends it', async () => {
  await onStage({}, async (stage) => {
    await know(stage, two);
    for (let time = 0; time < 2; time += 1) {
      stage.patroni.kill('SIGUSR1');
      await sleep(ttlS - 2);
      stage.patroni.kill('SIGUSR2');
      await sleep(4);
    }

    expect(await fences(stage)).toEqual([]);
    expect(endOf(stage.postmaster)).toBeUndefined();
  });
});

test.concurrent('answers that make no sense are no absence', async () => {
  await onStage({}, async (stage) => {
    await know(stage, two);
    await stage.answer({ '/liveness': [503, ''], '/cluster': [200, { members: 'none' }] });
    stage.patroni.kill('SIGUSR1');
    await sleep(ttlS / 2);
    stage.patroni.kill('SIGUSR2');
    await sleep(ttlS + 2);

    expect(await fences(stage)).toEqual([]);
    expect(endOf(stage.postmaster)).toBeUndefined();
  });
});

const mark = async (stage: Stage) => {
  await writeFile(path.join(stage.volume, 'restore.json'), '{}');
};

const stopping = async ({ data }: Stage) => {
  const file = path.join(data, 'postmaster.pid');
  const lines = (await readFile(file, 'utf8')).trim().split('\n');
  const more = ['1700000000', '5432', '/tmp', '*', '  1234567', 'stopping'];
  await writeFile(file, `${[...lines, ...more].join('\n')}\n`);
};

interface Case {
  readonly why: string;
  readonly cluster?: object;
  readonly standby?: boolean;
  readonly prepare?: (stage: Stage) => Promise<void>;
}

test.concurrent.each<Case>([
  { why: 'replicates', standby: true },
  { why: 'is the only one', cluster: { members: two.members.slice(0, 1) } },
  { why: 'was paused when Patroni was last seen', cluster: { ...two, pause: true } },
  { why: 'is being restored', prepare: mark },
  { why: 'writes its last checkpoint', prepare: stopping },
])('a member that $why goes on', async ({ cluster = two, standby = false, prepare }) => {
  await onStage({ standby }, async (stage) => {
    if (standby) stage.child('+', 'postgres: app: walreceiver streaming 0/3000148');
    await know(stage, cluster);
    await prepare?.(stage);
    stage.patroni.kill('SIGKILL');
    await sleep(ttlS + 5);

    expect(await fences(stage)).toEqual([]);
    expect(endOf(stage.postmaster)).toBeUndefined();
  });
});

test.concurrent('what a file holds, and whether it can be read, ends no look at others', async () => {
  await onStage({}, async (stage) => {
    const lock = path.join(stage.data, 'postmaster.pid');
    await writeFile(lock, Uint8Array.of(0xff, 0xfe));
    const troubles = () => stage.said().match(/cannot look at files: .*/g) ?? [];
    await until(async () => await Promise.resolve(troubles().length > 0 || undefined));
    await sleep(3);
    expect(troubles()).toEqual([expect.stringContaining('UnicodeDecodeError')]);
    expect(await stage.seen()).toMatchObject({ troubles: troubles() });

    await rm(lock);
    await rm(stage.data, { recursive: true });
    await until(async () => await Promise.resolve(endOf(stage.postmaster)));
    await until(async () => ('down' in (await stage.seen()) ? true : undefined));
    expect(JSON.stringify(await stage.seen())).not.toContain('troubles');
  });
});
