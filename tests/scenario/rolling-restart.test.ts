// Changed parameters that need a restart: the leader restarts one member after another, and goes on
// wherever it was interrupted.

import { describe, expect } from '@jest/globals';

import {
  configChanged,
  leaderElected,
  pebbleNotice,
  relationChanged,
  updateStatus,
} from '../support/scenario/events.ts';
import {
  after as afterEvents,
  inWorld,
  primary,
  replica,
  running,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import type { HttpFault, PatroniMember } from '../support/scenario/postgresql/world.ts';
import type { RunResult } from '../support/scenario/run.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { type DataBag, relationOf } from '../support/scenario/state.ts';

type Result = RunResult<PostgresqlState['world']>;

const memory = { shared_buffers: ['128MB', '1GB'] } as const;
const fewer = { max_connections: ['200', '100'] } as const;

function marked(
  member: PatroniMember,
  pendingChanges: NonNullable<PatroniMember['pendingChanges']> = memory,
): PatroniMember {
  return { ...member, pendingRestart: true, pendingChanges };
}

const three = [marked(primary(0)), marked(replica(1)), marked(replica(2))] as const;

interface Due {
  readonly members: readonly PatroniMember[];
  readonly others?: readonly number[];
  readonly faults?: Readonly<Record<string, HttpFault>>;
  readonly config?: Readonly<Record<string, boolean>>;
  /** `failover_loop_wait`, with a ttl that goes with it. */
  readonly turn?: number;
  /** Databag of unit 1 beyond what every unit has. */
  readonly ofUnit1?: DataBag;
  /** Further keys of the application's databag. */
  readonly app?: DataBag;
}

/** A leader with units that have all taken over a configuration which not every member runs with. */
async function due({ members, others = [1, 2], ...part }: Due): Promise<PostgresqlState> {
  const { turn = 5 } = part;
  const started = await running({ leader: true, others });
  const options = turn === 5 ? {} : { failover_loop_wait: turn, failover_ttl: turn + 20 };
  const before = await afterEvents({ ...started, config: options }, configChanged);
  const peers = relationOf(before, 'database-peers');
  const hash = peers.localUnit['config_hash'] ?? '';
  const bags = others.map((number): [string, DataBag] => [
    `postgresql-k8s/${number}`,
    { config_hash: hash, ...(number === 1 ? part.ofUnit1 : {}) },
  ]);
  const { 'restart-round': _begun, ...told } = peers.localApp;
  const localApp = { ...told, config_hash: 'of another configuration', ...part.app };
  const changed = { ...peers, localApp, remoteUnits: Object.fromEntries(bags) };
  const { patroni } = before.world;
  return inWorld(
    {
      ...before,
      relations: before.relations.map((one) => (one === peers ? changed : one)),
    },
    {
      patroni: {
        members,
        faults: part.faults ?? {},
        config: { ...patroni.config, ...part.config },
      },
    },
  );
}

const peersChanged = (given: PostgresqlState) =>
  relationChanged(relationOf(given, 'database-peers'), 'postgresql-k8s/1');

/** Reading a file again disturbs nobody. */
const restartsOf = ({ disturbances }: Pick<Result, 'disturbances'>) =>
  disturbances.filter((one) => !one.endsWith('reloaded its file'));

const appData = (state: PostgresqlState) => relationOf(state, 'database-peers').localApp;

/** Every member runs with the configuration, and nothing is left to be done. */
function expectFinished({ state: after }: Pick<Result, 'state'>): void {
  const { localApp, localUnit } = relationOf(after, 'database-peers');
  expect(localApp['config_hash']).toBe(localUnit['config_hash']);
  expect(localApp).not.toHaveProperty('restart-round');
  expect(localApp).not.toHaveProperty('restart-failure');
  expect(after.world.patroni.members.filter((one) => one.pendingRestart)).toEqual([]);
}

/** Nobody was restarted, and that it is due is not forgotten. */
function expectWaiting({ state: after, disturbances }: Result): void {
  expect(restartsOf({ disturbances })).toEqual([]);
  expect(appData(after)['config_hash']).toBe('of another configuration');
}

describe('a round', () => {
  scenario('restarts the replicas one after another, then the primary by a switchover', {
    charm: underTest,
    given: async () => await due({ members: three }),
    when: peersChanged,
    then: (result) => {
      expect(restartsOf(result)).toEqual([
        'Patroni restarted PostgreSQL of postgresql-k8s-1',
        'Patroni restarted PostgreSQL of postgresql-k8s-2',
        'Patroni switched over from postgresql-k8s-0 to postgresql-k8s-1',
      ]);
      expectFinished(result);
      expect(result.statusHistory.map(({ message }) => message)).toEqual([
        'restarting PostgreSQL on postgresql-k8s/1',
        'restarting PostgreSQL on postgresql-k8s/2',
        'restarting PostgreSQL on postgresql-k8s/0',
        '',
      ]);
    },
  });

  scenario('gets on however long a turn of Patroni takes', {
    charm: underTest,
    given: async () =>
      await due({ members: [marked(primary(0)), replica(1)], others: [1], turn: 60 }),
    when: peersChanged,
    then: (result) => {
      expect(restartsOf(result)).toEqual([
        'Patroni switched over from postgresql-k8s-0 to postgresql-k8s-1',
      ]);
      expectFinished(result);
    },
  });

  scenario('waits after a restart until Patroni counts the standby, with slow turns for long', {
    charm: underTest,
    given: async () =>
      await due({ members: [marked(primary(0)), marked(replica(1))], others: [1], turn: 60 }),
    when: peersChanged,
    loosen: {
      secondRun: 'a round goes on with every event',
      killOutcome: {
        because: 'the event after a kill goes on with the round',
        check: ({ world: { patroni } }) => {
          const former = patroni.members.find(({ name }) => name === 'postgresql-k8s-0');
          // In place only a primary loses its mark that stays one.
          expect(former?.pendingRestart ?? former?.role === 'sync_standby').toBe(true);
        },
      },
    },
    then: (result) => {
      expect(restartsOf(result)).toEqual(['Patroni restarted PostgreSQL of postgresql-k8s-1']);
      expect(appData(result.state)).toHaveProperty('restart-round');
    },
  });

  scenario('begins with the primary, in place, when standbys may not have less than it', {
    charm: underTest,
    given: async () =>
      await due({
        members: [marked(primary(0), fewer), marked(replica(1), fewer), marked(replica(2), fewer)],
      }),
    when: peersChanged,
    then: (result) => {
      expect(restartsOf(result)).toEqual([
        'Patroni restarted PostgreSQL of postgresql-k8s-0',
        'Patroni restarted PostgreSQL of postgresql-k8s-1',
        'Patroni restarted PostgreSQL of postgresql-k8s-2',
      ]);
      expectFinished(result);
    },
  });

  scenario('brings other changes to the replicas before a decrease, and the decrease after it', {
    charm: underTest,
    given: async () =>
      await due({
        others: [1],
        members: [
          marked(primary(0), { ...memory, ...fewer }),
          marked(replica(1), { ...memory, ...fewer }),
        ],
      }),
    when: peersChanged,
    then: (result) => {
      expect(restartsOf(result)).toEqual([
        'Patroni restarted PostgreSQL of postgresql-k8s-1',
        'Patroni restarted PostgreSQL of postgresql-k8s-0',
        'Patroni restarted PostgreSQL of postgresql-k8s-1',
      ]);
      expectFinished(result);
    },
  });

  scenario('waits for a replica that has just come up to become synchronous', {
    charm: underTest,
    given: async () =>
      await due({
        others: [1],
        turn: 60,
        members: [
          marked(primary(0)),
          {
            ...replica(1),
            role: 'replica',
            joins: { role: 'sync_standby', atMs: Date.UTC(2026, 0, 31, 12, 3, 0) },
          },
        ],
      }),
    when: peersChanged,
    then: (result) => {
      expect(restartsOf(result)).toEqual([
        'Patroni switched over from postgresql-k8s-0 to postgresql-k8s-1',
      ]);
      expectFinished(result);
    },
  });

  scenario('restarts a primary in place that has nobody to hand over to', {
    charm: underTest,
    given: async () =>
      await due({
        others: [1],
        members: [marked(primary(0)), { ...replica(1), role: 'replica' }],
      }),
    when: peersChanged,
    then: (result) => {
      expect(restartsOf(result)).toEqual(['Patroni restarted PostgreSQL of postgresql-k8s-0']);
      expectFinished(result);
    },
  });

  scenario('of a single unit is a restart in the hook that changed the configuration', {
    charm: underTest,
    given: async () => ({
      ...(await due({ others: [], members: [marked(primary(0))] })),
      config: { profile: 'testing' },
    }),
    when: configChanged,
    then: (result) => {
      expect(restartsOf(result)).toEqual(['Patroni restarted PostgreSQL of postgresql-k8s-0']);
      expectFinished(result);
      expect(result.state.unitStatus).toEqual({ level: 'active', message: 'Primary' });
    },
  });

  scenario('finds the marks that Patroni has forgotten', {
    charm: underTest,
    given: async () =>
      await due({
        members: [
          marked(primary(0)),
          { ...marked(replica(1)), pendingForgotten: true },
          replica(2),
        ],
      }),
    when: peersChanged,
    loosen: {
      killOutcome: {
        because: 'the primary goes to whoever is synchronous already',
        check: (reached) => {
          expectFinished({ state: reached });
          const { members } = reached.world.patroni;
          expect(members.find(({ role }) => role === 'leader')?.name).not.toBe('postgresql-k8s-0');
        },
      },
    },
    then: (result) => {
      expect(restartsOf(result)).toEqual([
        'Patroni restarted PostgreSQL of postgresql-k8s-1',
        'Patroni switched over from postgresql-k8s-0 to postgresql-k8s-1',
      ]);
      expectFinished(result);
    },
  });

  scenario('ends without a restart when no member turns out to need one', {
    charm: underTest,
    given: async () => await due({ members: [primary(0), replica(1), replica(2)] }),
    when: peersChanged,
    then: (result) => {
      expect(restartsOf(result)).toEqual([]);
      expectFinished(result);
    },
  });

  scenario('that a leader did not end is ended by the next one', {
    charm: underTest,
    given: async () => await due({ members: [marked(primary(0)), replica(1), marked(replica(2))] }),
    when: leaderElected,
    then: (result) => {
      expect(restartsOf(result)).toEqual([
        'Patroni restarted PostgreSQL of postgresql-k8s-2',
        'Patroni switched over from postgresql-k8s-0 to postgresql-k8s-1',
      ]);
      expectFinished(result);
    },
  });

  scenario('is done for marks that no option has led to, too', {
    charm: underTest,
    given: async () => {
      const given = await due({ members: [marked(primary(0)), marked(replica(1))], others: [1] });
      const peers = relationOf(given, 'database-peers');
      const localApp = { ...peers.localApp, config_hash: peers.localUnit['config_hash'] ?? '' };
      return { ...given, relations: [{ ...peers, localApp }] };
    },
    when: updateStatus,
    then: (result) => {
      expect(restartsOf(result)).toEqual([
        'Patroni restarted PostgreSQL of postgresql-k8s-1',
        'Patroni switched over from postgresql-k8s-0 to postgresql-k8s-1',
      ]);
      expectFinished(result);
    },
  });
});

describe('a round waits', () => {
  scenario('for units that have not taken over the configuration', {
    charm: underTest,
    given: async () => await due({ members: three, ofUnit1: { config_hash: 'an old one' } }),
    when: updateStatus,
    then: (result) => {
      expectWaiting(result);
      expect(result.state.unitStatus).toEqual({
        level: 'active',
        message: 'Primary (restart pending)',
      });
    },
  });

  scenario('for a member that is down', {
    charm: underTest,
    given: async () =>
      await due({ members: [marked(primary(0)), marked(replica(1)), replica(2, 'start failed')] }),
    when: peersChanged,
    then: (result) => {
      expectWaiting(result);
      expect(result.state.unitStatus.message).toBe('Primary (degraded, restart pending)');
    },
  });

  scenario('for a member that does not answer', {
    charm: underTest,
    given: async () =>
      await due({
        members: [marked(primary(0)), marked(replica(1)), { ...replica(2), silent: 'timeout' }],
      }),
    when: peersChanged,
    then: expectWaiting,
  });

  scenario('while failover is paused', {
    charm: underTest,
    given: async () => await due({ members: three, config: { pause: true } }),
    when: peersChanged,
    then: (result) => {
      expectWaiting(result);
      expect(result.state.unitStatus.message).toBe('Primary (failover paused, restart pending)');
    },
  });

  scenario('for a backup to end', {
    charm: underTest,
    given: async () =>
      inWorld(await due({ members: three }), {
        pgbackrest: { stanzas: [], backups: [], faults: {}, backupRuns: true },
      }),
    when: peersChanged,
    then: expectWaiting,
  });

  scenario('on a replica, which leaves it to the leader', {
    charm: underTest,
    given: async () => {
      const given = await running({ number: 1, others: [0], primary: 0 });
      return inWorld(given, {
        patroni: { members: [marked(primary(0)), marked(replica(1))] },
      });
    },
    when: updateStatus,
    then: ({ state: after, disturbances }) => {
      expect(disturbances).toEqual([]);
      expect(after.unitStatus).toEqual({ level: 'active', message: 'restart pending' });
    },
  });
});

const refused = { 'POST /restart postgresql-k8s-1': { status: 503, body: 'restart failed' } };

describe('a restart that fails', () => {
  scenario('is Blocked with its unit, and nobody else is restarted', {
    charm: underTest,
    given: async () => await due({ members: three, faults: refused }),
    when: peersChanged,
    loosen: { secondRun: 'what failed is tried again, and every member reads its file before' },
    then: (result) => {
      expectWaiting(result);
      expect(result.state.unitStatus).toEqual({
        level: 'blocked',
        message: 'failed to restart PostgreSQL on postgresql-k8s/1',
      });
    },
  });

  scenario('stays Blocked while the member is down', {
    charm: underTest,
    given: async () =>
      await due({
        members: [marked(primary(0)), replica(1, 'start failed'), marked(replica(2))],
        app: { 'restart-failure': 'postgresql-k8s/1' },
      }),
    when: updateStatus,
    then: (result) => {
      expectWaiting(result);
      expect(result.state.unitStatus.message).toBe(
        'failed to restart PostgreSQL on postgresql-k8s/1',
      );
    },
  });

  scenario('heals by itself when it succeeds later', {
    charm: underTest,
    given: async () => {
      const given = await due({ members: three, faults: refused });
      const failed = await afterEvents(given, peersChanged(given));
      return inWorld(failed, { patroni: { faults: {} } });
    },
    when: updateStatus,
    then: (result) => {
      expectFinished(result);
      expect(result.state.unitStatus.level).toBe('active');
    },
  });

  scenario('is none when only the answer was lost', {
    charm: underTest,
    given: async () =>
      await due({
        members: three,
        faults: {
          'POST /restart postgresql-k8s-1': { status: 200, body: '', happens: 'lost' },
          'POST /switchover': { status: 503, body: 'Switchover failed', happens: 'answered' },
        },
      }),
    when: peersChanged,
    then: expectFinished,
  });

  scenario('by a switchover that Patroni refuses is Blocked with the primary', {
    charm: underTest,
    given: async () =>
      await due({
        members: three,
        faults: { 'POST /switchover': { status: 412, body: 'no good candidates' } },
      }),
    when: peersChanged,
    loosen: { secondRun: 'what failed is tried again, and every member reads its file before' },
    then: ({ state: after }) => {
      expect(after.unitStatus).toEqual({
        level: 'blocked',
        message: 'failed to restart PostgreSQL on postgresql-k8s/0',
      });
      expect(after.world.patroni.members.filter((one) => one.pendingRestart)).toHaveLength(1);
    },
  });
});

scenario('a primary that lets nobody in is restarted all the same', {
  charm: underTest,
  given: async () =>
    inWorld(await due({ members: three }), {
      postgres: { fault: 'unreachable' },
    }),
  when: peersChanged,
  then: expectFinished,
});

describe('a member that was started again', () => {
  const notice = pebbleNotice('postgresql', 'postgresql.charm/on-restart');
  const startTime = '2026-01-31 11:00:00.000000+00:00';

  scenario('wakes the leader', {
    charm: underTest,
    given: async () => {
      const given = await running({ number: 1, others: [0], primary: 0 });
      const members = [primary(0), { ...replica(1), startTime }];
      return inWorld(given, { patroni: { members } });
    },
    when: notice,
    then: ({ state: after }) => {
      expect(relationOf(after, 'database-peers').localUnit['restarted']).toBe(startTime);
    },
  });

  scenario('lets the leader go on with its round', {
    charm: underTest,
    given: async () => await due({ members: [marked(primary(0)), replica(1), marked(replica(2))] }),
    when: notice,
    then: expectFinished,
    loosen: {
      differences: [
        {
          path: 'relations.0.localUnit.led-timeline',
          because: 'killed after the switchover the unit leads no more, and has nothing to tell',
        },
      ],
    },
  });
});
