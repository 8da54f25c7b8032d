// The watcher's thread that looks at files: WAL that waits for its archive, and how large logs may be.

import { readdir, rm, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { expect, test } from '@jest/globals';

import { systemClock } from '../../lib/base/clock.ts';
import { heldArchiveCommand } from '../../src/core/render/patroni.ts';
import { asked, noticed, sleep } from '../support/watcher/observe.ts';
import { onStage, patienceS, type Stage, ttlS, until } from '../support/watcher/stage.ts';

/** For so long an archive may take nothing here. */
const stillS = 12 * patienceS;

/** Segments that wait for their archive for longer than nothing may go, by their times. */
async function backlog(stage: Stage, count: number) {
  const folder = path.join(stage.data, 'pg_wal/archive_status');
  const at = (number: number) => path.join(folder, `${String(number).padStart(24, '0')}.ready`);
  const add = async (number: number) => {
    const past = new Date(systemClock.nowMs() - 90_000);
    await writeFile(at(number), '');
    await utimes(at(number), past, past);
  };
  for (let number = 1; number <= count; number += 1) await add(number);
  return { folder, at, add };
}

test.concurrent('an archive that takes nothing is told, and that it takes something again', async () => {
  await onStage({}, async (stage) => {
    const { folder, at } = await backlog(stage, 2);
    await writeFile(path.join(folder, '000000000000000000000009.done'), '');
    await sleep(0.75 * stillS);
    expect(await stage.notices()).toEqual([]);

    const told = await until(async () => (await stage.notices())[0], 8_000);
    expect(told).toBe('test/archiving-failed waiting=2');
    expect(await stage.seen()).toMatchObject({ archive: { waiting: 2, failing: true } });
    await rm(at(1));
    expect(await noticed(stage, 'test/archiving-recovered')).toBe(
      'test/archiving-recovered waiting=1',
    );
  });
});

const archivingBy = (command: string) =>
  ({
    '/config': [200, { ttl: ttlS, postgresql: { parameters: { archive_command: command } } }],
  }) as const;

test.concurrent('WAL that is held on purpose is none that cannot be archived, until it is released', async () => {
  const answers = archivingBy(heldArchiveCommand);
  await onStage({ answers, lagS: stillS + 2 }, async (stage) => {
    await backlog(stage, 2);
    await sleep(stillS + 4);
    expect(await stage.notices()).toEqual([]);
    expect(await stage.seen()).toMatchObject({ archive: { waiting: 2, failing: false } });

    await stage.answer(archivingBy('pgbackrest archive-push %p'));
    await asked(stage, '/config', 1);
    await sleep(0.75 * stillS);
    expect(await stage.notices()).toEqual([]);
    const told = await until(async () => (await stage.notices())[0], 8_000);
    expect(told).toBe('test/archiving-failed waiting=2');
  });
});

test.concurrent('an archive that has much to take is not taken for one that fails', async () => {
  await onStage({}, async (stage) => {
    const { at, add } = await backlog(stage, 5);
    for (let number = 1; number <= 20; number += 1) {
      await sleep(0.8 * patienceS);
      await rm(at(number));
      await add(number + 5);
      await add(number + 100);
    }

    expect(await stage.notices()).toEqual([]);
    expect(await stage.seen()).toMatchObject({ archive: { failing: false } });
  });
});

test.concurrent('an archive that falls behind is told, although something goes all the time', async () => {
  await onStage({ lagS: 10 }, async (stage) => {
    const { folder, at, add } = await backlog(stage, 3);
    // Two come for each that goes.
    for (let step = 1; (await stage.notices()).length === 0; step += 1) {
      expect(step).toBeLessThan(90);
      await sleep(1);
      await add(2 * step + 2);
      await add(2 * step + 3);
      await rm(at(step));
    }
    expect((await stage.notices())[0]).toMatch(/^test\/archiving-lags waiting=\d\d$/);
    expect(await stage.seen()).toMatchObject({ archive: { failing: false, lags: true } });

    for (const name of await readdir(folder)) await rm(path.join(folder, name));
    expect(await noticed(stage, 'test/archiving-recovered')).toBe(
      'test/archiving-recovered waiting=0',
    );
    expect(await stage.seen()).toMatchObject({ archive: { lags: false } });
  });
});

// The watcher looks at logs once a minute, and when it starts.
const logsAre = async (stage: Stage, names: readonly string[]) => {
  await until(async () => {
    const found = (await readdir(stage.logs)).toSorted();
    return found.join() === names.join() ? true : undefined;
  });
};

test.concurrent('logs beyond the limit go, oldest first, but none that is open', async () => {
  const logs = [
    { name: 'patroni-output.log', megabytes: 100, hours: 30 },
    { name: 'postgresql-Mon_0000.log', megabytes: 100, hours: 20 },
    { name: 'postgresql-Mon_0100.log', megabytes: 100, hours: 19 },
    { name: 'postgresql-Mon_0200.log', megabytes: 250, hours: 18 },
    { name: 'postgresql-Mon_0300.log', megabytes: 60, hours: 17 },
    { name: 'patroni.log', megabytes: 150, hours: 0 },
  ];
  await onStage({ logs, logsInto: 'postgresql-Mon_0000.log' }, async (stage) => {
    await logsAre(stage, [
      'patroni-output.log',
      'patroni.log',
      'postgresql-Mon_0000.log',
      'postgresql-Mon_0300.log',
    ]);
  });
});

test.concurrent('the newest log of PostgreSQL stays, which may be open already, whatever it takes', async () => {
  const logs = [
    { name: 'postgresql-Mon_0000.log', megabytes: 10, hours: 3 },
    { name: 'postgresql-Mon_0100.log', megabytes: 900, hours: 2 },
    { name: 'patroni.log.1', megabytes: 10, hours: 1 },
  ];
  await onStage({ logs }, async (stage) => {
    await logsAre(stage, ['postgresql-Mon_0100.log']);
  });
});

test.concurrent('a log goes before its name comes again', async () => {
  const logs = [
    { name: 'patroni.log.1', megabytes: 1, hours: 170 },
    { name: 'postgresql-Mon_0000.log', megabytes: 1, hours: 145 },
    { name: 'postgresql-Mon_0100.log', megabytes: 1, hours: 143 },
    { name: 'postgresql-Sun_0100.log', megabytes: 1, hours: 1 },
  ];
  await onStage({ logs }, async (stage) => {
    await logsAre(stage, ['patroni.log.1', 'postgresql-Mon_0100.log', 'postgresql-Sun_0100.log']);
  });
});
