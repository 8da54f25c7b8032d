// When a replica is restarted or cloned anew, and above all when it is not.

import { expect, test } from '@jest/globals';

import {
  type Attempt,
  attemptsThatCount,
  decideRepair,
  type RepairView,
} from '../../../../src/core/repair.ts';
import { followReplay, type RepairMember } from '../../../../src/core/trouble.ts';

const minuteMs = 60_000;
const nowMs = 10_000 * minuteMs;
const leader = { name: 'app-0', leads: true, state: 'running', timeline: 3 };
const follower = { name: 'app-1', leads: false, timeline: 3 };

const still = (minutes: number) => ({ location: 7, sinceMs: nowMs - minutes * minuteMs });

const view = (change: Partial<RepairView>): RepairView => {
  const own = change.own ?? { ...follower, state: 'running' };
  return {
    own,
    members: [leader, own],
    paused: false,
    seen: { fences: [], brokenAtMs: nowMs - 5 * minuteMs },
    attempts: [],
    replay: still(5),
    nowMs,
    ...change,
  };
};

const brokenFor = (minutes: number) => ({ fences: [], brokenAtMs: nowMs - minutes * minuteMs });
const downFor = (minutes: number, starts = 3) => ({
  fences: [],
  down: { atMs: nowMs - minutes * minuteMs, starts, control: true },
});
const emptyFor = (seconds: number) => ({
  fences: [],
  down: { atMs: nowMs - seconds * 1_000, starts: 0, control: false },
});
const refusedFor = (minutes: number, refusal: string) => ({
  fences: [],
  down: { ...downFor(minutes, 0).down, refusal },
});
const tried = (kind: Attempt['kind'], minutesAgo: number): Attempt => ({
  kind,
  atMs: nowMs - minutesAgo * minuteMs,
});
const streams = { ...follower, state: 'streaming' };
const noWal = 'it gets no WAL from its primary';
const failed = { ...follower, state: 'start failed' };
const noStart = 'PostgreSQL cannot be started';
const among = (other: RepairMember, own: RepairMember) => ({ own, members: [leader, other, own] });
const noData = 'its data directory is no database';

const steps: readonly (readonly [string, Partial<RepairView>, object])[] = [
  [
    'is restarted when it has not followed for a minute',
    { seen: brokenFor(1) },
    { kind: 'restart', reason: noWal, leader: 'app-0', loses: 'data' },
  ],
  [
    'is cloned when a restart has not helped',
    { seen: brokenFor(4), attempts: [tried('restart', 3)] },
    { kind: 'clone', reason: noWal, leader: 'app-0', loses: 'data' },
  ],
  [
    'is cloned when it waits for WAL of its former timeline that its primary will never have',
    { own: { ...follower, state: 'streaming', timeline: 2 }, seen: brokenFor(3) },
    {
      kind: 'clone',
      reason: 'it has WAL that its primary does not have',
      leader: 'app-0',
      loses: 'beyond-repair',
    },
  ],
  [
    'is cloned without a restart when it cannot be started',
    { own: failed, seen: downFor(3) },
    { kind: 'clone', reason: noStart, leader: 'app-0', loses: 'data' },
  ],
  [
    'is cloned at once when its data directory is no database',
    { own: { ...follower, state: 'stopped' }, seen: emptyFor(10) },
    { kind: 'clone', reason: noData, leader: 'app-0', loses: 'nothing' },
  ],
  [
    'is cloned as often as its data are gone',
    {
      own: failed,
      seen: emptyFor(70),
      attempts: [40, 20, 5, 1].map((ago) => tried('clone', ago)),
    },
    { kind: 'clone', reason: noData, leader: 'app-0', loses: 'nothing' },
  ],
  [
    'is cloned when PostgreSQL refuses its data, however often it was started',
    { own: failed, seen: refusedFor(3, 'database files are incompatible with server') },
    { kind: 'clone', reason: noStart, leader: 'app-0', loses: 'beyond-repair' },
  ],
  [
    'is cloned when its disk is full: old WAL goes with the old copy',
    {
      own: failed,
      seen: {
        ...downFor(3),
        disk: { level: 'full', freePercent: 0, totalBytes: 1, readOnly: true },
      },
    },
    { kind: 'clone', reason: noStart, leader: 'app-0', loses: 'data' },
  ],
  [
    'is cloned while another vain start is under way',
    { own: { ...follower, state: 'starting' }, seen: downFor(3) },
    { kind: 'clone', reason: noStart, leader: 'app-0', loses: 'data' },
  ],
  [
    'is cloned again later',
    { own: failed, seen: downFor(20), attempts: [tried('clone', 6)] },
    { kind: 'clone', reason: noStart, leader: 'app-0', loses: 'data' },
  ],
  [
    'is restarted when a restart has helped before',
    {
      seen: { ...brokenFor(1), steadyAtMs: nowMs - 2 * minuteMs },
      attempts: [tried('restart', 480)],
    },
    { kind: 'restart', reason: noWal, leader: 'app-0', loses: 'data' },
  ],
  [
    'is cloned when three clones have each helped for a while',
    {
      own: failed,
      seen: { ...downFor(5), steadyAtMs: nowMs - 100 * minuteMs },
      attempts: [400, 300, 200].map((ago) => tried('clone', ago)),
    },
    { kind: 'clone', reason: noStart, leader: 'app-0', loses: 'data' },
  ],
  [
    'is cloned after those before it have had their time',
    { ...among({ ...streams, name: 'app-0a' }, failed), seen: downFor(3) },
    { kind: 'clone', reason: noStart, leader: 'app-0', loses: 'data' },
  ],
  [
    'is cloned a minute later when one before it is in trouble as well',
    { ...among({ ...failed, name: 'app-0a' }, failed), seen: downFor(4) },
    { kind: 'clone', reason: noStart, leader: 'app-0', loses: 'data' },
  ],
  [
    'is given up after three clones',
    { own: failed, seen: downFor(60), attempts: [40, 30, 15].map((ago) => tried('clone', ago)) },
    { kind: 'give-up', reason: noStart, leader: 'app-0', loses: 'data' },
  ],
  [
    'is taken up again when the clones were yesterday',
    {
      own: failed,
      seen: downFor(5),
      attempts: [1500, 1480, 1460].map((ago) => tried('clone', ago)),
    },
    { kind: 'clone', reason: noStart, leader: 'app-0', loses: 'data' },
  ],
];

