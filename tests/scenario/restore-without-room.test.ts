// A restore that has no room to keep the data of before: once they have begun to go, the only way is on.

import { expect, test } from '@jest/globals';

import { action, updateStatus } from '../support/scenario/events.ts';
import { markFile, root, serviceOf } from '../support/scenario/postgresql/cluster-restore.ts';
import {
  after as afterEvents,
  dataFile,
  fileOf,
  inContainer,
  inWorld,
  remembering,
  underTest,
  withBackup,
} from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import { run } from '../support/scenario/run.ts';

const order = action('restore', { 'backup-id': '2026-01-30T12:00:00Z' });

/** All moments at which the action may have been killed with the database down. */
async function stopped(): Promise<readonly PostgresqlState[]> {
  const given = inWorld(remembering(await withBackup()), {
    volume: { freeBytes: 100_000_000, usedBytes: 2 ** 30 },
  });
  const { interruptions } = await run({ charm: underTest, state: given, event: order });
  return interruptions
    .map(({ state }) => state)
    .filter((one) => fileOf(one, markFile)?.includes('"phase":"stopped"') === true)
    .filter((one) => serviceOf(one) !== 'active');
}

/** Some files have gone already, and those that tell what it is have not. */
const half = (given: PostgresqlState) =>
  inContainer(given, ({ files }) => ({
    files: Object.fromEntries(
      Object.entries(files).filter(([path]) => path !== `${root}/pgdata/global/pg_control`),
    ),
  }));

const hindrances: Readonly<Record<string, (given: PostgresqlState) => PostgresqlState>> = {
  'Kubernetes does not answer': (given) =>
    inWorld(given, { kube: { faults: { 'delete endpoints': 'unreachable' } } }),
  'another unit has been added': (given) => {
    const labels = { application: 'patroni', 'cluster-name': 'patroni-postgresql-k8s' };
    const name = 'postgresql-k8s-1';
    const pod = { metadata: { name, labels } };
    return inWorld(given, {
      kube: { objects: { ...given.world.kube.objects, [`pods/${name}`]: pod } },
    });
  },
};

for (const [what, hinder] of Object.entries(hindrances)) {
  test(`what is left of the data of before is not started when ${what}`, async () => {
    const states = (await stopped()).filter((one) => fileOf(one, dataFile) !== undefined);
    for (const state of states) {
      const hindered = hinder(half(state));
      const waits = await run({ charm: underTest, state: hindered, event: updateStatus });

      expect(serviceOf(waits.state)).toBe('inactive');
      expect(fileOf(waits.state, markFile)).toContain('"phase":"stopped"');
      expect(waits.log.map(({ message }) => message).join('\n')).toContain('; it is tried again');

      const free = inWorld(waits.state, { kube: state.world.kube });
      expect(fileOf(await afterEvents(free, updateStatus, updateStatus), markFile)).toBeUndefined();
    }

    expect(states.length).toBeGreaterThan(0);
  });
}
