// config-changed: settings are taken over as a whole or not at all.

import { expect } from '@jest/globals';

import {
  configChanged,
  leaderElected,
  pebbleReady,
  updateStatus,
} from '../support/scenario/events.ts';
import {
  admitted,
  after as afterEvents,
  fileOf,
  inWorld,
  replica,
  running,
  underTest,
  withData,
} from '../support/scenario/postgresql/journey.ts';
import { type PostgresqlState, state } from '../support/scenario/postgresql/postgresql.ts';
import { run } from '../support/scenario/run.ts';
import { scenario } from '../support/scenario/scenario.ts';

const path = '/var/lib/postgresql/data/patroni.yml';

const invalid = {
  synchronous_node_count: 'some',
  profile: 'huge',
  durability_maximum_lag_on_failover: -1,
};

async function configured(config: PostgresqlState['config']): Promise<PostgresqlState> {
  return { ...(await running({ leader: true, others: [1, 2] })), config };
}

scenario('new settings reach the member and the cluster, without a restart', {
  charm: underTest,
  given: async () => await configured({ synchronous_node_count: '1', profile_limit_memory: 1000 }),
  when: configChanged,
  then: ({ state: after, disturbances }) => {
    expect(after.world.patroni.config['synchronous_node_count']).toBe(1);
    expect(fileOf(after, path)).toContain('shared_buffers: "30517"');
    expect(disturbances).toEqual(['Patroni of postgresql-k8s-0 reloaded its file']);
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

scenario('a replica takes over what is its own and leaves the cluster to the leader', {
  charm: underTest,
  given: async () => ({
    ...(await running({ number: 1, others: [0], primary: 0 })),
    config: { durability_maximum_lag_on_failover: 5, profile: 'testing' },
  }),
  when: configChanged,
  then: ({ state: after }) => {
    expect(after.world.patroni.config['maximum_lag_on_failover']).toBeUndefined();
    expect(fileOf(after, path)).not.toContain('shared_buffers');
  },
});

scenario('of several invalid options the first is named, all are logged, none is taken over', {
  charm: underTest,
  given: async () => await configured(invalid),
  when: configChanged,
  then: ({ state: after, log, interruptions, disturbances }) => {
    const logged = log
      .filter(({ level }) => level === 'ERROR')
      .flatMap(({ message }) => message.split('\n'));

    expect(after.unitStatus.level).toBe('blocked');
    expect(after.unitStatus.message).toBe(
      'Configuration Error: synchronous_node_count has to be all, majority or a whole number of at ' +
        'least 1, not "some" (and 2 more, see the log)',
    );
    expect(logged.map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
      'invalid configuration: synchronous_node_count',
      'invalid configuration: profile',
      'invalid configuration: durability_maximum_lag_on_failover',
    ]);
    expect(after.world.patroni.config['synchronous_node_count']).toBe(2);
    expect(disturbances).toEqual([]);
    expect(interruptions.filter(({ after: call }) => call.port !== 'juju')).toEqual([]);
  },
});

scenario('what the pod does not have is refused, all of it at once', {
  charm: underTest,
  given: async () =>
    await configured({ cpu_max_worker_processes: '999', memory_shared_buffers: 1_000_000_000 }),
  when: configChanged,
  then: ({ state: after, disturbances }) => {
    expect(after.unitStatus.message).toBe(
      'Configuration Error: cpu_max_worker_processes value 999 exceeds maximum allowed of 40 ' +
        '(10 * vCores). Please set a value <= 40. (and 1 more, see the log)',
    );
    expect(fileOf(after, path)).toContain('shared_buffers: "262144"');
    expect(after.world.patroni.config['postgresql']).toMatchObject({
      parameters: { max_worker_processes: 8 },
    });
    expect(disturbances).toEqual([]);
  },
});

scenario('what the pod does not have is named beside what is wrong otherwise', {
  charm: underTest,
  given: async () => await configured({ profile: 'huge', cpu_max_worker_processes: '999' }),
  when: configChanged,
  then: ({ state: after, log }) => {
    const errors = log.filter(({ level }) => level === 'ERROR');

    expect(errors.flatMap(({ message }) => message.split('\n'))).toEqual([
      'invalid configuration: profile has to be one of production, testing, not "huge"',
      'invalid configuration: cpu_max_worker_processes value 999 exceeds maximum allowed of 40 ' +
        '(10 * vCores). Please set a value <= 40.',
    ]);
    expect(after.unitStatus.message).toMatch(/^Configuration Error: profile .*1 more/);
  },
});

scenario('what the pod has is not doubted while Kubernetes does not show it', {
  charm: underTest,
  given: async () => {
    const given = await afterEvents(
      await configured({ cpu_max_worker_processes: '20' }),
      configChanged,
    );
    return inWorld(given, { kube: { faults: { '*': 'unreachable' } } });
  },
  when: updateStatus,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

const pod = 'pods/postgresql-k8s-0';

/** A leader whose container may use so much. */
async function limited(limits: Readonly<Record<string, string>>): Promise<PostgresqlState> {
  const given = await running({ leader: true });
  const { objects } = given.world.kube;
  const { [pod]: object } = objects;
  if (object === undefined) throw new Error('no pod');
  const spec = { nodeName: 'node-1', containers: [{ name: 'postgresql', resources: { limits } }] };
  return inWorld(given, { kube: { objects: { ...objects, [pod]: { ...object, spec } } } });
}

scenario('half a core counts as one, and memory in any of the ways to write it', {
  charm: underTest,
  given: async () => await limited({ cpu: '500m', memory: '1.5Gi' }),
  when: configChanged,
  then: ({ state: after }) => {
    expect(fileOf(after, path)).toContain('shared_buffers: "49152"');
    expect(fileOf(after, path)).toContain('max_parallel_workers: "2"');
    expect(after.world.patroni.config['postgresql']).toMatchObject({
      parameters: { max_worker_processes: 2, max_connections: 100 },
    });
  },
});

scenario('a limit of nothing is no limit', {
  charm: underTest,
  given: async () => await limited({ cpu: '0', memory: '0' }),
  when: configChanged,
  then: ({ state: after }) => {
    expect(fileOf(after, path)).toContain('shared_buffers: "262144"');
    expect(fileOf(after, path)).toContain('max_parallel_workers: "8"');
  },
});

scenario('commits wait for a quorum when that is wanted', {
  charm: underTest,
  given: async () => await configured({ synchronous_mode_quorum: true, failover_ttl: 30 }),
  when: configChanged,
  then: ({ state: after, disturbances }) => {
    expect(after.world.patroni.config).toMatchObject({ synchronous_mode: 'quorum', ttl: 30 });
    // The member's own file has what a new cluster would start with.
    expect(fileOf(after, path)).toContain('synchronous_mode: true');
    expect(disturbances).toEqual(['Patroni of postgresql-k8s-0 reloaded its file']);
  },
});

scenario('how commits wait stays as it was for as long as nobody leads', {
  charm: underTest,
  given: async () => {
    const given = await configured({ synchronous_mode_quorum: false, failover_ttl: 30 });
    const config = { ...given.world.patroni.config, synchronous_mode: 'quorum' };
    return inWorld(given, { patroni: { config, members: [replica(0)] } });
  },
  when: configChanged,
  then: ({ state: after }) => {
    expect(after.world.patroni.config).toMatchObject({ synchronous_mode: 'quorum', ttl: 30 });
  },
});

scenario('what is invalid stays Blocked until it is corrected', {
  charm: underTest,
  given: async () => await afterEvents(await configured(invalid), configChanged),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(after.unitStatus.message).toMatch(/^Configuration Error: synchronous_node_count /);
  },
});

scenario('options that Juju does not tell of are found by and by', {
  charm: underTest,
  given: async () => await configured({ profile: 'testing', failover_ttl: 30 }),
  when: updateStatus,
  then: ({ state: after, disturbances }) => {
    expect(fileOf(after, path)).not.toContain('shared_buffers');
    expect(after.world.patroni.config['ttl']).toBe(30);
    expect(disturbances).toEqual(['Patroni of postgresql-k8s-0 reloaded its file']);
  },
});

scenario('correcting the options is enough', {
  charm: underTest,
  given: async () => ({
    ...(await afterEvents(await configured(invalid), configChanged)),
    config: { synchronous_node_count: '1' },
  }),
  when: configChanged,
  then: ({ state: after }) => {
    expect(after.world.patroni.config['synchronous_node_count']).toBe(1);
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

scenario('settings that are corrected before the first start let it go on', {
  charm: underTest,
  given: async () => ({
    ...(await afterEvents({ ...admitted({ leader: true }), config: invalid }, configChanged)),
    config: {},
  }),
  when: configChanged,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

scenario('what would disturb the making of the database comes when it is made', {
  charm: underTest,
  given: async () =>
    await afterEvents(
      state({ leader: true, config: { request_default_transaction_read_only: true } }),
      leaderElected,
    ),
  when: pebbleReady('postgresql'),
  then: ({ state: after, disturbances, interruptions }) => {
    const files = interruptions.map(({ state: then }) => fileOf(then, path));
    const first = files.find((file) => file !== undefined);

    expect(first).not.toContain('default_transaction_read_only');
    expect(fileOf(after, path)).toContain('default_transaction_read_only: "on"');
    expect(disturbances).toContain('Patroni of postgresql-k8s-0 reloaded its file');
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

scenario('settings that come before the first leader are looked at when there is one', {
  charm: underTest,
  given: state({ config: { profile: 'testing' } }),
  when: configChanged,
  then: ({ state: after }) => {
    expect(fileOf(after, path)).toBeUndefined();
    expect(after.unitStatus.message).toBe('awaiting for cluster to start');
  },
});

scenario('a member that is down finds its settings when it starts', {
  charm: underTest,
  given: async () =>
    inWorld(
      {
        ...(await running({ number: 1, others: [0], primary: 0 })),
        config: { profile: 'testing' },
      },
      {
        patroni: {
          members: [
            { name: 'postgresql-k8s-0', role: 'leader', state: 'running', timeline: 1 },
            {
              name: 'postgresql-k8s-1',
              role: 'replica',
              state: 'stopped',
              timeline: 1,
              silent: 'refused',
            },
          ],
        },
      },
    ),
  when: configChanged,
  then: ({ state: after }) => {
    expect(fileOf(after, path)).not.toContain('shared_buffers');
    expect(after.unitStatus).toEqual({ level: 'waiting', message: 'awaiting for member to start' });
  },
});

scenario('settings that change while a member starts are in force when it has', {
  charm: underTest,
  given: async () => {
    const starting = inWorld(withData(admitted({ leader: true })), {
      patroni: { members: [], starts: 'starting' },
    });
    const given = await afterEvents(starting, leaderElected, pebbleReady('postgresql'));
    return inWorld(
      { ...given, config: { profile: 'testing' } },
      { patroni: { starts: 'running' } },
    );
  },
  when: configChanged,
  then: ({ state: after, walks, disturbances }) => {
    expect(walks[0]).toMatchObject({ handler: 'postgresql-pebble-ready', end: 'return' });
    expect(fileOf(after, path)).not.toContain('shared_buffers');
    expect(disturbances).toEqual(['Patroni of postgresql-k8s-0 reloaded its file']);
  },
});

scenario('settings that a killed hook has written, but not told Patroni, are told to it', {
  charm: underTest,
  given: async () => {
    const given = await configured({ profile: 'testing' });
    const result = await run({ charm: underTest, state: given, event: configChanged });
    const killed = result.interruptions.find(
      ({ state: then }) => fileOf(then, path)?.includes('shared_buffers') === false,
    );
    if (killed === undefined) throw new Error('no moment at which only the file was there');
    return killed.state;
  },
  when: configChanged,
  then: ({ disturbances }) => {
    expect(disturbances).toEqual(['Patroni of postgresql-k8s-0 reloaded its file']);
  },
});
