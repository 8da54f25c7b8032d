// pause-failover and resume-failover.

import { expect } from '@jest/globals';

import { action, pebbleNotice } from '../support/scenario/events.ts';
import {
  inContainer,
  inWorld,
  primary,
  replica,
  running,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import { type PostgresqlState, state } from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';

const leading = async () => await running({ leader: true, others: [1, 2] });

function paused(given: PostgresqlState): PostgresqlState {
  const { config } = given.world.patroni;
  return inWorld(given, { patroni: { config: { ...config, pause: true } } });
}

scenario('failover is paused for all members, and the status says so', {
  charm: underTest,
  given: leading,
  when: action('pause-failover'),
  then: ({ state: after, action: { results, log } }) => {
    expect(after.world.patroni.config['pause']).toBe(true);
    expect(results).toEqual({ status: 'failover paused' });
    expect(log).toEqual(['failover paused; all members follow within seconds']);
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary (failover paused)' });
  },
});

scenario('pausing again is no failure', {
  charm: underTest,
  given: async () => paused(await leading()),
  when: action('pause-failover'),
  then: ({ state: after, action: { results, log } }) => {
    expect(after.world.patroni.config['pause']).toBe(true);
    expect(results).toEqual({ status: 'failover paused' });
    expect(log).toEqual(['failover is paused already']);
  },
});

scenario('resuming takes everything back', {
  charm: underTest,
  given: async () => paused(await running({ leader: true })),
  when: action('resume-failover'),
  then: ({ state: after, action: { results } }) => {
    expect(after.world.patroni.config['pause']).toBeUndefined();
    expect(results).toEqual({ status: 'failover resumed' });
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

scenario('resuming what was not paused is no failure', {
  charm: underTest,
  given: leading,
  when: action('resume-failover'),
  then: ({ action: { results, log } }) => {
    expect(results).toEqual({ status: 'failover resumed' });
    expect(log).toEqual(['failover is active already']);
  },
});

const told = pebbleNotice('postgresql', 'postgresql.charm/cluster-changed');

scenario('the other units show it when their watcher tells', {
  charm: underTest,
  given: async () => paused(await running({ number: 1, others: [0], primary: 0 })),
  when: told,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({ level: 'active', message: 'failover paused' });
  },
});

scenario('and show that it is over', {
  charm: underTest,
  given: async () => ({
    ...(await running({ number: 1, others: [0], primary: 0 })),
    unitStatus: { level: 'active', message: 'failover paused' },
  }),
  when: told,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({ level: 'active', message: '' });
  },
});

scenario('any member that answers can be told', {
  charm: underTest,
  given: async () =>
    inContainer(
      inWorld(await leading(), {
        patroni: { members: [replica(0), { ...replica(1), silent: 'timeout' }, primary(2)] },
      }),
      ({ services }) => ({ services: { ...services, postgresql: { current: 'inactive' } } }),
    ),
  when: action('pause-failover'),
  then: ({ state: after, action: { failed } }) => {
    expect(failed).toBeUndefined();
    expect(after.world.patroni.config['pause']).toBe(true);
  },
  loosen: { killChecks: 'update-status starts what the scenario has stopped' },
});

const refused = [
  {
    summary: 'before the cluster is initialised',
    given: state({ leader: true }),
    message: 'Cluster not initialised yet.',
  },
  {
    summary: 'while nobody answers',
    given: async () =>
      inContainer(inWorld(await leading(), { patroni: { members: [] } }), () => ({ services: {} })),
    message: 'Patroni does not answer on any unit; nothing has been changed',
  },
];
for (const name of ['pause-failover', 'resume-failover']) {
  for (const { summary, given, message } of refused) {
    scenario(`${name} is refused ${summary}`, {
      charm: underTest,
      given,
      when: action(name),
      then: ({ action: { failed, results }, disturbances }) => {
        expect(failed).toBe(message);
        expect(results).toEqual({});
        expect(disturbances).toEqual([]);
      },
      loosen: { killChecks: 'update-status starts the cluster, so that the next call succeeds' },
    });
  }
}

scenario('a Patroni that refuses is quoted', {
  charm: underTest,
  given: async () =>
    inWorld(await leading(), {
      patroni: { faults: { 'PATCH /config': { status: 503, body: 'no quorum' } } },
    }),
  when: action('pause-failover'),
  then: ({ action: { failed } }) => {
    expect(failed).toBe('cannot change the configuration: Patroni answered 503 "no quorum"');
  },
});
