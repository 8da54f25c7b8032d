// get-primary and promote-to-primary. A promotion tells what is true, whatever Patroni answered.

import { expect } from '@jest/globals';

import { fileEntry } from '../support/pebble-state.ts';
import { action, updateStatus } from '../support/scenario/events.ts';
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
import type { HttpFault, PatroniMember } from '../support/scenario/postgresql/world.ts';
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
    reason:
      'postgresql-k8s/0 still leads after 25000 ms, and may step down yet; cannot switch over',
  },
  {
    fault: { status: 200, body: 'Successfully switched over' },
    reason: 'postgresql-k8s/0 still leads after 25000 ms, and may step down yet',
  },
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

/** Unit 1 gets the lock, and its own member says this of PostgreSQL ever after. */
async function withPromotion(body: Readonly<Record<string, unknown>>): Promise<PostgresqlState> {
  const health = { status: 200, body: JSON.stringify({ state: 'running', ...body }) };
  return inWorld(await standby(), { patroni: { faults: { 'GET /health': health } } });
}

scenario('a unit that has the lock and is never promoted takes no writes', {
  charm: underTest,
  given: async () => await withPromotion({ role: 'replica' }),
  when: promote,
  then: ({ action: { failed, log } }) => {
    const promotion = 'this unit leads, PostgreSQL is being promoted';
    expect(log).toContain(promotion);
    expect(failed).toBe(
      `Switchover failed or timed out, check the logs for details: ${promotion} after 25000 ms`,
    );
  },
});

scenario('a primary that no replica follows says what commits wait for', {
  charm: underTest,
  given: async () => await withPromotion({ role: 'primary', replication: [] }),
  when: promote,
  then: ({ action: { results, failed, log } }) => {
    expect(failed).toBeUndefined();
    expect(results).toEqual({ primary: 'postgresql-k8s/1' });
    expect(log.at(-1)).toBe(
      'this unit is the primary; strict commits wait until a replica follows it',
    );
  },
});

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

/** Unit 0 led, unit 1 was its synchronous replica; both are gone. */
async function abandoned(lags: Readonly<Record<number, number>>): Promise<PostgresqlState> {
  const members = Object.entries(lags).map(([number, lagBytes]): PatroniMember => {
    return { ...replica(Number(number)), role: 'replica', state: 'running', lagBytes };
  });
  const before = await running({ number: 2, others: [0, 1, 3], primary: 0 });
  return inWorld(before, {
    patroni: { members },
    kube: { objects: { ...before.world.kube.objects, ...synchronous('postgresql-k8s-1') } },
  });
}

const synchronous = (standbys: string, quorum = '0') => ({
  'endpoints/patroni-postgresql-k8s-sync': {
    metadata: {
      name: 'patroni-postgresql-k8s-sync',
      annotations: { leader: 'postgresql-k8s-0', sync_standby: standbys, quorum },
    },
  },
});

/** Unit 0 led, and a commit waited for one of two replicas: unit 2 is one of them. */
async function halved(...others: readonly PatroniMember[]): Promise<PostgresqlState> {
  const before = await running({ number: 2, others: [0, 1], primary: 0 });
  return inWorld(before, {
    patroni: { members: [...others, quorumStandby(2)] },
    kube: {
      objects: {
        ...before.world.kube.objects,
        ...synchronous('postgresql-k8s-1,postgresql-k8s-2', '1'),
      },
    },
  });
}

const quorumStandby = (number: number): PatroniMember => ({
  ...replica(number),
  role: 'quorum_standby',
  lagBytes: 96,
});
/** What Patroni goes on to tell of a member whose node is lost. */
const lost = (number: number): PatroniMember => ({ ...quorumStandby(number), silent: 'timeout' });

const force = action('promote-to-primary', { scope: 'unit', force: true });

scenario('when all who have every commit are gone, the newest unit can be forced to lead', {
  charm: underTest,
  given: async () => await abandoned({ 2: 0, 3: 400 }),
  when: force,
  then: ({ action: { results, failed, log }, disturbances, state: after }) => {
    expect(failed).toBeUndefined();
    expect(results).toEqual({ primary: 'postgresql-k8s/2' });
    expect(disturbances).toEqual(['Patroni failed over to postgresql-k8s-2']);
    expect(leaderOf(after)).toBe('postgresql-k8s-2');
    expect(log).toEqual([
      'promoting postgresql-k8s/2: what only postgresql-k8s/0, postgresql-k8s/1 had is given up',
    ]);
  },
});

