// The reason of a failed restore, from lines as pgBackRest 2.55 and PostgreSQL 17 write them.

import { expect, test } from '@jest/globals';

import { failureReason, serverLogsOf } from '../../../../src/core/backups/restore-log.ts';

const sinceMs = Date.UTC(2026, 0, 31, 10, 0, 30, 500);

const server = `2026-01-31 09:59:00 UTC [5]: user=,db=,app=,client=,line=3 FATAL:  an older one
2026-01-31 10:00:31 UTC [8]: user=operator,db=postgres,app=[unknown],client=[local],line=1 FATAL:  the database system is starting up
2026-01-31 10:00:33 UTC [16032]: user=,db=,app=,client=,line=9 FATAL:  recovery ended before configured recovery target was reached
2026-01-31 10:00:33 UTC [16029]: user=,db=,app=,client=,line=8 LOG:  shutting down due to startup process failure
`;

const output = `2026-01-31 10:00:30 UTC [7]: LOG:  of no interest
ERROR: [055]: raised from local-2 protocol: unable to open missing file '/pg/bundle/1' for read
Traceback (most recent call last):
patroni.exceptions.PatroniFatalException: Failed to bootstrap cluster
`;

test('PostgreSQL names what it could not do', () => {
  expect(failureReason({ output: '', server }, sinceMs)).toBe(
    'recovery ended before configured recovery target was reached',
  );
});

test('what pgBackRest could not do is the cause of what PostgreSQL could not', () => {
  expect(failureReason({ output, server }, sinceMs)).toBe(
    "[055]: raised from local-2 protocol: unable to open missing file '/pg/bundle/1' for read",
  );
});

test('what pgBackRest tells with the time, or into the log of the server, counts as well', () => {
  const dated = '2026-01-31 10:00:30.881 P00  ERROR: [075]: backup set F is not valid\n';
  expect(failureReason({ output: dated, server: '' }, sinceMs)).toBe(
    '[075]: backup set F is not valid',
  );

  const inServer = `2026-01-31 10:00:31 UTC [8]: LOG:  starting\nERROR: [103]: unable to find a valid repository\n${server}`;
  expect(failureReason({ output: '', server: inServer }, sinceMs)).toBe(
    '[103]: unable to find a valid repository',
  );
});

test('old lines, and those that only complain of a server that is not there, are no reason', () => {
  const early = server.split('\n').slice(0, 2).join('\n');

  expect(failureReason({ output: '', server: early }, sinceMs)).toBe(undefined);
  expect(failureReason({ output: '', server: '' }, sinceMs)).toBe(undefined);
});

test('a long reason is cut', () => {
  const long = `2026-01-31 10:00:33 UTC [1]: PANIC:  ${'x'.repeat(1000)}\n`;

  expect(failureReason({ output: '', server: long }, sinceMs)).toHaveLength(200);
});

test('the logs of a restore are those of its hours, oldest first', () => {
  const from = Date.UTC(2026, 0, 31, 22, 59, 59);
  const hour = 3_600_000;
  const names = [
    'patroni.log',
    'postgresql-Sat_2100.log',
    'postgresql-Sat_2242.log',
    'postgresql-Sat_2200.log',
    'postgresql-Sat_2300.log',
    'postgresql-Sun_0003.log',
    'postgresql-Sun_0100.log',
    'postgresql-Sat_23.csv',
  ];

  expect(serverLogsOf(names, from, from)).toEqual([
    'postgresql-Sat_2200.log',
    'postgresql-Sat_2242.log',
  ]);
  expect(serverLogsOf(names, from, from + 2 * hour)).toEqual([
    'postgresql-Sat_2200.log',
    'postgresql-Sat_2242.log',
    'postgresql-Sat_2300.log',
    'postgresql-Sun_0003.log',
  ]);
  const all = serverLogsOf(names, from, from + 30 * 24 * hour);
  expect(new Set(all).size).toBe(all.length);
  expect(serverLogsOf([], from, from)).toEqual([]);
});
