// get-primary and promote-to-primary. A promotion tells what is true, whatever Patroni answered.

import { expect } from '@jest/globals';

import { action } from '../support/scenario/events.ts';
import {
  admitted,
  inContainer,
  inWorld,
  primary,
  replica,
  running,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import { type PostgresqlState, state } from '../support/scenario/postgresql/postgresql.ts';
import type { HttpFault } from '../support/scenario/postgresql/world.ts';
import { scenario } from '../support/scenario/scenario.ts';

scenario('each unit knows which unit is the primary', {
  charm: underTest,
  given: async () => await running({ number: 1, others: [0, 2], primary: 2 }),
  when: action('get-primary'),
  then: ({ action: { results } }) => {
    expect(results).toEqual({ primary: 'postgresql-k8s/2' });
  },
});

const noPrimary = [
  { summary: 'before the start', given: state({ leader: true }) },
  {
    summary: 'between two primaries',
    given: async () =>
      inWorld(await running({ leader: true, others: [1] }), {
        patroni: { members: [replica(0), replica(1)] },
      }),
  },
];
for (const { summary, given } of noPrimary) {
  scenario(`${summary} there is no primary, and the action says so without failing`, {
    charm: underTest,
    given,
    when: action('get-primary'),
    then: ({ action: { results, log, failed } }) => {
      expect(results).toEqual({});
      expect(failed).toBeUndefined();
      expect(log).toEqual(['No primary: the cluster has not started, or is choosing a new one.']);
    },
  });
}

const promote = action('promote-to-primary', { scope: 'unit' });

/** Unit 1 is a synchronous replica of unit 0. */
const standby = async () => await running({ number: 1, others: [0, 2], primary: 0 });

async function withFault(fault: HttpFault): Promise<PostgresqlState> {
  return inWorld(await standby(), { patroni: { faults: { 'POST /switchover': fault } } });
}

function leaderOf({ world }: PostgresqlState): string | undefined {
  return world.patroni.members.find(({ role }) => role === 'leader')?.name;
}

scenario('a synchronous replica becomes the primary', {
  charm: underTest,
  given: standby,
  when: promote,
  then: ({ state: after, action: { results, log } }) => {
    expect(leaderOf(after)).toBe('postgresql-k8s-1');
    expect(results).toEqual({ primary: 'postgresql-k8s/1' });
    expect(log).toEqual(['switching over from postgresql-k8s/0 to postgresql-k8s/1']);
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

scenario('the primary stays what it is, which is no failure', {
  charm: underTest,
  given: async () => await running({ others: [1] }),
  when: promote,
  then: ({ action: { results, log }, disturbances }) => {
    expect(results).toEqual({ primary: 'postgresql-k8s/0' });
    expect(log).toEqual(['postgresql-k8s/0 is the primary already']);
    expect(disturbances).toEqual([]);
  },
});

const unclear: readonly HttpFault[] = [
  { status: 0, body: '', happens: 'lost' },
  { status: 503, body: 'Switchover status unknown', happens: 'answered' },
  { status: 503, body: 'Switchover failed', happens: 'answered' },
  { status: 412, body: 'leader name does not match', happens: 'answered' },
];
for (const fault of unclear) {
  scenario(`a switchover that happens is a success, although "${fault.body}" was the answer`, {
    charm: underTest,
    given: async () => await withFault(fault),
    when: promote,
    then: ({ state: after, action: { results, failed } }) => {
      expect(leaderOf(after)).toBe('postgresql-k8s-1');
      expect(failed).toBeUndefined();
      expect(results).toEqual({ primary: 'postgresql-k8s/1' });
    },
  });
}

const failing = [
  {
    fault: { status: 503, body: 'Switchover failed' },
    reason: 'postgresql-k8s/0 still leads after 3000 ms; cannot switch over to "postgresql-k8s-1"',
  },
  {
    fault: { status: 503, body: 'Switchover status unknown' },
    reason: 'postgresql-k8s/0 still leads after 25000 ms; cannot switch over',
  },
  { fault: { status: 200, body: 'Successfully switched over' }, reason: 'postgresql-k8s/0 still' },
];
for (const { fault, reason } of failing) {
  scenario(`a switchover that does not happen fails, also after "${fault.body}"`, {
    charm: underTest,
    given: async () => await withFault(fault),
    when: promote,
    then: ({ state: after, action: { failed, log } }) => {
      expect(leaderOf(after)).toBe('postgresql-k8s-0');
      expect(failed).toContain(
        `Switchover failed or timed out, check the logs for details: ${reason}`,
      );
      expect(log).toContain('waiting for postgresql-k8s/0 to step down');
    },
  });
}

const refused: readonly {
  readonly summary: string;
  readonly given: PostgresqlState | (() => Promise<PostgresqlState>);
  readonly params?: Readonly<Record<string, unknown>>;
  readonly message: string;
}[] = [
  {
    summary: 'a replica that is not synchronous',
    given: async () =>
      inWorld(await standby(), {
        patroni: { members: [primary(0), { ...replica(1), role: 'replica' }, replica(2)] },
      }),
    message: 'Unit is not sync standby',
  },
  {
    summary: 'a replica that lost its synchronous place just before',
    given: async () =>
      await withFault({ status: 412, body: 'candidate name does not match with sync_standby' }),
    message: 'Unit is not sync standby',
  },
  {
    summary: 'a unit whose PostgreSQL is not up',
    given: async () =>
      inWorld(await standby(), {
        patroni: { members: [primary(0), replica(1, 'starting'), replica(2)] },
      }),
    message:
      'Switchover failed or timed out, check the logs for details: ' +
      'PostgreSQL of postgresql-k8s/1 is not up: starting',
  },
  {
    summary: 'a cluster without a primary',
    given: async () => inWorld(await standby(), { patroni: { members: [replica(0), replica(1)] } }),
    message:
      'Switchover failed or timed out, check the logs for details: ' +
      'there is no primary to take over from',
  },
  {
    summary: 'a cluster of which nobody answers',
    given: async () =>
      inContainer(inWorld(await standby(), { patroni: { members: [] } }), () => ({ services: {} })),
    message:
      'Switchover failed or timed out, check the logs for details: no member of Patroni answers',
  },
  {
    summary: 'a cluster that has not been initialised',
    given: state({ leader: true }),
    message: 'Cluster not initialised yet.',
  },
  {
    summary: 'force within a cluster',
    given: standby,
    params: { scope: 'unit', force: true },
    message: 'Suprerfluous force flag with unit scope',
  },
  {
    summary: 'no scope',
    given: standby,
    params: {},
    message: 'Scope should be either cluster or unit',
  },
  {
    summary: 'another scope',
    given: standby,
    params: { scope: 'world' },
    message: 'Scope should be either cluster or unit, not "world"',
  },
  {
    summary: 'a cluster that is related to no other',
    given: admitted({ leader: true }),
    params: { scope: 'cluster', force: true },
    message:
      'No primary cluster found: there is no relation to another cluster. ' +
      'With scope=unit this unit becomes the primary of its own cluster.',
  },
];
for (const { summary, given, params = { scope: 'unit' }, message } of refused) {
  scenario(`a promotion is refused: ${summary}`, {
    charm: underTest,
    given,
    when: action('promote-to-primary', params),
    then: ({ action: { failed, results }, disturbances }) => {
      expect(failed).toBe(message);
      expect(results).toEqual({});
      expect(disturbances).toEqual([]);
    },
  });
}