test.each(steps)('a replica %s', (_title, change, step) => {
  expect(decideRepair(view(change))).toEqual(step);
});

const reasonsToWait: readonly (readonly [string, Partial<RepairView>])[] = [
  ['it has been broken for less than a minute', { seen: brokenFor(0.9) }],
  ['it still replays what it has', { seen: brokenFor(60), replay: still(0.7) }],
  [
    'it still replays what it has, after a restart',
    { seen: brokenFor(60), replay: still(0.7), attempts: [tried('restart', 30)] },
  ],
  ['nobody knows whether it replays', { seen: brokenFor(60), replay: undefined }],
  [
    'one before it is in trouble as well, and has its turn first',
    { ...among({ ...failed, name: 'app-0a' }, failed), seen: downFor(3.9) },
  ],
  ['its restart was just now', { seen: brokenFor(9), attempts: [tried('restart', 2)] }],
  ['its clone was just now', { own: failed, seen: downFor(9), attempts: [tried('clone', 5)] }],
  ['its data have been gone for a moment', { own: failed, seen: emptyFor(9) }],
  [
    'its data are gone, and it was cloned a moment ago',
    { own: failed, seen: emptyFor(60), attempts: [tried('clone', 0.9)] },
  ],
  ['it has been down for less than three minutes', { own: failed, seen: downFor(2.9) }],
  [
    'it has just been cloned, for an hour, and starts',
    { own: { ...follower, state: 'starting' }, seen: downFor(60, 0) },
  ],
  ['it is being cloned', { own: { ...follower, state: 'creating replica' }, seen: downFor(60) }],
  ['it streams', { own: { ...follower, state: 'streaming' } }],
  ['it says that it streams, and nothing has come for long', { own: streams, seen: brokenFor(60) }],
  [
    'it has been on its former timeline for a moment',
    { own: { ...streams, timeline: 2 }, seen: brokenFor(2.9) },
  ],
  [
    'it is on its former timeline and gets WAL',
    { own: { ...streams, timeline: 2 }, seen: { fences: [] } },
  ],
  ['nobody knows its timeline', { own: { name: 'app-1', leads: false, state: 'streaming' } }],
  ...[
    'could not access file "nothere": No such file or directory',
    'invalid value for parameter "TimeZone": "Mars/Crater"',
    'could not map anonymous shared memory: Cannot allocate memory',
  ].map((refusal): readonly [string, Partial<RepairView>] => [
    `PostgreSQL refuses to start: ${refusal}`,
    { own: failed, seen: { fences: [], down: { ...downFor(60, 9).down, refusal } } },
  ]),
  ['the watcher says nothing', { seen: { fences: [] } }],
  ['it leads', { own: { ...leader, state: 'start failed' }, seen: downFor(60) }],
  ['nobody leads', { members: [{ ...follower, state: 'running' }] }],
  [
    'the leader does not run',
    { members: [{ ...leader, state: 'starting' }, failed], own: failed, seen: downFor(60) },
  ],
  ['the cluster is paused', { paused: true }],
  ['its data is newer than that of the leader', { own: { ...failed, timeline: 4 } }],
];

test.each(reasonsToWait)('nothing is done when %s', (_title, change) => {
  expect(decideRepair(view(change))).toEqual({ kind: 'none' });
});

test('a replay stands still for as long as it is seen where it was', () => {
  const first = followReplay(undefined, 7, nowMs);

  expect(first).toEqual({ location: 7, sinceMs: nowMs });
  expect(followReplay(first, 7, nowMs + minuteMs)).toEqual(first);
  expect(followReplay(first, 8, nowMs + minuteMs)).toEqual({
    location: 8,
    sinceMs: nowMs + minuteMs,
  });
  expect(followReplay(first, undefined, nowMs + minuteMs)).toBeUndefined();
});

test('attempts count for a day, and until the member has worked for a while', () => {
  const attempts = [1440, 1439, 30, 10].map((ago) => tried('restart', ago));
  const ages = (steadyAtMs?: number) =>
    attemptsThatCount(
      view({ attempts, seen: { fences: [], ...(steadyAtMs === undefined ? {} : { steadyAtMs }) } }),
    ).map(({ atMs }) => (nowMs - atMs) / minuteMs);

  expect(ages()).toEqual([1439, 30, 10]);
  expect(ages(nowMs - 20 * minuteMs)).toEqual([10]);
});
