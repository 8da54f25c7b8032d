// A pod that was replaced: whatever hook comes first starts the member again.

import { expect } from '@jest/globals';

import { fileEntry } from '../support/pebble-state.ts';
import { configChanged, lifecycle, pebbleReady, updateStatus } from '../support/scenario/events.ts';
import {
  admitted,
  after as afterEvents,
  fileOf,
  inContainer,
  inNewContainer,
  inWorld,
  running,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';

for (const { hook, event } of [
  { hook: 'upgrade-charm', event: lifecycle('upgrade-charm') },
  { hook: 'config-changed', event: configChanged },
  { hook: 'postgresql-pebble-ready', event: pebbleReady('postgresql') },
]) {
  scenario(`the member of a new pod starts in ${hook}`, {
    charm: underTest,
    given: async () => inNewContainer(await running({ number: 1, others: [0], primary: 0 })),
    when: event,
    then: ({ state: after }) => {
      expect(after.containers['postgresql']?.services).toMatchObject({
        postgresql: { current: 'active' },
        watcher: { current: 'active' },
      });
      expect(after.unitStatus).toEqual({ level: 'active', message: '' });
    },
  });
}

const path = '/var/lib/postgresql/data/patroni.yml';

/** In another pod: with another address, on a node with so many cores. */
function inNewPod(given: PostgresqlState, cpu = '4'): PostgresqlState {
  const { objects } = given.world.kube;
  const { 'pods/postgresql-k8s-1': pod, 'nodes/node-1': node } = objects;
  if (pod === undefined || node === undefined) throw new Error('no pod');
  return inWorld(inNewContainer(given), {
    kube: {
      objects: {
        ...objects,
        'pods/postgresql-k8s-1': { ...pod, status: { podIP: '10.9.9.9' } },
        'nodes/node-1': { ...node, status: { allocatable: { cpu, memory: '8Gi' } } },
      },
    },
  });
}

const before = { profile: 'testing', cpu_max_parallel_workers: '3', memory_work_mem: 5000 };

/** A replica that has taken these options over; then Juju gives others, and nobody has corrected them yet. */
async function mistaken(config: PostgresqlState['config']): Promise<PostgresqlState> {
  const given = await running({ number: 1, others: [0], primary: 0 });
  const right = await afterEvents({ ...given, config: before }, configChanged);
  return await afterEvents({ ...right, config: { ...before, ...config } }, configChanged);
}

const wrong = { profile: 'huge', memory_work_mem: 9000 };

for (const event of [pebbleReady('postgresql'), updateStatus]) {
  scenario(`a new pod runs with its own address and the options of before (${event.event.name})`, {
    charm: underTest,
    given: async () => inNewPod(await mistaken(wrong)),
    when: event,
    then: ({ state: after, log }) => {
      const file = fileOf(after, path);

      expect(file).toContain('pod_ip: 10.9.9.9');
      expect(file).toContain('work_mem: 5000kB');
      expect(file).not.toContain('shared_buffers');
      expect(after.containers['postgresql']?.services).toMatchObject({
        postgresql: { current: 'active' },
      });
      expect(after.unitStatus).toEqual({
        level: 'blocked',
        message: 'Configuration Error: profile has to be one of production, testing, not "huge"',
      });
      expect(log.filter(({ level }) => level === 'ERROR')).toEqual([]);
    },
  });
}

scenario('so does one that is too small for what another could have', {
  charm: underTest,
  given: async () => {
    const given = await running({ number: 1, others: [0], primary: 0 });
    const config = { cpu_max_parallel_maintenance_workers: '35' };
    return inNewPod(await afterEvents({ ...given, config }, configChanged), '2');
  },
  when: pebbleReady('postgresql'),
  then: ({ state: after }) => {
    const file = fileOf(after, path);

    expect(file).toContain('pod_ip: 10.9.9.9');
    expect(file).toContain('max_parallel_maintenance_workers: "35"');
    // Of its own cores.
    expect(file).toContain('max_parallel_workers: "4"');
    expect(after.containers['postgresql']?.services).toMatchObject({
      postgresql: { current: 'active' },
    });
    expect(after.unitStatus.message).toBe(
      'Configuration Error: cpu_max_parallel_maintenance_workers value 35 exceeds maximum allowed ' +
        'of 20 (10 * vCores). Please set a value <= 20.',
    );
  },
});

scenario('a unit that has never had right options starts nothing on a file that it finds', {
  charm: underTest,
  given: inContainer(
    { ...admitted({ number: 1, others: [0], primary: 0 }), config: wrong },
    ({ files }) => ({ files: { ...files, [path]: fileEntry('scope: another\n') } }),
  ),
  when: pebbleReady('postgresql'),
  then: ({ state: after }) => {
    expect(after.containers['postgresql']?.services).toEqual({});
    expect(fileOf(after, path)).toBe('scope: another\n');
    expect(after.unitStatus.message).toMatch(/^Configuration Error: profile /);
  },
});
