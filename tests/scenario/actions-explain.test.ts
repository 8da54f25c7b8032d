// explain: tells what is seen and what follows from it, also when half of the unit is down.

import { expect } from '@jest/globals';

import { fileEntry } from '../support/pebble-state.ts';
import { action } from '../support/scenario/events.ts';
import {
  backedUp,
  inContainer,
  inWorld,
  primary,
  replica,
  running,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import { type PostgresqlState, peer, state } from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';

const leading = async () => await running({ leader: true, others: [1, 2] });

scenario('a unit at rest has nothing to do, and shows everything', {
  charm: underTest,
  given: async () =>
    inWorld(await leading(), {
      kube: {
        objects: {
          ...(await leading()).world.kube.objects,
          'endpoints/patroni-postgresql-k8s': {
            metadata: {
              name: 'patroni-postgresql-k8s',
              annotations: { leader: 'postgresql-k8s-0', renewTime: '2026-01-31T12:00:00' },
            },
            subsets: [{ addresses: [{ ip: '10.1.0.1', targetRef: { name: 'postgresql-k8s-0' } }] }],
          },
        },
      },
    }),
  when: action('explain'),
  then: ({ action: { results }, disturbances }) => {
    expect(disturbances).toEqual([]);
    expect(results['explanation']).toBe(
      [
        'postgresql-k8s/0 of model test-model',
        '',
        'What it does next',
        '  Nothing: everything is as it should be.',
        '',
        'Juju',
        '  leader: yes',
        '  status: active Primary',
        '  units: postgresql-k8s/0, postgresql-k8s/1, postgresql-k8s/2',
        '  members: postgresql-k8s/0, postgresql-k8s/1, postgresql-k8s/2',
        '  initialised: yes',
        '',
        'Configuration',
        '  in force',
        '',
        'Container',
        '  service postgresql: active',
        '  service watcher: active',
        '  check postgresql: up',
        '  check watcher: up',
        '',
        'Patroni',
        '  postgresql-k8s/1  sync_standby  streaming  timeline 1  0 bytes behind',
        '  postgresql-k8s/2  sync_standby  streaming  timeline 1  0 bytes behind',
        '  postgresql-k8s/0  leader        running    timeline 1',
        '',
        'Patroni of this unit',
        '  role: primary',
        '  state: running',
        '',
        'Kubernetes',
        '  lock: postgresql-k8s/0, renewed 2026-01-31T12:00:00',
        "  primary's Service: alias of patroni-postgresql-k8s.test-model.svc.cluster.local",
        '  leads to: postgresql-k8s/0',
        '',
        'Backups',
        '  settings: Relation with s3-integrator charm missing, cannot create/restore backup.',
        '  stanza: none, WAL is not archived',
      ].join('\n'),
    );
  },
});

scenario('programs get the same as JSON', {
  charm: underTest,
  given: leading,
  when: action('explain', { format: 'json' }),
  then: ({ action: { results } }) => {
    expect(JSON.parse(results['explanation'] ?? '')).toMatchObject({
      observed: {
        unit: 'postgresql-k8s/0',
        juju: { kind: 'seen', value: { leader: true } },
        patroni: { kind: 'seen', value: { paused: false } },
        deferred: { kind: 'seen', value: [] },
      },
      waits: [],
    });
  },
});

scenario('another format is refused', {
  charm: underTest,
  given: leading,
  when: action('explain', { format: 'yaml' }),
  then: ({ action: { failed } }) => {
    expect(failed).toBe('Format should be either text or json, not yaml');
  },
});

scenario('before the first peer relation there is something to tell, too', {
  charm: underTest,
  given: { ...state(), relations: [] },
  when: action('explain'),
  then: ({ action: { results } }) => {
    const { explanation = '' } = results;

    expect(explanation).toContain('Start when the leader has initialised the cluster.');
    expect(explanation).toContain('Container\n  no services yet\n');
    expect(explanation).toContain('Patroni\n  out of reach: there is no peer relation yet');
  },
});

scenario('with the container, Patroni and Kubernetes out of reach the rest is told', {
  charm: underTest,
  given: async () =>
    inContainer(
      inWorld(await leading(), {
        patroni: { members: [{ ...replica(1), silent: 'timeout' }] },
        kube: { faults: { '*': 'unreachable' } },
      }),
      () => ({ canConnect: false, services: {} }),
    ),
  when: action('explain'),
  then: ({ action: { results, failed } }) => {
    const { explanation = '' } = results;

    expect(failed).toBeUndefined();
    expect(explanation).toContain('initialised: yes');
    for (const section of ['Container', 'Patroni', 'Patroni of this unit', 'Kubernetes']) {
      expect(explanation).toContain(`\n${section}\n  out of reach: `);
    }
  },
  loosen: { killChecks: 'nothing is changed, and the world does not heal' },
});

scenario('an event that waits says what for', {
  charm: underTest,
  given: async () => {
    const given = await running({ number: 1, others: [0], primary: 0 });
    const event = {
      kind: 'pebble-ready',
      name: 'postgresql-pebble-ready',
      container: 'postgresql',
    };
    return inWorld(
      { ...given, controllerState: { 'deferred-events-0': JSON.stringify([event]) } },
      { patroni: { members: [primary(0), replica(1, 'starting')] } },
    );
  },
  when: action('explain'),
  then: ({ action: { results } }) => {
    expect(results['explanation']).toContain(
      'What waits (deferred before this action, and tried again with every hook)\n' +
        '  postgresql-pebble-ready waits for PostgreSQL of this unit, which is starting\n',
    );
  },
});

const watchFile = (text: string) => (given: PostgresqlState) =>
  inContainer(given, ({ files }) => ({
    files: { ...files, '/run/charm-watch.json': fileEntry(text) },
  }));

scenario('what the watcher has seen is shown', {
  charm: underTest,
  given: async () =>
    watchFile('{"disk":{"free_bytes":12,"full":false},"fences":[],"deep":{"a":{"b":{"c":1}}}}')(
      await leading(),
    ),
  when: action('explain'),
  then: ({ action: { results } }) => {
    expect(results['explanation']).toContain(
      'Watcher\n  disk.free_bytes: 12\n  disk.full: false\n  fences: []\n  deep.a.b: {"c":1}',
    );
  },
});

scenario('half a file of the watcher is no reason to fail', {
  charm: underTest,
  given: async () => watchFile('{"disk":')(await leading()),
  when: action('explain'),
  then: ({ action: { results } }) => {
    expect(results['explanation']).toContain('Watcher\n  unreadable: "{\\"disk\\":"');
  },
});

scenario('passwords and keys are in none of it', {
  charm: underTest,
  given: async () => await backedUp({ others: [1] }),
  when: action('explain', { format: 'json' }),
  then: ({ action: { results } }) => {
    const { explanation = '' } = results;

    expect(explanation).toContain('"settings":"complete"');
    expect(explanation).not.toMatch(/password-of|key-of-tests/);
  },
});

scenario('a unit that waits to be admitted says so', {
  charm: underTest,
  given: state({
    unit: 'postgresql-k8s/1',
    relations: [
      peer({
        units: [0],
        localApp: {
          cluster_initialised: 'True',
          endpoints: '["postgresql-k8s-0.postgresql-k8s-endpoints"]',
        },
      }),
    ],
    world: { patroni: { members: [primary(0)] } },
  }),
  when: action('explain'),
  then: ({ action: { results } }) => {
    expect(results['explanation']).toContain(
      'Wait for the leader to admit postgresql-k8s/1 to the cluster, one after another.',
    );
  },
});
