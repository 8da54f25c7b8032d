// The watcher on a disk that fills: what it tells, what it does for clients and for a start, and when a
// primary that does not stay up gives way.

import { existsSync } from 'node:fs';
import { appendFile, chown, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { expect, test } from '@jest/globals';
import { execa } from 'execa';

import { repository } from '../../scripts/charms.ts';
import { asked, fences, noticed, sleep } from '../support/watcher/observe.ts';
import { endOf, onStage, type Stage, until } from '../support/watcher/stage.ts';

const mebibyte = 1024 * 1024;

/** Mounts a volume of its own, as large as told. */
const volumeOf = (mebibytes: number) => async (folder: string) => {
  await execa('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', folder]);
  return async () => {
    await execa('umount', [folder]);
  };
};

test.concurrent('a filling disk is told; the reserve is given up for a start only', async () => {
  await onStage({ mount: volumeOf(640) }, async (stage) => {
    const reserve = path.join(stage.volume, 'disk-reserve');
    const fill = async (name: string, mebibytes: number) =>
      await execa('fallocate', ['--length', `${mebibytes}MiB`, path.join(stage.volume, name)]);
    const seenIs = async (text: string) => {
      await until(async () =>
        JSON.stringify(await stage.seen()).includes(text) ? true : undefined,
      );
    };
    const levelIs = async (level: string) => {
      await seenIs(`"level":"${level}"`);
      return await stage.seen();
    };
    const sizeIs = async (mebibytes: number) => {
      await until(async () => {
        if (!existsSync(reserve)) return undefined;
        return (await stat(reserve)).size === mebibytes * mebibyte ? true : undefined;
      });
    };
    // It is there before it has its size.
    await sizeIs(48);
    expect((await stat(reserve)).mode & 0o777).toBe(0o600);
    expect(await levelIs('ok')).toMatchObject({
      disk: { level: 'ok', free_percent: 92, total: 640 * mebibyte },
    });

    await fill('table', 640 - 48 - 50);
    // It may have looked while the file was being made.
    await seenIs('"free_percent":7');
    expect(await levelIs('low')).toMatchObject({ disk: { free_percent: 7 } });
    await fill('wal', 30);
    await seenIs('"free_percent":3');
    expect(await levelIs('full')).toMatchObject({ disk: { free_percent: 3 } });
    await sleep(2);
    expect(existsSync(reserve)).toBe(true);

    stage.postmaster.kill('SIGKILL');
    await sizeIs(24);
    await sleep(1);
    await sizeIs(24);
    expect(await levelIs('full')).toMatchObject({ disk: { free_percent: 3, read_only: false } });
    await appendFile(
      path.join(stage.volume, 'patroni.yml'),
      'postgresql:\n  parameters:\n    default_transaction_read_only: "yes"\n',
    );
    await until(async () => (existsSync(reserve) ? undefined : true));
    // What it has seen is written down after what it has done.
    await seenIs('"read_only":true');
    expect(await levelIs('full')).toMatchObject({ disk: { free_percent: 3, read_only: true } });

    // The space comes back bit by bit: looked at meanwhile, the disk would only be low.
    stage.watcher.kill('SIGSTOP');
    await rm(path.join(stage.volume, 'table'));
    stage.watcher.kill('SIGCONT');
    await levelIs('ok');
    await sizeIs(48);
    expect(await noticed(stage, 'test/disk-space level=ok')).toBeDefined();
    const told = (await stage.notices()).filter((notice) => notice.includes('disk-space'));
    expect(told).toEqual(['low', 'full', 'ok'].map((level) => `test/disk-space level=${level}`));
  });
});

/** Leaves so little of the volume that it counts as full. */
async function fillUp(stage: Stage): Promise<void> {
  const reserve = path.join(stage.volume, 'disk-reserve');
  await until(async () => (existsSync(reserve) ? true : undefined));
  const wal = path.join(stage.volume, 'wal');
  await execa('fallocate', ['--length', `${640 - 48 - 20}MiB`, wal]);
  await until(async () =>
    JSON.stringify(await stage.seen()).includes('"level":"full"') ? true : undefined,
  );
}

test.concurrent('on a full disk clients may only read before any hook comes', async () => {
  await onStage({ mount: volumeOf(640) }, async (stage) => {
    const config = path.join(stage.volume, 'patroni.yml');
    const given = await readFile(path.join(repository, 'tests/golden/patroni.yml'), 'utf8');
    const wanted = given.replace('_read_only: "off"', '_read_only: "yes"');
    await writeFile(config, given);
    await chown(config, 12_345, 12_346);
    expect(wanted).not.toBe(given);
    await fillUp(stage);

    await until(async () => ((await readFile(config, 'utf8')) === wanted ? true : undefined));
    const { uid, gid, mode } = await stat(config);
    expect([uid, gid, mode & 0o777]).toEqual([12_345, 12_346, 0o600]);
    await until(async () => (await stage.requests()).includes('POST /reload {}') || undefined);
    await until(async () =>
      JSON.stringify(await stage.seen()).includes('"read_only":true') ? true : undefined,
    );

    // With that the whole reserve goes as soon as PostgreSQL is down.
    stage.postmaster.kill('SIGKILL');
    const reserve = path.join(stage.volume, 'disk-reserve');
    await until(async () => (existsSync(reserve) ? undefined : true));
    const reloads = (await stage.requests()).filter((line) => line.startsWith('POST'));
    expect(reloads).toHaveLength(1);
    await rm(path.join(stage.volume, 'wal'));
    await until(async () =>
      JSON.stringify(await stage.seen()).includes('"level":"ok"') ? true : undefined,
    );
    await sleep(1);
    expect(await readFile(config, 'utf8')).toBe(wanted);
  });
});

