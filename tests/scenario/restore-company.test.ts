// Who else is there when a restore makes Patroni forget the cluster, and what that would make of it: a
// member that starts at the same moment, and a database that is not the restored one.

import { expect, test } from '@jest/globals';

import type { Kube } from '../../lib/kube/kube.ts';
import { charm } from '../../src/hooks.ts';
import { action, pebbleReady, updateStatus } from '../support/scenario/events.ts';
import type { Host } from '../support/scenario/host.ts';
import {
  alone,
  annotationsOf,
  appData,
  asideFile,
  configName,
  expectOldState,
  markFile,
  phaseOf,
  serviceOf,
} from '../support/scenario/postgresql/cluster-restore.ts';
import {
  admitted,
  after as afterEvents,
  dataFile,
  fileOf,
  inWorld,
  primary,
  remembering,
  replica,
  underTest,
  withBackup,
} from '../support/scenario/postgresql/journey.ts';
import { type PostgresqlState, postgresql } from '../support/scenario/postgresql/postgresql.ts';
import type { PostgresqlWorld } from '../support/scenario/postgresql/world.ts';
import { run } from '../support/scenario/run.ts';

const restore = action('restore', { 'backup-id': '2026-01-30T12:00:00Z' });
const ready = pebbleReady('postgresql');

/** With Kubernetes in which something else happens at the same time as a call. */
function during(change: (kube: Kube, host: Host<PostgresqlWorld>) => Partial<Kube>) {
  const whole = postgresql(charm);
  return {
    ...whole,
    ports: (host: Host<PostgresqlWorld>) => {
      const ports = whole.ports(host);
      return { ...ports, kube: { ...ports.kube, ...change(ports.kube, host) } };
    },
  };
}

/** Another unit, whose pod is a member's. */
function joined(given: PostgresqlWorld, number = 1): PostgresqlWorld {
  const labels = { application: 'patroni', 'cluster-name': 'patroni-postgresql-k8s' };
  const name = `postgresql-k8s-${number}`;
  const objects = { ...given.kube.objects, [`pods/${name}`]: { metadata: { name, labels } } };
  return { ...given, kube: { ...given.kube, objects } };
}

const joining = (given: PostgresqlState, number = 1): PostgresqlState => ({
  ...given,
  world: joined(given.world, number),
});

const meanwhile = {
  'right before Patroni forgets': during((kube, { world }) => ({
    list: async (kind, selector) => {
      // The first look is that of the admission.
      const found = await kube.list(kind, selector);
      world.update((now) => joined(now));
      return found;
    },
  })),
  'right after': during((kube, { world }) => ({
    delete: async (kind, name) => {
      world.update((now) => joined(now));
      await kube.delete(kind, name);
    },
  })),
};

for (const [when, world] of Object.entries(meanwhile)) {
  test(`a unit that starts while the only one stops is seen ${when}`, async () => {
    const given = remembering(await withBackup());

    const {
      state: after,
      action: ended,
      calls,
    } = await run({ charm: world, state: given, event: restore });

    expect(ended.failed).toMatch(
      /^Failed to remove previous .*: postgresql-k8s\/1 is a member, too$/,
    );
    expect(calls.some(({ method }) => method === 'delete')).toBe(when === 'right after');
    expectOldState(after);
    expect(fileOf(after, dataFile)).toBe('17\n');
    expect(fileOf(after, markFile)).toBeUndefined();
    expect(serviceOf(after)).toBe('active');
  });
}

for (const [what, others] of [
  ['an only unit', []],
  ['a cluster', [1, 2]],
] as const) {
  test(`${what} is not restored while another unit comes or goes`, async () => {
    const given = joining(await withBackup({ others }), 3);

    const { action: ended, disturbances } = await run({
      charm: underTest,
      state: given,
      event: action('restore', {
        'backup-id': '2026-01-30T12:00:00Z',
        'all-units': others.length > 0,
      }),
    });

    expect(ended.failed).toBe('Units are being added or removed: wait until that is over');
    expect(disturbances).toEqual([]);
  });
}

test('nor is it when nobody can say who is there', async () => {
  const given = inWorld(await withBackup(), { kube: { faults: { 'list pods': 'unreachable' } } });

  const { action: ended } = await run({ charm: underTest, state: given, event: restore });

  expect(ended.failed).toMatch(/^Kubernetes does not tell who is a member: /);
});