const tooFew: readonly (readonly [string, readonly PatroniMember[]])[] = [
  ['are gone', []],
  ['do not answer', [{ ...lost(0), role: 'replica' }, lost(1)]],
];
for (const [summary, others] of tooFew) {
  scenario(`a replica with which there is no quorum can be forced to lead when others ${summary}`, {
    charm: underTest,
    given: async () => await halved(...others),
    when: force,
    then: ({ action: { results, failed, log }, disturbances }) => {
      expect(failed).toBeUndefined();
      expect(results).toEqual({ primary: 'postgresql-k8s/2' });
      expect(disturbances).toEqual(['Patroni failed over to postgresql-k8s-2']);
      expect(log).toEqual([
        'promoting postgresql-k8s/2: what only postgresql-k8s/0, postgresql-k8s/1 had is given up',
      ]);
    },
  });

  scenario(`and says who is waited for when others ${summary}`, {
    charm: underTest,
    given: async () => await halved(...others),
    when: updateStatus,
    then: ({ state: after, disturbances }) => {
      expect(disturbances).toEqual([]);
      expect(after.unitStatus).toEqual({
        level: 'blocked',
        message:
          'no primary: waiting for postgresql-k8s/0 or postgresql-k8s/1, see the action explain',
      });
    },
  });

  scenario(`explain does not promise a primary when others ${summary}`, {
    charm: underTest,
    given: async () => await halved(...others),
    when: action('explain'),
    then: ({ action: { results } }) => {
      const { explanation = '' } = results;

      expect(explanation).not.toContain('as soon as the lock is free');
      expect(explanation).toContain('after the return of postgresql-k8s/0 or postgresql-k8s/1:');
      expect(explanation).toContain('postgresql-k8s/2 has the newest data (96 bytes behind');
      expect(explanation).toContain(
        'all commits are on: postgresql-k8s/0, and each on all but 1 of ' +
          'postgresql-k8s/1, postgresql-k8s/2\n',
      );
    },
  });
}

const notForced = [
  {
    summary: 'another unit has newer data',
    given: async () => await abandoned({ 2: 401, 3: 400 }),
    message: 'postgresql-k8s/3 has newer data: run the action there',
  },
  {
    summary: 'no PostgreSQL is up',
    given: async () =>
      inWorld(await abandoned({}), { patroni: { members: [replica(2, 'start failed')] } }),
    message: 'No PostgreSQL is up that could become the primary',
  },
  {
    summary: 'a synchronous replica is up',
    given: async () =>
      inWorld(await abandoned({}), { patroni: { members: [replica(1), replica(2)] } }),
    message: 'Suprerfluous force flag with unit scope',
  },
  {
    summary: 'a quorum of replicas is up',
    given: async () => await halved(quorumStandby(1)),
    message: 'Suprerfluous force flag with unit scope',
  },
  {
    summary: 'Patroni refuses',
    given: async () =>
      inWorld(await abandoned({ 2: 0 }), {
        patroni: { faults: { 'POST /failover': { status: 412, body: 'no good candidates' } } },
      }),
    message:
      'Switchover failed or timed out, check the logs for details: cannot fail over to ' +
      '"postgresql-k8s-2": Patroni answered 412 "no good candidates"',
  },
];
for (const { summary, given, message } of notForced) {
  scenario(`nobody is forced to lead: ${summary}`, {
    charm: underTest,
    given,
    when: force,
    then: ({ action: { failed, results }, disturbances }) => {
      expect(failed).toBe(message);
      expect(results).toEqual({});
      expect(disturbances).toEqual([]);
    },
  });
}

scenario('an answer of Patroni that is lost does not matter', {
  charm: underTest,
  given: async () =>
    inWorld(await abandoned({ 2: 0 }), {
      patroni: { faults: { 'POST /failover': { status: 200, body: '', happens: 'lost' } } },
    }),
  when: force,
  then: ({ action: { results } }) => {
    expect(results).toEqual({ primary: 'postgresql-k8s/2' });
  },
});

scenario('a unit that is up says that nobody may become the primary', {
  charm: underTest,
  given: async () => await abandoned({ 2: 0, 3: 400 }),
  when: updateStatus,
  then: ({ state: after, disturbances }) => {
    expect(disturbances).toEqual([]);
    expect(after.unitStatus).toEqual({
      level: 'blocked',
      message:
        'no primary: waiting for postgresql-k8s/0 or postgresql-k8s/1, see the action explain',
    });
  },
});

scenario('explain says which unit has the newest data, and how it is made the primary', {
  charm: underTest,
  given: async () => await abandoned({ 2: 4096, 3: 400 }),
  when: action('explain'),
  then: ({ action: { results } }) => {
    const { explanation = '' } = results;

    expect(explanation).toContain(
      'of the units that are up postgresql-k8s/3 has the newest data (400 bytes behind, timeline 1)',
    );
    expect(explanation).toContain(
      '"juju run postgresql-k8s/3 promote-to-primary scope=unit force=true"',
    );
    expect(explanation).toContain('all commits are on: postgresql-k8s/0, postgresql-k8s/1\n');
  },
});

scenario('a primary that is alone says that writes wait', {
  charm: underTest,
  given: async () =>
    inWorld(await running({ leader: true, others: [1, 2] }), {
      patroni: { members: [primary(0), replica(1, 'stopped')] },
    }),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({
      level: 'active',
      message: 'Primary (degraded, writes wait for a replica)',
    });
  },
});

scenario('also when Patroni goes on to tell of members that are lost', {
  charm: underTest,
  given: async () =>
    inContainer(
      inWorld(await running({ leader: true, others: [1, 2] }), {
        patroni: { members: [primary(0), lost(1), lost(2)] },
      }),
      ({ files }) => ({
        files: {
          ...files,
          '/run/charm-watch.json': fileEntry(
            JSON.stringify({ fences: [], replication: { standby: false, streams: [] } }),
          ),
        },
      }),
    ),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({
      level: 'active',
      message: 'Primary (degraded, writes wait for a replica)',
    });
  },
});

scenario('one that may go on alone does not', {
  charm: underTest,
  given: async () => ({
    ...inWorld(await running({ leader: true, others: [1, 2] }), {
      patroni: { members: [primary(0), replica(1, 'stopped')] },
    }),
    config: { synchronous_mode_strict: false },
  }),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary (degraded)' });
  },
});