test.concurrent('what the operator lets clients only do is no answer to a full disk', async () => {
  await onStage({ mount: volumeOf(640) }, async (stage) => {
    const config = path.join(stage.volume, 'patroni.yml');
    await appendFile(config, 'parameters:\n  default_transaction_read_only: "on"\n');
    const given = await readFile(config, 'utf8');
    const lets = async () => JSON.stringify((await stage.seen())['disk']);
    await until(async () => ((await lets()).includes('"read_only":false') ? true : undefined));
    await fillUp(stage);
    await sleep(2);

    expect(await lets()).toContain('"read_only":false');
    expect(await readFile(config, 'utf8')).toBe(given);
    // Nobody writes: with a PostgreSQL that is down the whole reserve goes.
    stage.postmaster.kill('SIGKILL');
    const reserve = path.join(stage.volume, 'disk-reserve');
    await until(async () => (existsSync(reserve) ? undefined : true));
  });
});

test.concurrent('a Patroni that does not answer is told later to read its file', async () => {
  await onStage({ mount: volumeOf(640) }, async (stage) => {
    const config = path.join(stage.volume, 'patroni.yml');
    await appendFile(config, 'parameters:\n  default_transaction_read_only: "off"\n');
    await stage.answer({ '/reload': [503, ''] });
    await fillUp(stage);
    const reloads = async () =>
      (await stage.requests()).filter((line) => line === 'POST /reload {}').length;
    await until(async () => ((await reloads()) > 1 ? true : undefined));

    await stage.answer({ '/reload': [202, ''] });
    await asked(stage);
    const before = await reloads();
    await asked(stage);
    expect(await reloads()).toBe(before);
  });
});

const led = (own: string, other: string, state = 'streaming') => ({
  members: [
    { name: 'app-0', role: own, state: 'running' },
    { name: 'app-1', role: other, state },
  ],
});

const handedOver = 'test/fenced reason=the disk is full and PostgreSQL does not stay up';

test.concurrent.each(['sync_standby', 'quorum_standby'])(
  'a primary that is down on a full disk gives way to a %s',
  async (role) => {
    await onStage({ mount: volumeOf(640) }, async (stage) => {
      await stage.answer({ '/cluster': [200, led('leader', role)] });
      await asked(stage);
      await fillUp(stage);
      await sleep(3);
      expect(await fences(stage)).toEqual([]);
      stage.postmaster.kill('SIGKILL');
      await sleep(12);
      expect(endOf(stage.patroni)).toBeUndefined();

      expect(await until(async () => await Promise.resolve(endOf(stage.patroni)))).toBe('SIGTERM');
      expect(await noticed(stage, 'test/fenced')).toBe(handedOver);
    });
  },
);

test.concurrent('so does one that is up and crashes again and again', async () => {
  await onStage({ mount: volumeOf(640) }, async (stage) => {
    const title = 'postgres: app: checkpointer ';
    // It is back each time, and stays for longer than what counts as up.
    const crash = async () => {
      stage.child('+', title);
      await sleep(13);
      expect(endOf(stage.patroni)).toBeUndefined();
      stage.child('-', title);
      await sleep(1);
      stage.child('+', `${title}of a recovery`);
      await sleep(1);
      stage.child('-', `${title}of a recovery`);
    };
    await stage.answer({ '/cluster': [200, led('leader', 'sync_standby')] });
    await asked(stage);
    await fillUp(stage);
    for (let time = 0; time < 3; time += 1) await crash();

    const soonMs = 3_000;
    const signal = await until(async () => await Promise.resolve(endOf(stage.patroni)), soonMs);
    expect(signal).toBe('SIGTERM');
    expect(await noticed(stage, 'test/fenced')).toBe(handedOver);
    expect(endOf(stage.postmaster)).toBeUndefined();
  });
});

test.concurrent.each([
  { why: 'nobody has all that was acknowledged', cluster: led('leader', 'replica') },
  { why: 'who has is down', cluster: led('leader', 'sync_standby', 'stopped') },
  { why: 'somebody else leads', cluster: led('sync_standby', 'leader') },
  { why: 'failover is paused', cluster: { ...led('leader', 'sync_standby'), pause: true } },
  { why: 'it is a standby', cluster: led('leader', 'sync_standby'), standby: true },
  { why: 'there is space', cluster: led('leader', 'sync_standby'), space: true },
])('it does not when $why', async ({ cluster, standby = false, space = false }) => {
  await onStage({ mount: volumeOf(640), standby }, async (stage) => {
    await stage.answer({ '/cluster': [200, cluster] });
    await asked(stage);
    if (!space) await fillUp(stage);
    stage.postmaster.kill('SIGKILL');
    await sleep(25);

    expect(endOf(stage.patroni)).toBeUndefined();
    expect(await fences(stage)).toEqual([]);
  });
});
