import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
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
  recovered: true,
  recovered_s: 3,
  new_primary: 'app-0',
  failed_over: false,
  statuses_right_s: null,
  labels_right_s: null,
  endpoints_right_s: null,
  right_in_time: null,
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
let said: string[] = [];
const say = (text: string): void => {
  said.push(text);
};

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'faults-'));
  file = path.join(folder, 'faults.json');
  said = [];
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

test('rows that are not played again stay as they are', async () => {
  await writeFile(file, JSON.stringify([result, replica, cut]));

  const earlier = await readEarlier(file, chooseFaults(['kill-patroni-primary']), say);

  expect(earlier).toEqual([replica, cut]);
  expect(said).toEqual([]);
});

test('without an earlier run there is nothing', async () => {
  expect(await readEarlier(file, [], say)).toEqual([]);
});

const { recovered_s: _seconds, ...shared } = result;

test.each([
  { summary: 'other rows', content: '[{"fault": "kill-patroni"}]' },
  { summary: 'no list', content: 'nothing' },
  {
    summary: 'what earlier versions wrote',
    content: JSON.stringify([{ ...shared, recovered: 3 }]),
  },
])('a file of another shape is put aside, unharmed and not in silence: $summary', async (row) => {
  await writeFile(file, row.content);

  expect(await readEarlier(file, [], say)).toEqual([]);

  const [aside = '', ...others] = await readdir(folder);
  expect(others).toEqual([]);
  expect(aside).toMatch(/^faults-until-\d{4}-\d\d-\d\dT[\d.-]+Z\.json$/);
  expect(await readFile(path.join(folder, aside), 'utf8')).toBe(row.content);
  expect(said).toEqual([
    `faults.json has other contents than this version writes: it is ${aside} now`,
  ]);
});

test('rows have the order of the catalogue, whoever was played first', () => {
  const second = { ...result, round: 2 };

  expect(inOrder([cut, replica, result, second])).toEqual([result, second, replica, cut]);
});
