// The leader takes a restore of the cluster to its end whatever has become of its own member.

import { expect, test } from '@jest/globals';

import { relationChanged, updateStatus } from '../support/scenario/events.ts';
import {
  appData,
  keptOn,
  objectsOf,
  othersStarted,
  peersOf,
  phaseOf,
  request,
  told,
  waiting,
  withBags,
} from '../support/scenario/postgresql/cluster-restore.ts';
import {
  after as afterEvents,
  inContainer,
  inWorld,
  primary,
  replica,
  stanza,
  underTest,
  withBackup,
} from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';

const archives = ({ world }: PostgresqlState) =>
  JSON.stringify(world.patroni.config).includes('archive-push');

const downs: Readonly<Record<string, (given: PostgresqlState) => PostgresqlState>> = {
  'container is down': (given) =>
    inContainer(given, () => ({ canConnect: false, services: {}, layers: [] })),
  'Patroni is down': (given) =>
    inContainer(given, ({ services }) => ({
      services: { ...services, postgresql: { current: 'error' } },
    })),
};

/** The unit that restores has told how it went. */
async function ended(result: object): Promise<PostgresqlState> {
  const given = { ...(await waiting()), leader: true };
  const text = JSON.stringify({ id: 'r1', ...result });
  const bags = withBags(given, {
    app: { stanza },
    others: { 'restore-stopped': 'r1', 'restore-result': text },
  });
  return inWorld(bags, { patroni: { members: [primary(0)] } });
}

/** All others have begun to copy, and so has the leader, before its member went down. */
async function copying(members: PostgresqlState['world']['patroni']['members']) {
  const given = othersStarted({
    ...(await afterEvents(await told('clone'), updateStatus)),
    leader: true,
  });
  const config = { postgresql: { parameters: { archive_command: '/bin/false' } } };
  const name = keptOn.replace('services/', '');
  const kept = {
    [keptOn]: { metadata: { name, annotations: { 'postgresql.charm/before-restore': '{}' } } },
  };
  return inWorld(withBags(given, { app: { stanza } }), {
    patroni: { members, config },
    kube: { objects: { ...objectsOf(given), ...kept } },
  });
}

for (const [what, down] of Object.entries(downs)) {
  scenario(`a leader whose ${what} tells the others to copy the restored data`, {
    charm: underTest,
    given: async () => down(await ended({ state: 'restored' })),
    when: updateStatus,
    loosen: { secondRun: 'where it can, the next hook copies the data itself' },
    then: ({ state: after }) => {
      expect(phaseOf(after)).toBe('clone');
    },
  });

  scenario(`a leader whose ${what} tells the others to start with theirs`, {
    charm: underTest,
    given: async () => down(await ended({ state: 'failed', failure: 'no WAL' })),
    when: updateStatus,
    then: ({ state: after }) => {
      expect(phaseOf(after)).toBe('keep');
      expect(appData(after)['restore-failure']).toMatch(/ no WAL$/);
    },
    loosen: { secondRun: 'the next hook takes the request away' },
  });

  scenario(`a leader whose ${what} ends a restore that all have copied`, {
    charm: underTest,
    given: async () => down(await copying([primary(0), replica(2)])),
    when: updateStatus,
    then: ({ state: after }) => {
      expect(appData(after)).not.toHaveProperty('restore-request');
      expect(archives(after)).toBe(true);
      expect(objectsOf(after)[keptOn]?.metadata.annotations ?? {}).toEqual({});
    },
  });

  test(`a leader whose ${what} waits for a member that answers`, async () => {
    const given = down(await copying([]));

    const after = await afterEvents(given, updateStatus, relationChanged(peersOf(given)));

    expect(phaseOf(after)).toBe('clone');
  });
}

test('a primary says that the leader keeps its WAL from being archived', async () => {
  const given = othersStarted(
    withBags(await withBackup({ others: [1, 2] }), {
      app: { 'restore-request': request('clone') },
    }),
  );

  const after = await afterEvents({ ...given, leader: false }, updateStatus);

  expect(after.unitStatus.message).toBe(
    'Primary (no WAL is archived until the leader has ended the restore)',
  );
});
