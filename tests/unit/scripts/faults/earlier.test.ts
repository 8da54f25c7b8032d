import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterEach, beforeEach, expect, test } from '@jest/globals';

import { chooseFaults } from '../../../../scripts/faults/catalogue.ts';
import { inOrder, readEarlier } from '../../../../scripts/faults/earlier.ts';
import type { Result } from '../../../../scripts/faults/result.ts';

const result: Result = {
  fault: 'kill-patroni',
  target: 'primary',
  round: 1,
  at: '2026-11-21T12:00:00.000Z',
  write_gap_s: 0.5,
  acknowledged: 100,
  lost: 0,
  duplicated: 0,
  recovered: 3,
  new_primary: 'app-0',
  failed_over: false,
  statuses_right_s: null,
  members_agree: true,
  lock_returned: false,
  two_primaries: 0,
  load: 1.5,
  problem: null,
};
const replica: Result = { ...result, target: 'replica' };
const cut: Result = { ...result, fault: 'cut-60' };

let folder = '';
let file = '';

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'faults-'));
  file = path.join(folder, 'faults.json');
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

test('rows that are not played again stay as they are', async () => {
  await writeFile(file, JSON.stringify([result, replica, cut]));

  const earlier = await readEarlier(file, chooseFaults(['kill-patroni-primary']));

  expect(earlier).toEqual([replica, cut]);
});

test('without an earlier run there is nothing', async () => {
  expect(await readEarlier(file, [])).toEqual([]);
});

test.each(['[{"fault": "kill-patroni"}]', 'nothing'])(
  'other contents (%s) are not overwritten',
  async (content) => {
    await writeFile(file, content);

    await expect(readEarlier(file, [])).rejects.toThrow(`cannot go on with ${file}`);
  },
);

test('rows have the order of the catalogue, whoever was played first', () => {
  const second = { ...result, round: 2 };

  expect(inOrder([cut, replica, result, second])).toEqual([result, second, replica, cut]);
});