for (const [how, members] of Object.entries({
  'Patroni sees it start': [primary(0), replica(3, 'starting')],
  'Patroni does not see it': [primary(0)],
  'Patroni does not answer': [{ ...primary(0), silent: 'timeout' as const }],
})) {
  test(`a unit that is being removed has to be gone first, when ${how}`, async () => {
    const given = joining(inWorld(await alone(), { patroni: { members } }), 3);

    const { state: waits, disturbances } = await run({
      charm: underTest,
      state: given,
      event: updateStatus,
    });

    expect(disturbances).toEqual([]);
    expect(waits.unitStatus.message).toBe('the restore waits until postgresql-k8s/3 stop');

    const { 'pods/postgresql-k8s-3': _, ...objects } = waits.world.kube.objects;
    const begun = await afterEvents(inWorld(waits, { kube: { objects } }), updateStatus);
    expect(fileOf(begun, asideFile)).toBe('17\n');
  });
}

test('as long as Kubernetes does not say who is there, the restore of a cluster waits', async () => {
  const faults = { 'list pods': 'unreachable' } as const;

  const waits = await afterEvents(inWorld(await alone(), { kube: { faults } }), updateStatus);

  expect(fileOf(waits, dataFile)).toBe('17\n');
  expect(fileOf(waits, markFile)).toBeUndefined();
  expect(serviceOf(waits)).toBe('active');
  expect(waits.unitStatus.message).toBe('restoring backup');
});

/** Another unit makes Patroni forget when this one has already looked at its volume. */
const forgottenMeanwhile = during((kube) => ({
  patch: async (kind, name, change) => {
    if (kind === 'pods') await kube.delete('endpoints', 'patroni-postgresql-k8s-config');
    return await kube.patch(kind, name, change);
  },
}));

test('a unit whose cluster is forgotten while it starts makes no empty database', async () => {
  const given = remembering(
    admitted({ number: 1, others: [0], world: { patroni: { members: [] } } }),
  );

  const { state: after, walks } = await run({
    charm: forgottenMeanwhile,
    state: given,
    event: ready,
  });

  expect(annotationsOf(given, configName)).toBeDefined();
  expect(walks[0]?.end).toBe('defer');
  expect(annotationsOf(after, configName)).toBeUndefined();
  expect(serviceOf(after)).toBeUndefined();

  const reached = await afterEvents(inWorld(after, { patroni: { members: [primary(0)] } }), ready);
  expect(serviceOf(reached)).toBe('active');
});

/** What answers is another database than that of the backup. */
const strange = (given: PostgresqlState) =>
  inWorld(given, { patroni: { systemIdentifier: '7599999999999999999' } });

const reason =
  'another database answers (system identifier 7599999999999999999, not 7588888888888888888)';

for (const [what, members] of [
  ['that leads here', []],
  ['that has been copied from another unit', [replica(0), primary(1)]],
] as const) {
  test(`a database ${what}, and was not restored, is none to delete the data of before for`, async () => {
    const begun = await afterEvents(remembering(await withBackup()), restore);
    const given = inWorld(strange(begun), { patroni: { members } });
    const { state: after, interruptions } = await run({
      charm: underTest,
      state: given,
      event: updateStatus,
    });
    const reached = [after];
    for (const { state: killed } of interruptions) {
      reached.push(await afterEvents(killed, updateStatus));
    }

    expect(appData(after)['restore-failure']).toContain(reason);
    expect(reached.length).toBeGreaterThan(8);
    for (const one of reached) {
      expectOldState(one);
      expect(fileOf(one, dataFile)).toBe('17\n');
      expect(serviceOf(one)).toBe('active');
    }
  });
}

test('such a database keeps nobody from cancel-restore', async () => {
  const begun = await afterEvents(remembering(await withBackup()), restore);
  const given = inWorld(strange(begun), { patroni: { members: [primary(0)] } });

  const { state: after, action: ended } = await run({
    charm: underTest,
    state: given,
    event: action('cancel-restore'),
  });

  expect(ended.failed).toBeUndefined();
  expectOldState(after);
  expect(fileOf(after, dataFile)).toBe('17\n');
});

test('nor is it what a cluster copies', async () => {
  const begun = await afterEvents(await alone(), updateStatus);
  const given = inWorld(strange(begun), { patroni: { members: [primary(0)] } });

  const after = await afterEvents(given, updateStatus);

  expectOldState(after);
  expect(phaseOf(after)).toBe('keep');
  expect(appData(after)['restore-failure']).toContain(reason);
  expect(fileOf(after, dataFile)).toBe('17\n');
});

test('where there was no room for the data of before, such a database is stopped', async () => {
  const volume = { freeBytes: 100_000_000, usedBytes: 2 ** 30 };
  const begun = await afterEvents(inWorld(await withBackup(), { volume }), restore);

  const after = await afterEvents(strange(begun), updateStatus, updateStatus);

  expect(fileOf(after, asideFile)).toBeUndefined();
  expect(serviceOf(after)).toBe('inactive');
  expect(after.unitStatus.message).toBe(
    `Failed to restore backup: ${reason}; no data are left here, restore another backup`,
  );
});
