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
    message:
      'Patroni cannot be asked, nothing has been changed: cannot reach Patroni on "127.0.0.1": ' +
      'refused; run the action again when it answers',
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

/** When scenarios begin. */
const noonMs = Date.UTC(2026, 0, 31, 12);

const inPassing = [
  { summary: 'Kubernetes is away', fault: { status: 503, body: 'Service Unavailable' } },
  { summary: 'another writes', fault: { status: 409, body: 'Conflict' } },
  {
    summary: 'the answer is lost, and it is done all the same',
    fault: { status: 503, body: '', happens: 'lost' },
  },
  {
    summary: 'it is done although it is refused',
    fault: { status: 409, body: '', happens: 'answered' },
  },
] as const;
for (const { summary, fault } of inPassing) {
  scenario(`failover is paused by whoever waits, when for a moment ${summary}`, {
    charm: underTest,
    given: async () =>
      inWorld(await leading(), {
        patroni: { faults: { 'PATCH /config': { ...fault, untilMs: noonMs + 4_000 } } },
      }),
    when: action('pause-failover'),
    then: ({ state: after, action: { failed, results, log } }) => {
      expect(failed).toBeUndefined();
      expect(after.world.patroni.config['pause']).toBe(true);
      expect(results).toEqual({ status: 'failover paused' });
      expect(log.at(-1)).toBe('failover paused; all members follow within seconds');
    },
    loosen: { killChecks: 'the fault is over at a time, and a second call begins before it' },
  });
}

scenario('failover is resumed when Patroni can be asked again', {
  charm: underTest,
  given: async () =>
    inWorld(paused(await leading()), {
      patroni: {
        faults: { 'GET /config': { status: 503, body: 'no store', untilMs: noonMs + 10_000 } },
      },
    }),
  when: action('resume-failover'),
  then: ({ state: after, action: { failed, log } }) => {
    expect(failed).toBeUndefined();
    expect(after.world.patroni.config['pause']).toBeUndefined();
    expect(log).toEqual([
      'trying again: cannot read the configuration: Patroni answered 503 "no store"',
      'failover resumed; all members follow within seconds',
    ]);
  },
});

scenario('who is refused for longer is told what holds, why, and what to do', {
  charm: underTest,
  given: async () =>
    inWorld(await leading(), {
      patroni: { faults: { 'PATCH /config': { status: 503, body: 'no quorum' } } },
    }),
  when: action('pause-failover'),
  then: ({ state: after, action: { failed, results }, endMs }) => {
    expect(failed).toBe(
      'failover is still active: cannot change the configuration: Patroni answered 503 "no quorum"; ' +
        'run the action again',
    );
    expect(results).toEqual({});
    expect(after.world.patroni.config['pause']).toBeUndefined();
    expect(endMs - noonMs).toBeLessThan(20_000);
  },
});

scenario('whoever cannot be asked has not been told anything', {
  charm: underTest,
  given: async () =>
    inWorld(paused(await leading()), {
      patroni: { faults: { 'GET /config': { status: 503, body: 'no store' } } },
    }),
  when: action('resume-failover'),
  then: ({ action: { failed, results } }) => {
    expect(failed).toBe(
      'Patroni cannot be asked, nothing has been changed: cannot read the configuration: ' +
        'Patroni answered 503 "no store"; run the action again when it answers',
    );
    expect(results).toEqual({});
  },
});

scenario('a pause that comes true with the last attempt is one', {
  charm: underTest,
  given: async () =>
    inWorld(await running({ leader: true }), {
      patroni: {
        faults: {
          'GET /config': { status: 503, body: '', untilMs: noonMs + 14_500 },
          'PATCH /config': { status: 503, body: '', happens: 'answered' },
        },
      },
    }),
  when: action('pause-failover'),
  then: ({ action: { failed, results } }) => {
    expect(failed).toBeUndefined();
    expect(results).toEqual({ status: 'failover paused' });
  },
  loosen: { killChecks: 'the fault is over at a time, and a second call begins before it' },
});

scenario('while nobody can tell what has become of a pause that is said, and nothing else', {
  charm: underTest,
  given: async () =>
    inWorld(await leading(), {
      patroni: {
        faults: {
          'PATCH /config': { status: 503, body: 'no quorum' },
          'GET /config': { status: 503, body: 'no store', fromMs: noonMs + 500 },
        },
      },
    }),
  when: action('pause-failover'),
  then: ({ action: { failed, results } }) => {
    expect(failed).toBe(
      'Patroni does not tell whether failover is paused now: cannot read the configuration: ' +
        'Patroni answered 503 "no store"; run the action again',
    );
    expect(results).toEqual({});
  },
});

scenario('a cluster without a shared configuration is not said to be paused', {
  charm: underTest,
  given: async () =>
    inWorld(await leading(), {
      patroni: { faults: { 'GET /config': { status: 502, body: '' } } },
    }),
  when: action('pause-failover'),
  then: ({ action: { failed, results } }) => {
    expect(failed).toContain('the cluster has no shared configuration yet');
    expect(results).toEqual({});
  },
});
