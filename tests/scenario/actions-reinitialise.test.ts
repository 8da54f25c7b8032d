// reinitialise-replica: rebuilds a replica, and refuses whatever could lose data.

import { expect } from '@jest/globals';

import { action } from '../support/scenario/events.ts';
import {
  inContainer,
  inWorld,
  primary,
  replica,
  running,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import { type PostgresqlState, state } from '../support/scenario/postgresql/postgresql.ts';
import type { PatroniMember } from '../support/scenario/postgresql/world.ts';
import { scenario } from '../support/scenario/scenario.ts';

/** Unit 1 follows unit 0, in the given state. */
async function replicaThatIs(
  own: Partial<PatroniMember>,
  leader: Partial<PatroniMember> = {},
): Promise<PostgresqlState> {
  const given = await running({ number: 1, others: [0, 2], primary: 0 });
  return inWorld(given, {
    patroni: {
      members: [{ ...primary(0), ...leader }, { ...replica(1), ...own }, replica(2)],
    },
  });
}

const broken = { state: 'running', lagBytes: 90_000_000, role: 'replica' } as const;
const rebuild = action('reinitialise-replica');

scenario('a replica that cannot follow is rebuilt from the primary', {
  charm: underTest,
  given: async () => await replicaThatIs(broken),
  when: rebuild,
  then: ({ state: after, action: { results, log }, disturbances }) => {
    expect(results).toEqual({ status: 'replica rebuilt' });
    expect(log).toEqual([
      'deleting the data of postgresql-k8s/1 and copying that of postgresql-k8s/0',
    ]);
    expect(disturbances).toEqual(['Patroni cloned postgresql-k8s-1 anew']);
    expect(after.world.patroni.members[1]).toMatchObject({ state: 'streaming', lagBytes: 0 });
  },
});

scenario('a healthy replica is rebuilt with force', {
  charm: underTest,
  given: async () => await replicaThatIs({}),
  when: action('reinitialise-replica', { force: true }),
  then: ({ action: { results } }) => {
    expect(results).toEqual({ status: 'replica rebuilt' });
  },
  loosen: {
    secondRun: 'with force a healthy replica is rebuilt each time',
    differences: [
      { path: 'world.patroni.members', because: 'the server was started once more' },
      { path: 'relations', because: 'the server was started once more, which the others are told' },
    ],
  },
});

scenario('a copy that takes its time goes on without the action', {
  charm: underTest,
  given: async () =>
    inWorld(await replicaThatIs({ ...broken, state: 'creating replica' }), {
      patroni: {
        faults: { 'POST /reinitialize': { status: 200, body: 'reinitialize started' } },
      },
      pgbackrest: { copyPercent: 42.5 },
    }),
  when: rebuild,
  then: ({ action: { results, log } }) => {
    expect(results).toEqual({ status: 'rebuilding' });
    expect(log).toEqual([
      'deleting the data of postgresql-k8s/1 and copying that of postgresql-k8s/0',
      'creating replica: 40 %',
      'Patroni goes on by itself; the unit status tells when the replica is up',
    ]);
  },
});

const noPrimary = 'There is no healthy primary to copy from; nothing has been changed.';
const leads = 'This unit is the primary: promote another unit first.';
const backup = 'A backup is being made; run the action again when it has ended.';

const refused: readonly {
  readonly summary: string;
  readonly given: PostgresqlState | (() => Promise<PostgresqlState>);
  readonly force?: true;
  readonly message: string;
}[] = [
  {
    summary: 'before the cluster is initialised',
    given: state({ leader: true }),
    message: 'Cluster not initialised yet.',
  },
  {
    summary: 'on the primary',
    given: async () => await running({ leader: true, others: [1] }),
    message: leads,
  },
  {
    summary: 'on the primary, also with force',
    given: async () => await running({ leader: true, others: [1] }),
    force: true,
    message: leads,
  },
  {
    summary: 'for a healthy replica',
    given: async () => await replicaThatIs({ lagBytes: 16 }),
    message:
      'This replica is healthy: streaming, 16 bytes behind. ' +
      'Use force=true to rebuild it all the same.',
  },
  {
    summary: 'while there is no primary',
    given: async () => await replicaThatIs(broken, { role: 'replica' }),
    force: true,
    message: noPrimary,
  },
  {
    summary: 'while the primary starts',
    given: async () => await replicaThatIs(broken, { state: 'starting' }),
    force: true,
    message: noPrimary,
  },
  {
    summary: 'while the primary does not answer',
    given: async () => await replicaThatIs(broken, { silent: 'timeout' }),
    force: true,
    message: noPrimary,
  },
  {
    summary: 'while a backup is made',
    given: async () => inWorld(await replicaThatIs(broken), { pgbackrest: { backupRuns: true } }),
    force: true,
    message: backup,
  },
  {
    summary: 'while this replica is backed up',
    given: async () => {
      const given = await replicaThatIs(broken);
      const relations = given.relations.map((each) => ({
        ...each,
        localUnit: { ...each.localUnit, connectivity: 'off' },
      }));
      return { ...given, relations };
    },
    force: true,
    message: backup,
  },
  {
    summary: 'while a backup is restored',
    given: async () => {
      const given = await replicaThatIs(broken);
      const relations = given.relations.map((each) => ({
        ...each,
        localApp: { ...each.localApp, 'restoring-backup': '20260130-120000F' },
      }));
      return { ...given, relations };
    },
    force: true,
    message: 'A backup is being restored; nothing has been changed.',
  },
  {
    summary: 'without the own Patroni',
    given: async () =>
      inContainer(await replicaThatIs(broken), ({ services }) => ({
        services: { ...services, postgresql: { current: 'inactive' } },
      })),
    force: true,
    message: 'Patroni of this unit does not answer, and it is what rebuilds the data.',
  },
  {
    summary: 'by a Patroni that does something else',
    given: async () =>
      inWorld(await replicaThatIs(broken), {
        patroni: { faults: { 'POST /reinitialize': { status: 503, body: 'restart in progress' } } },
      }),
    message:
      'Patroni did not begin: cannot clone the member anew: Patroni answered 503 "restart in progress"',
  },
];
for (const { summary, given, force = false, message } of refused) {
  scenario(`a rebuild is refused ${summary}`, {
    charm: underTest,
    given,
    when: action('reinitialise-replica', { force }),
    then: ({ action: { failed, results }, disturbances }) => {
      expect(failed).toBe(message);
      expect(results).toEqual({});
      expect(disturbances).toEqual([]);
    },
    loosen: { killChecks: 'nothing is changed; update-status heals what the scenario has broken' },
  });
}
