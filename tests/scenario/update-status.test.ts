// update-status: quiet when nothing is wrong, and what it makes up for when something is.

import { expect } from '@jest/globals';

import { updateStatus } from '../support/scenario/events.ts';
import {
  admitted,
  backedUp,
  inContainer,
  inWorld,
  primary,
  replica,
  running,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import {
  type PostgresqlState,
  s3Relation,
  state,
} from '../support/scenario/postgresql/postgresql.ts';
import type { RunResult } from '../support/scenario/run.ts';
import { scenario } from '../support/scenario/scenario.ts';

type Result = RunResult<PostgresqlState['world']>;

/** Hook tools with what they are asked for, in the order of their calls; the log is left out. */
const toolsOf = ({ hookToolCalls }: Result) =>
  hookToolCalls
    .filter(({ tool }) => tool !== 'juju-log')
    .map(({ tool, args }) => [tool, ...args.filter((arg) => !arg.startsWith('--'))].join(' '));

const othersOf = ({ calls }: Result) =>
  calls.filter(({ port }) => port !== 'juju').map(({ port, method }) => `${port} ${method}`);

scenario('a leader whose cluster is well asks little and writes nothing', {
  charm: underTest,
  given: backedUp,
  when: updateStatus,
  then: (result) => {
    expect(toolsOf(result)).toEqual([
      'state-get',
      'relation-get -r database-peers:0 - postgresql-k8s',
      'is-leader',
      'relation-get -r database-peers:0 - postgresql-k8s/0',
      'config-get',
      'relation-list -r database-peers:0',
      'status-get',
    ]);
    expect(othersOf(result)).toEqual([
      'patroni call',
      'pebble pull',
      'pebble pull',
      'pebble stat',
      'pebble services',
    ]);
    expect(result.interruptions).toEqual([]);
  },
});

scenario('a replica asks as little, however many peers and relations it has', {
  charm: underTest,
  given: async () =>
    await running({ number: 1, others: [0, 2, 3], primary: 0, relations: [s3Relation()] }),
  when: updateStatus,
  then: (result) => {
    expect(toolsOf(result)).toEqual([
      'state-get',
      'relation-get -r database-peers:0 - postgresql-k8s',
      'is-leader',
      'relation-get -r database-peers:0 - postgresql-k8s/1',
      'config-get',
      'status-get',
    ]);
    expect(result.interruptions).toEqual([]);
  },
});

scenario('a unit that remembers a peer relation which is not there asks Juju for the one that is', {
  charm: underTest,
  given: async () => {
    const given = await running({ leader: true });
    const stale = { 'peer-relation-database-peers': 'database-peers:99' };
    return { ...given, controllerState: { ...given.controllerState, ...stale } };
  },
  when: updateStatus,
  then: (result) => {
    expect(toolsOf(result)).toContain('relation-ids database-peers');
    expect(result.state.controllerState).toMatchObject({
      'peer-relation-database-peers': 'database-peers:0',
    });
    expect(result.state.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

scenario('a database that went down without a word is started again', {
  charm: underTest,
  given: async () =>
    inContainer(await running({ leader: true }), ({ services }) => ({
      services: { ...services, postgresql: { current: 'inactive' } },
    })),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(after.containers['postgresql']?.services['postgresql']).toEqual({ current: 'active' });
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

scenario('a primary that misses a member says so', {
  charm: underTest,
  given: async () =>
    inWorld(await running({ leader: true, others: [1, 2] }), {
      patroni: { members: [primary(0), replica(1, 'stopped'), replica(2)] },
    }),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary (degraded)' });
  },
});

scenario('a member that is down is waited for, and does not count as gone', {
  charm: underTest,
  given: async () =>
    inWorld(await running({ number: 1, others: [0], primary: 0 }), {
      patroni: { members: [primary(0), replica(1, 'start failed')] },
    }),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({ level: 'waiting', message: 'awaiting for member to start' });
  },
});

scenario('while the container cannot be reached the unit waits for it', {
  charm: underTest,
  given: async () => inContainer(await running({ leader: true }), () => ({ canConnect: false })),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({
      level: 'waiting',
      message: 'waiting for the workload container',
    });
  },
});

scenario('a unit that waits for the leader to begin goes on waiting', {
  charm: underTest,
  given: state({ unit: 'postgresql-k8s/1' }),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({
      level: 'waiting',
      message: 'awaiting for cluster to start',
    });
  },
});

scenario('a start that nobody finished is finished', {
  charm: underTest,
  given: admitted({ leader: true }),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});
