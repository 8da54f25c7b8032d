// Kubernetes refuses everything until the operator runs `juju trust`: Blocked with that sentence, and
// the config-changed that Juju sends then makes up for everything that was refused.

import { expect } from '@jest/globals';

import {
  configChanged,
  leaderElected,
  pebbleReady,
  relationChanged,
  updateStatus,
} from '../support/scenario/events.ts';
import {
  admitted,
  after as afterEvents,
  endpoints,
  inWorld,
  passwords,
  primary,
  running,
  stanza,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import {
  type PostgresqlState,
  s3Relation,
  state,
} from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { relationOf } from '../support/scenario/state.ts';

const ready = pebbleReady('postgresql');
const s3 = s3Relation();

const distrusted = (given: PostgresqlState) =>
  inWorld(given, { kube: { faults: { '*': 'forbidden' } } });
const trusted = (given: PostgresqlState) => inWorld(given, { kube: { faults: {} } });

const blocked = {
  level: 'blocked',
  message: 'Insufficient permissions, try: `juju trust postgresql-k8s --scope=cluster`',
};
const appData = (given: PostgresqlState) => relationOf(given, 'database-peers').localApp;

scenario('without trust the first leader says what to do', {
  charm: underTest,
  given: distrusted(state({ leader: true })),
  when: leaderElected,
  then: ({ state: after, log }) => {
    expect(after.unitStatus).toEqual(blocked);
    expect(log).toContainEqual({ level: 'ERROR', message: expect.stringContaining('forbidden') });
  },
});

scenario('without trust the container of a leader does not start', {
  charm: underTest,
  given: distrusted(state({ leader: true, secrets: [passwords] })),
  when: ready,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual(blocked);
    expect(after.containers['postgresql']?.services).toEqual({});
  },
});

scenario('without trust a leader goes on saying so', {
  charm: underTest,
  given: async () => await afterEvents(distrusted(state({ leader: true })), leaderElected, ready),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual(blocked);
  },
});

scenario('trust makes the leader do all that it could not do', {
  charm: underTest,
  given: async () =>
    trusted(await afterEvents(distrusted(state({ leader: true })), leaderElected, ready)),
  when: configChanged,
  then: ({ state: after }) => {
    expect(appData(after)).toEqual({
      endpoints: endpoints(0),
      cluster_initialised: 'True',
      config_hash: expect.any(String),
      extensions: '{"enabled":["plugin_audit_enable"]}',
    });
    expect(Object.keys(after.world.kube.objects)).toContain('services/postgresql-k8s-primary');
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

scenario('trust makes a replica start', {
  charm: underTest,
  given: async () =>
    trusted(
      await afterEvents(
        distrusted(
          inWorld(admitted({ number: 1, others: [0], primary: 0 }), {
            patroni: { members: [primary(0)] },
          }),
        ),
        ready,
      ),
    ),
  when: configChanged,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({ level: 'active', message: '' });
  },
});

scenario('without trust no repository is set up', {
  charm: underTest,
  given: async () => distrusted(await running({ leader: true, relations: [s3] })),
  when: relationChanged(s3),
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual(blocked);
    expect(after.world.pgbackrest.stanzas).toEqual([]);
  },
});

scenario('trust makes up for the repository too', {
  charm: underTest,
  given: async () => {
    const given = distrusted(await running({ leader: true, relations: [s3] }));
    return trusted(await afterEvents(given, relationChanged(s3)));
  },
  when: configChanged,
  then: ({ state: after }) => {
    expect(appData(after)).toMatchObject({ stanza });
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

scenario('units that are admitted without trust only wait for their own labels', {
  charm: underTest,
  given: async () => {
    const given = await running({ leader: true, others: [1, 2] });
    const peers = relationOf(given, 'database-peers');
    const alone = { ...peers, localApp: { ...peers.localApp, endpoints: endpoints(0) } };
    return distrusted({ ...given, relations: [alone] });
  },
  when: (given) => relationChanged(relationOf(given, 'database-peers')),
  then: ({ state: after, walks }) => {
    expect(walks[0]?.end).toBe('stopped');
    expect(appData(after)['endpoints']).toBe(endpoints(0, 1));
    expect(after.unitStatus).toEqual(blocked);
  },
  loosen: { secondRun: 'each refusal comes after one more unit was admitted' },
});
