// Kubernetes or Pebble away in the middle of a hook: no hook fails, the unit says what it waits for,
// and update-status makes up for what could not be done.

import { expect } from '@jest/globals';

import { patroniConfigPath } from '../../src/core/names.ts';
import { noSpaceLeft } from '../../src/core/status.ts';
import { configChanged, leaderElected, updateStatus } from '../support/scenario/events.ts';
import { withFiles, without } from '../support/scenario/postgresql/cluster-restore.ts';
import {
  after as afterEvents,
  fileOf,
  inWorld,
  passwords,
  running,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import { type PostgresqlState, state } from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';

const away = (given: PostgresqlState) =>
  inWorld(given, { kube: { faults: { '*': 'unreachable' } } });
const back = (given: PostgresqlState) => inWorld(given, { kube: { faults: {} } });
const waiting = { level: 'waiting', message: 'waiting for the Kubernetes API' };

scenario('a leader that cannot reach Kubernetes waits for it', {
  charm: underTest,
  given: away(state({ leader: true, secrets: [passwords] })),
  when: leaderElected,
  then: ({ state: after, log }) => {
    expect(after.unitStatus).toEqual(waiting);
    expect(log.filter(({ level }) => level === 'ERROR')).toEqual([]);
  },
});

scenario('changed options wait for Kubernetes', {
  charm: underTest,
  given: async () => ({
    ...away(await running({ leader: true, others: [1] })),
    config: { logging_log_lock_waits: true },
  }),
  when: configChanged,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual(waiting);
  },
});

scenario('what waited for Kubernetes is done by update-status', {
  charm: underTest,
  given: async () =>
    back(await afterEvents(away(state({ leader: true, secrets: [passwords] })), leaderElected)),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(Object.keys(after.world.kube.objects)).toContain('services/postgresql-k8s-primary');
  },
});

scenario('options that waited for Kubernetes are applied by update-status', {
  charm: underTest,
  given: async () => {
    const given = away(await running({ leader: true, others: [1] }));
    const changed = { ...given, config: { logging_log_lock_waits: true } };
    return back(await afterEvents(changed, configChanged));
  },
  when: updateStatus,
  then: ({ state: after }) => {
    const file = after.containers['postgresql']?.files[patroniConfigPath];
    expect(file?.type === 'file' && file.content).toContain('log_lock_waits: "on"');
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});

const filler = '/var/lib/postgresql/data/pgdata/filling';

/** Nothing more can be written on the volume. */
const full = async () => {
  const given = inWorld(await running({ leader: true }), { volume: { filledBy: 'filling' } });
  return withFiles({ ...given, config: { logging_log_lock_waits: true } }, { [filler]: 'rows' });
};

scenario('options that cannot be written on a full volume fail no hook', {
  charm: underTest,
  given: full,
  when: configChanged,
  then: ({ state: after }) => {
    expect(after.unitStatus).toEqual(noSpaceLeft);
  },
});

scenario('they are applied by update-status when there is room', {
  charm: underTest,
  given: async () => without(await afterEvents(await full(), configChanged), filler),
  when: updateStatus,
  then: ({ state: after }) => {
    expect(fileOf(after, patroniConfigPath)).toContain('log_lock_waits: "on"');
    expect(after.unitStatus).toEqual({ level: 'active', message: 'Primary' });
  },
});
