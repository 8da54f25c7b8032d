// When the data of a replica may be deleted for a new copy, and when not.

import { describe, expect, test } from '@jest/globals';

import {
  admitClone,
  type CloneFacts,
  loginFailure,
  saysBeyondRepair,
} from '../../../../src/core/clone-admission.ts';

const leader = { name: 'app-0', leads: true, state: 'running' };
const own = { name: 'app-1', leads: false, state: 'running' };
const other = { name: 'app-2', leads: false, state: 'streaming' };

const facts = (change: Partial<CloneFacts>): CloneFacts => ({
  own: 'app-1',
  members: [leader, own, other],
  loginFailure: undefined,
  streaming: ['app-2'],
  beyondRepair: false,
  ...change,
});
const refusedLogin = { loginFailure: 'password authentication failed for user "replication"' };

describe('a clone is admitted', () => {
  test.each([
    ['when another replica streams', {}],
    ['when there is no other replica', { members: [leader, own], streaming: [] }],
    ['when only that helps', { streaming: [], beyondRepair: true }],
  ])('%s', (_when, change) => {
    expect(admitClone(facts(change))).toEqual({ kind: 'admitted' });
  });
});

const cloning = { members: [leader, own, { ...other, state: 'creating replica' }] };
test.each([
  ['when only that helps', { ...cloning, beyondRepair: true }],
  ['whatever streams', { ...cloning, streaming: ['app-2', 'app-3'] }],
])('another one comes first, %s', (_when, change) => {
  expect(admitClone(facts(change))).toEqual({ kind: 'later' });
});

const noLogin = 'no copy can be made: password authentication failed for user "replication"';
const noSecond = 'no other replica has a copy that is up to date';
test.each([
  ['nobody can log in', refusedLogin, noLogin],
  ['nobody can log in, and only that helps', { ...refusedLogin, beyondRepair: true }, noLogin],
  ['nobody can log in, of two', { ...refusedLogin, members: [leader, own] }, noLogin],
  ['no other one streams', { streaming: [] }, noSecond],
  ['a program streams that is no member', { streaming: ['pg_receivewal'] }, noSecond],
  ['only its own name streams', { streaming: ['app-1'] }, noSecond],
])('a clone is refused when %s', (_when, change, reason) => {
  expect(admitClone(facts(change))).toEqual({ kind: 'refused', reason });
});

const atMs = Date.UTC(2026, 0, 31, 12, 0, 0);
const line = (text: string, time = '12:00:01'): string =>
  `2026-01-31 ${time} UTC [42]: user=,db=,app=,client=,line=1 ${text}`;
const stream = 'FATAL:  could not receive data from WAL stream: ERROR:  ';

test.each([
  `${stream}requested WAL segment 00000001000000000000000A has already been removed`,
  'FATAL:  highest timeline 1 of the primary is behind recovery timeline 2',
  'LOG:  new timeline 3 forked off current database system timeline 2 before current recovery ' +
    'point 0/50000A0',
  'FATAL:  could not start WAL streaming: ERROR:  requested starting point 0/5000000 on timeline ' +
    "1 is not in this server's history",
])('only a clone helps after: %s', (text) => {
  expect(saysBeyondRepair([line('LOG:  started'), line(text), ''].join('\n'), atMs)).toBe(true);
  expect(saysBeyondRepair(line(text, '12:00:00'), atMs + 900)).toBe(true);
  // Before that trouble.
  expect(saysBeyondRepair(line(text, '11:59:58'), atMs)).toBe(false);
});

test.each([
  'FATAL:  could not connect to the primary server: connection to server failed',
  `${stream}replication slot "app_1" does not exist`,
  'FATAL:  streaming replication receiver "app-1" could not connect to the primary server',
])('something else may help after: %s', (text) => {
  expect(saysBeyondRepair(line(text), atMs)).toBe(false);
});

const server = 'psql: error: connection to server at "app-0.app-endpoints" (10.1.0.1), port 5432';
test.each([
  [
    `${server} failed: FATAL:  password authentication failed for user "replication"\n`,
    'password authentication failed for user "replication"',
  ],
  [
    `${server} failed: FATAL:  number of requested standby connections exceeds max_wal_senders ` +
      '(currently 25)\n',
    'number of requested standby connections exceeds max_wal_senders (currently 25)',
  ],
  [
    `${server} failed: Connection refused\n\tIs the server running on that host?\n`,
    'Connection refused',
  ],
  [`${server} failed: timeout expired\n`, 'timeout expired'],
  [
    'psql: error: could not translate host name "app-0" to address: Name or service not known\n',
    'could not translate host name "app-0" to address: Name or service not known',
  ],
  [`ERROR:  ${'x'.repeat(200)}`, 'x'.repeat(120)],
  ['', 'psql fails'],
])('what psql says is told without whom it has asked: %j', (stderr, reason) => {
  expect(loginFailure(stderr)).toBe(reason);
});
