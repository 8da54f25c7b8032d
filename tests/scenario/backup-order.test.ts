// A due backup that the leader cannot make itself: it tells the unit that can, which makes it once, and
// takes note of what that says.

import { expect, test } from '@jest/globals';

import {
  configChanged,
  leaderElected,
  relationChanged,
  type Trigger,
  updateStatus,
} from '../support/scenario/events.ts';
import { withBags } from '../support/scenario/postgresql/cluster-restore.ts';
import {
  after as afterEvents,
  backedUp,
  fileOf,
  inContainer,
  inWorld,
  primary,
  replica,
  running,
  stanza,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import {
  type PostgresqlState,
  peer,
  s3Relation,
} from '../support/scenario/postgresql/postgresql.ts';
import {
  due,
  labelsOf,
  logged,
  metricsPath,
  overdue,
  programs,
  runsOf,
  scheduled,
  seconds,
  wakeOf,
  withOptions,
} from '../support/scenario/postgresql/schedules.ts';
import { run } from '../support/scenario/run.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { relationOf } from '../support/scenario/state.ts';

const peers = peer({ units: [1] });
const eleven = seconds('2026-01-31T11:00:00Z');
const given = { id: 'o1', unit: 'postgresql-k8s/1', type: 'full', due: eleven };
const made = { id: '2026-01-31T11:00:05Z', type: 'full', start: eleven + 5 };

const bagsOf = (state: PostgresqlState) => relationOf(state, 'database-peers');
const orderOf = (state: PostgresqlState): unknown =>
  JSON.parse(bagsOf(state).localApp['backup-order'] ?? 'null');
const answerOf = (state: PostgresqlState): unknown =>
  JSON.parse(bagsOf(state).localUnit['backup-answer'] ?? 'null');

/** Unit 0 leads, and is a replica; units 1 and 2 are there, and 1 is the primary. */
const leading = async () => await overdue({ others: [1, 2], primary: 1 });

/** At that time it has told unit 1. */
async function orderedAt(startMs: number, state: PostgresqlState): Promise<PostgresqlState> {
  const { state: told } = await run({ charm: underTest, state, event: due, startMs });
  return withBags(told, { app: { 'backup-order': JSON.stringify(given) } });
}

const waiting = async () => await orderedAt(Date.UTC(2026, 0, 31, 11, 5), await leading());

const answered = async (answer: Readonly<Record<string, unknown>>) =>
  withBags(await waiting(), {
    others: { 'backup-answer': JSON.stringify({ id: 'o1', ...answer }) },
  });

const laterId = {
  differences: [
    { path: 'relations.0.localApp.backup-order', because: 'the order was given later then' },
  ],
};

scenario('a leader that is no primary tells the primary, without certificates', {
  charm: underTest,
  given: leading,
  when: due,
  then: (result) => {
    expect(orderOf(result.state)).toEqual({ ...given, id: expect.any(String) });
    expect(runsOf(result)).toMatchObject({
      full: { due: eleven, delayed: 'postgresql-k8s/1 has not made it yet' },
    });
    expect(programs(result)).not.toContain('backup');
    expect(result.state.unitStatus.message).toBe('');
    // In the past: the watcher goes on waking.
    expect(wakeOf(result)).toBe('2026-01-31T11:00:00Z');
  },
  loosen: laterId,
});

scenario('a leader that is the primary tells a replica, with certificates', {
  charm: underTest,
  given: async () => withBags(await overdue({ others: [1, 2] }), { own: { tls: 'enabled' } }),
  when: due,
  then: ({ state }) => {
    expect(orderOf(state)).toMatchObject({ unit: 'postgresql-k8s/1' });
  },
  loosen: laterId,
});

scenario('when the primary has moved before it began, another one is told', {
  charm: underTest,
  given: async () =>
    inWorld(await waiting(), { patroni: { members: [replica(0), replica(1), primary(2)] } }),
  when: due,
  then: ({ state }) => {
    expect(orderOf(state)).toMatchObject({ unit: 'postgresql-k8s/2' });
  },
  loosen: laterId,
});

scenario('a leader that has become the primary makes it itself', {
  charm: underTest,
  given: async () =>
    inWorld(await waiting(), { patroni: { members: [primary(0), replica(1), replica(2)] } }),
  when: due,
  then: (result) => {
    expect(orderOf(result.state)).toBeNull();
    expect(labelsOf(result)).toEqual(['20260131-120000F']);
  },
  loosen: {
    differences: [
      { path: 'world.objectStore.buckets', because: "the backup's log went with the hook" },
      { path: 'relations.0.localApp.last-backup', because: 'somebody looked later then' },
    ],
  },
});

scenario(
  'while the backup that was told is made, nothing is missed, however often the time comes',
  {
    charm: underTest,
    given: async () => {
      const often = await scheduled(
        { backup_schedule_full: '*/10 * * * *' },
        { others: [1, 2], primary: 1 },
      );
      const told = await orderedAt(Date.UTC(2026, 0, 31, 10, 15), often);
      return inWorld(told, { pgbackrest: { backupRuns: true } });
    },
    when: due,
    then: ({ state, log }) => {
      expect(orderOf(state)).toEqual(given);
      expect(log.filter(({ level }) => level === 'WARNING')).toEqual([]);
      expect(state.unitStatus.message).toBe('');
    },
  },
);

scenario('what nobody has begun by the next time is missed', {
  charm: underTest,
  given: async () =>
    await orderedAt(
      Date.UTC(2026, 0, 31, 10, 55),
      await scheduled({ backup_schedule_full: '50 * * * *' }, { others: [1, 2], primary: 1 }),
    ),
  when: due,
  then: ({ state }) => {
    expect(orderOf(state)).toMatchObject({ unit: 'postgresql-k8s/1' });
    expect(state.unitStatus.message).toBe(
      'backup missed: full due 2026-01-31T10:50:00Z (postgresql-k8s/1 has not made it yet)',
    );
  },
  loosen: laterId,
});

const hearing = [
  ['relation-changed', relationChanged(peers, 'postgresql-k8s/1')],
  ['leader-elected', leaderElected],
  ['update-status', updateStatus],
  ['backup-due', due],
] as const;

for (const [what, event] of hearing) {
  scenario(`what was made is taken note of, with ${what}`, {
    charm: underTest,
    given: async () => await answered({ made }),
    when: event,
    then: (result) => {
      expect(orderOf(result.state)).toBeNull();
      expect(wakeOf(result)).toBe('2026-02-01T11:00:00Z');
      expect(logged(result)).toContain(
        'INFO 2026-01-31T11:00:05Z is the full backup of 2026-01-31T11:00:00Z',
      );
      expect(programs(result)).not.toContain('backup');
    },
  });
}

/** The same, and its own container is down. */
const withoutContainer = (state: PostgresqlState): PostgresqlState =>
  inContainer(state, () => ({ canConnect: false, services: {} }));

scenario('a leader without its container tells the primary with update-status', {
  charm: underTest,
  given: async () =>
    inWorld(withoutContainer(await leading()), {
      patroni: { members: [primary(1), replica(2)] },
    }),
  when: updateStatus,
  then: (result) => {
    expect(orderOf(result.state)).toMatchObject({ unit: 'postgresql-k8s/1', type: 'full' });
    expect(runsOf(result)).toMatchObject({
      full: { due: eleven, delayed: 'postgresql-k8s/1 has not made it yet' },
    });
  },
  loosen: laterId,
});

scenario('a leader without its container hears what was made', {
  charm: underTest,
  given: async () => withoutContainer(await answered({ made })),
  when: relationChanged(peers, 'postgresql-k8s/1'),
  then: (result) => {
    expect(orderOf(result.state)).toBeNull();
    expect(runsOf(result)).toEqual({
      full: { cron: '0 11 * * *', next: seconds('2026-02-01T11:00:00Z') },
    });
  },
});

scenario('what only a leader without its container could make waits for that', {
  charm: underTest,
  given: async () => withoutContainer(await overdue()),
  when: updateStatus,
  then: (result) => {
    expect(orderOf(result.state)).toBeNull();
    expect(runsOf(result)).toMatchObject({
      full: { due: eleven, delayed: 'the workload container of the leader is down' },
    });
  },
});

scenario('what the unit says against it is shown by the leader, and tried again', {
  charm: underTest,
  given: async () => await answered({ failure: 'no WAL' }),
  when: relationChanged(peers, 'postgresql-k8s/1'),
  then: ({ state }) => {
    expect(orderOf(state)).toBeNull();
    expect(state.unitStatus.message).toBe('backup missed: full due 2026-01-31T11:00:00Z (no WAL)');
    expect(fileOf(state, '/run/charm-backup-due')).toBe('2026-01-31T12:15:00Z');
  },
  loosen: {
    differences: [
      { path: 'relations.0.localApp.backup-schedule', because: 'a retry follows the attempt' },
      {
        path: 'containers.postgresql.files./run/charm-backup-due',
        because: 'as above, it is later',
      },
    ],
  },
});

scenario('a unit that has to wait is told again', {
  charm: underTest,
  given: async () => await answered({ waits: 'failover is paused' }),
  when: due,
  then: ({ state }) => {
    expect(orderOf(state)).toEqual({ ...given, id: expect.not.stringMatching(/^o1$/) });
    expect(state.unitStatus.message).toBe('');
  },
  loosen: laterId,
});

scenario('the word of a unit that is gone is waited for no longer', {
  charm: underTest,
  given: async () => {
    const told = await waiting();
    const alone = { ...given, unit: 'postgresql-k8s/9' };
    return withBags(told, { app: { 'backup-order': JSON.stringify(alone) } });
  },
  when: due,
  then: ({ state }) => {
    expect(orderOf(state)).toMatchObject({ unit: 'postgresql-k8s/1' });
  },
  loosen: laterId,
});

scenario('without schedules nobody is to make anything', {
  charm: underTest,
  given: async () => withOptions(await waiting(), { backup_schedule_full: '' }),
  when: configChanged,
  then: ({ state }) => {
    expect(orderOf(state)).toBeNull();
  },
});

/** Unit 1, which is the primary and does not lead, with this order. */
async function ordered(
  order: Readonly<Record<string, unknown>> = given,
  unit: Parameters<typeof running>[0] = {},
): Promise<PostgresqlState> {
  const s3 = s3Relation();
  const app = { stanza, 'backup-order': JSON.stringify(order) };
  const before = await running({
    number: 1,
    others: [0, 2],
    primary: 1,
    relations: [s3],
    ...unit,
    app: { stanza },
  });
  const ready = await afterEvents(before, relationChanged(s3));
  // The leader has made the bucket, and the stanza.
  const { objectStore } = (await backedUp()).world;
  return inWorld(withBags(ready, { app }), { objectStore, pgbackrest: { stanzas: [stanza] } });
}

const told = relationChanged(peer({ units: [0] }));

const killed = {
  differences: [
    { path: 'world.objectStore.buckets', because: "the backup's log went with the hook" },
    { path: 'relations.0.localUnit.last-backup', because: 'somebody looked later then' },
  ],
};

for (const [what, event] of [
  ['relation-changed', told],
  ['update-status', updateStatus],
] as const) {
  scenario(`the unit that is told makes the backup, once, with ${what}`, {
    charm: underTest,
    given: ordered,
    when: event,
    then: (result) => {
      expect(labelsOf(result)).toEqual(['20260131-120000F']);
      const start = seconds('2026-01-31T12:00:00Z');
      expect(answerOf(result.state)).toEqual({
        id: 'o1',
        made: { id: '2026-01-31T12:00:00Z', type: 'full', start },
      });
      expect(result.statusHistory).toContainEqual({
        level: 'maintenance',
        message: 'creating backup',
      });
      expect(result.state.unitStatus.message).toBe('Primary');
    },
    loosen: killed,
  });
}

scenario('a unit that is not told makes none', {
  charm: underTest,
  given: async () => await ordered({ ...given, unit: 'postgresql-k8s/2' }),
  when: told,
  then: (result) => {
    expect(labelsOf(result)).toEqual([]);
    expect(answerOf(result.state)).toBeNull();
  },
});

scenario('a unit that has said what became of it makes no other', {
  charm: underTest,
  given: async () =>
    withBags(await ordered(), { own: { 'backup-answer': JSON.stringify({ id: 'o1', made }) } }),
  when: told,
  then: (result) => {
    expect(labelsOf(result)).toEqual([]);
    expect(programs(result)).toEqual([]);
  },
});

scenario('a unit that is told while another backup is made has to wait', {
  charm: underTest,
  given: async () => inWorld(await ordered(), { pgbackrest: { backupRuns: true } }),
  when: told,
  then: (result) => {
    expect(labelsOf(result)).toEqual([]);
    expect(answerOf(result.state)).toEqual({ id: 'o1', waits: 'a backup is being made' });
  },
});

scenario('a unit that is no primary any more leaves it to the leader to tell the next one', {
  charm: underTest,
  given: async () =>
    inWorld(await ordered(), { patroni: { members: [primary(0), replica(1), replica(2)] } }),
  when: told,
  then: (result) => {
    expect(labelsOf(result)).toEqual([]);
    expect(answerOf(result.state)).toEqual({
      id: 'o1',
      waits: 'postgresql-k8s/0 has to make it now',
    });
  },
});

scenario('a unit that is told and has to refuse says why, and counts that', {
  charm: underTest,
  given: async () => inWorld(await ordered(), { objectStore: { fault: 'forbidden' } }),
  when: told,
  then: (result) => {
    expect(answerOf(result.state)).toEqual({
      id: 'o1',
      failure: expect.stringMatching(/^Failed to upload metadata to provided S3: /),
    });
    expect(fileOf(result.state, metricsPath)).toContain('postgresql_backup_failures_total 1\n');
  },
  loosen: {
    differences: [
      {
        path: `containers.postgresql.files.${metricsPath}`,
        because: 'each attempt that fails is counted',
      },
    ],
  },
});

/** These events in the afternoon, one after another. */
async function inTheAfternoon(state: PostgresqlState, ...events: readonly Trigger[]) {
  let reached = state;
  let startMs = Date.UTC(2026, 0, 31, 12, 0, 0);
  for (const event of events) {
    const result = await run({ charm: underTest, state: reached, event, startMs });
    reached = result.state;
    startMs = result.endMs + 60_000;
  }
  return reached;
}

test('a leader and the unit that it tells make one backup between them', async () => {
  const leader = await inTheAfternoon(await leading(), due, due);
  const order = JSON.stringify(orderOf(leader));
  const unit = withBags(await ordered(), { app: { 'backup-order': order } });
  const worker = await inTheAfternoon(unit, told, told, updateStatus);
  const answer = JSON.stringify(answerOf(worker));
  const heard = withBags(inWorld(leader, { pgbackrest: worker.world.pgbackrest }), {
    others: { 'backup-answer': answer },
  });

  const changed = relationChanged(peers, 'postgresql-k8s/1');
  const reached = await inTheAfternoon(heard, changed, due, updateStatus);

  expect(worker.world.pgbackrest.backups).toHaveLength(1);
  expect(reached.world.pgbackrest.backups).toHaveLength(1);
  expect(orderOf(reached)).toBeNull();
  expect(runsOf({ state: reached })).toEqual({
    full: { cron: '0 11 * * *', next: seconds('2026-02-01T11:00:00Z') },
  });
});

for (const [what, event] of [
  ['relation-changed', told],
  ['update-status', updateStatus],
] as const) {
  scenario(`a member that only starts makes its backup when it is up, with ${what}`, {
    charm: underTest,
    given: async () =>
      inWorld(await ordered(), {
        patroni: { members: [replica(0), { ...primary(1), state: 'starting' }, replica(2)] },
      }),
    when: event,
    then: (result) => {
      expect(labelsOf(result)).toEqual([]);
      expect(answerOf(result.state)).toBeNull();
    },
  });
}
