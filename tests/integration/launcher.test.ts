// The program that starts Patroni, with a stand-in for Patroni: a takeover of the leader lock depends
// on what its loop has looked at, whoever asks in between.

import path from 'node:path';

import { expect, test } from '@jest/globals';
import { execa } from 'execa';

import { repository } from '../../scripts/charms.ts';

const standIn = path.join(repository, 'tests', 'support', 'launcher');
const launcher = path.join(repository, 'src', 'static', 'patroni-launcher.py');

async function start(...command: readonly string[]) {
  const { stdout, exitCode } = await execa('python3', ['-B', ...command, 'patroni.yml'], {
    env: { PYTHONPATH: standIn },
    reject: false,
  });
  const answer: unknown = JSON.parse(stdout);
  return { answer, exitCode };
}

test('started as it is, a request in between makes a candidate take the lock of somebody else', async () => {
  const { answer } = await start('-m', 'patroni');

  expect(answer).toMatchObject({ taken: true, leader: 'the candidate' });
});

test('started by the launcher, the lock stays where it is, and the loop sees so', async () => {
  const { answer, exitCode } = await start(launcher);

  expect(answer).toEqual({
    config: 'patroni.yml',
    taken: false,
    leader: 'somebody else',
    seen: 'somebody else',
  });
  expect(exitCode).toBe(3);
});
