// The program that starts Patroni, with a stand-in for Patroni: a takeover of the leader lock depends
// on what its loop has looked at, whoever asks in between; the waits of a handover end when what they
// are for has come, not before; and a leader is followed while it has the lock.

import path from 'node:path';

import { describe, expect, test } from '@jest/globals';
import { execa } from 'execa';
import * as v from 'valibot';

import { repository } from '../../scripts/charms.ts';

const standIn = path.join(repository, 'tests', 'support', 'launcher');
const launcher = path.join(repository, 'src', 'static', 'patroni-launcher.py');

interface Run {
  readonly scene: string;
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

async function start({ scene, command = [launcher], env = {} }: Run) {
  const { stdout, exitCode } = await execa('python3', ['-B', ...command, scene], {
    env: { PYTHONPATH: standIn, ...env },
    reject: false,
  });
  const lines = stdout.split('\n');
  return { answer: parse(lines.at(-1)), said: lines.slice(0, -1).join('\n'), exitCode };
}

function parse(line: string | undefined): Readonly<Record<string, unknown>> {
  return v.parse(v.record(v.string(), v.unknown()), JSON.parse(line ?? ''));
}

const asItIs = ['-m', 'patroni'];

test('started as it is, a request in between makes a candidate take the lock of somebody else', async () => {
  const { answer } = await start({ scene: 'takeover', command: asItIs });

  expect(answer).toMatchObject({ taken: true, leader: 'the candidate' });
});

test('started by the launcher, the lock stays where it is, and the loop sees so', async () => {
  const { answer, said, exitCode } = await start({ scene: 'takeover' });

  expect(answer).toEqual({
    config: 'takeover',
    taken: false,
    leader: 'somebody else',
    seen: 'somebody else',
  });
  expect(said).toBe('');
  expect(exitCode).toBe(3);
});

const cut = (atLeast = 0) => ({ atLeast, wholeTime: false });
const whole = (atLeast: number) => ({ atLeast, wholeTime: true });
const own = ['this address'];
const candidates = ['its address'];

const handovers = [
  {
    summary: 'a standby follows as soon as somebody has the lock',
    scene: 'process_unhealthy_cluster:taken',
    expected: { waits: [cut()] },
  },
  {
    summary: 'a standby waits as long as ever for a lock that nobody takes',
    scene: 'process_unhealthy_cluster',
    expected: { waits: [whole(2)] },
  },
  {
    summary: 'a standby that cannot see the lock waits as long as ever',
    scene: 'process_unhealthy_cluster:unreachable:taken',
    expected: { waits: [whole(2)] },
  },
  {
    summary: 'the former primary goes when all is received, comes back after clients have moved',
    scene: 'demote:received:taken:promoted',
    expected: { waits: [cut(), cut(1)], addressWhenFree: own, address: candidates },
  },
  {
    summary: 'the former primary waits for the next one to be promoted',
    scene: 'demote:received:taken',
    expected: { waits: [cut(), whole(2)], addressWhenFree: own, address: candidates },
  },
  {
    summary: 'standbys get all the time that they ever got to receive the end',
    scene: 'demote:taken:promoted',
    expected: { waits: [whole(1), cut(1)], addressWhenFree: own, address: candidates },
  },
  {
    summary: 'nobody is led to a former primary whose lock nobody takes',
    scene: 'demote:received',
    expected: { waits: [cut(), whole(2)], addressWhenFree: own, address: [] },
  },
  {
    summary: 'a former primary that is shut down takes its address away',
    scene: 'shutdown:received',
    expected: { waits: [cut()], addressWhenFree: [], address: [] },
  },
  {
    summary: 'waits outside a handover are as they were',
    scene: 'anything_else:taken:received',
    expected: { waits: [whole(1)] },
  },
];
describe('a handover', () => {
  test.concurrent.each(handovers)('$summary', async ({ scene, expected }) => {
    const { answer, said } = await start({ scene: `handover:${scene}` });

    expect(answer).toMatchObject(expected);
    expect(said).toBe('');
  });

  test.concurrent('what cannot be seen is waited for as long as ever, and said', async () => {
    const { answer, said } = await start({ scene: 'handover:demote:gone:taken:promoted' });

    expect(answer).toMatchObject({ waits: [whole(1), cut(1)], address: candidates });
    expect(said).toContain('cannot see whether the handover is over');
  });

  test.concurrent('Patroni as it is waits its whole time, and takes the address away', async () => {
    const scene = 'handover:demote:received:taken:promoted';
    const { answer } = await start({ scene, command: asItIs });

    expect(answer).toMatchObject({ waits: [whole(1), whole(2)], addressWhenFree: [] });
  });
});

test('PostgreSQL that starts, stops or is promoted is looked at five times a second', async () => {
  const before = await start({ scene: 'looks', command: asItIs });
  const { answer } = await start({ scene: 'looks' });

  expect(before.answer).toMatchObject({ stop: 1, loop: [5, 1] });
  expect(answer).toMatchObject({ stop: 0.2, loop: [5, 0.2] });
});

test('a leader is followed where it was last, when its pod is not listed any more', async () => {
  const before = await start({ scene: 'pods', command: asItIs });
  const { answer, said } = await start({ scene: 'pods' });

  const [here, gone, other, nobody, back, again] = [
    ['one', "one's address"],
    ['one', null],
    ['two', null],
    [null, null],
    ['one', null],
    ['one', "one's new address"],
  ];
  expect(before.answer['found']).toEqual([here, gone, other, nobody, back, again]);
  expect(answer['found']).toEqual([here, here, other, nobody, here, again]);
  expect(said).toBe('');
});

test('a Patroni that ends refuses connections instead of leaving them without an answer', async () => {
  const before = await start({ scene: 'ending', command: asItIs });
  const { answer, said } = await start({ scene: 'ending' });

  expect(before.answer).toMatchObject({ met: 'TimeoutError' });
  expect(answer).toMatchObject({ met: 'ConnectionRefusedError' });
  expect(said).toBe('');
});

test('a Patroni that is another is said to be, and starts as it is', async () => {
  const { answer, said, exitCode } = await start({
    scene: 'looks',
    env: { PATRONI_IS_ANOTHER: 'yes' },
  });

  expect(answer).toMatchObject({ stop: 1 });
  expect(said).toBe('Patroni is another now: no demote');
  expect(exitCode).toBe(3);
});
