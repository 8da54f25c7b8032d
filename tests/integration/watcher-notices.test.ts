// The watcher's notices, without which nobody wakes the charm: nothing that is written into its FIFO, and
// no Pebble that fails for a while, ends them.

import { appendFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { expect, test } from '@jest/globals';

import { onStage, type Stage, until } from '../support/watcher/stage.ts';

const beside = (stage: Stage, name: string) => path.join(path.dirname(stage.volume), name);

const noticesAre = async (stage: Stage, wanted: readonly string[]) => {
  await until(async () => ((await stage.notices()).length >= wanted.length ? true : undefined));
  expect(await stage.notices()).toEqual(wanted);
};

const nonsense = [
  'on_start\0 replica',
  'on_start replica\0',
  'on_start \u0007',
  'on_st\u001B[31mart replica',
  'on_START replica',
  'on__start replica',
  'on_ replica',
  'on_start replica=primary',
  'on_start --help',
  `on_start ${'a'.repeat(100)}`,
  `on_${'a'.repeat(300)}`,
  'something else',
];

test.concurrent('lines that no callback writes are dropped, and those after them told', async () => {
  await onStage({}, async (stage) => {
    await appendFile(beside(stage, 'fifo'), `${nonsense.join('\n')}\n`);
    // It has no end.
    await appendFile(beside(stage, 'fifo'), 'on_start '.repeat(1000));
    await appendFile(beside(stage, 'fifo'), '\n');
    await stage.callback('on_stop', 'standby_leader');
    await stage.callback('on_role_change', '');

    await noticesAre(stage, ['test/on-stop role=standby_leader', 'test/on-role-change role=']);
  });
});

/** A Pebble that refuses notices of which the file `refuses` tells, and notes down when it did. */
const unwilling = (stage: Stage) => `#!/bin/sh
shift
if printf '%s' "$*" | grep -qf ${beside(stage, 'refuses')}; then
  date +%s.%N >> ${beside(stage, 'refused')}
  echo 'no daemon' >&2
  exit 1
fi
printf '%s\\n' "$*" >> ${beside(stage, 'notices')}
`;

test.concurrent('what could not be sent is tried again, less and less often, and holds up nothing', async () => {
  await onStage({}, async (stage) => {
    const refused = async () =>
      (await readFile(beside(stage, 'refused'), 'utf8')).trim().split('\n').map(Number);
    await writeFile(beside(stage, 'refused'), '');
    await writeFile(beside(stage, 'refuses'), 'on-start');
    await writeFile(beside(stage, 'pebble'), unwilling(stage));
    await stage.callback('on_start', 'replica');
    await stage.callback('on_start', 'primary');
    await stage.callback('on_stop', 'primary');

    await noticesAre(stage, ['test/on-stop role=primary']);
    // Each as it comes, and the latter after one, two and four seconds.
    const times = await until(async () => {
      const found = await refused();
      return found.length === 5 ? found : undefined;
    });
    const [, , first = 0, second = 0, third = 0] = times;
    expect(third - second).toBeGreaterThan(1.5 * (second - first));

    await writeFile(beside(stage, 'refuses'), 'nothing');
    await noticesAre(stage, ['test/on-stop role=primary', 'test/on-start role=primary']);
    expect(stage.said().split('cannot send notice test/on-start: no daemon')).toHaveLength(2);
  });
});
