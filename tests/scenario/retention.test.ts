// Retention by age and by number: what the file of pgBackRest says, and that a change is applied at
// once, by the leader, when no backup is being made.

import { expect } from '@jest/globals';

import {
  configChanged,
  relationBroken,
  relationChanged,
  updateStatus,
} from '../support/scenario/events.ts';
import {
  after as afterEvents,
  backedUp,
  fileOf,
  inWorld,
  primary,
  replica,
  stanza,
  type Unit,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import { type PostgresqlState, s3Relation } from '../support/scenario/postgresql/postgresql.ts';
import type { PgbackrestWorld } from '../support/scenario/postgresql/world.ts';
import type { RunResult } from '../support/scenario/run.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { relationOf } from '../support/scenario/state.ts';

type Result = RunResult<PostgresqlState['world']>;

const labels = ['20251001-000000F', '20251101-000000F', '20251201-000000F', '20260130-000000F'];

/** A leader with four full backups, two, three and four months old, and one of yesterday. */
async function withBackups(
  more: Partial<PgbackrestWorld> = {},
  unit: Unit = {},
): Promise<PostgresqlState> {
  const backups = labels.map((label) => ({ label, stanza }));
  return inWorld(await backedUp(unit), { pgbackrest: { stanzas: [stanza], backups, ...more } });
}

function withOption(given: PostgresqlState, count: number): PostgresqlState {
  return { ...given, config: { ...given.config, backup_retention_full: count } };
}

/** What the storage's settings say about the age. */
function withDays(given: PostgresqlState, days: string): PostgresqlState {
  const relations = given.relations.map((one) =>
    one.endpoint === 's3-parameters'
      ? { ...one, remoteAppData: { ...one.remoteAppData, 'delete-older-than-days': days } }
      : one,
  );
  return { ...given, relations };
}

function kept({ state }: Result): readonly string[] {
  return state.world.pgbackrest.backups.map(({ label }) => label);
}

function expiries({ execs }: Result): number {
  const ran = execs['postgresql'] ?? [];
  return ran.filter(({ command }) => command.includes('expire')).length;
}

function logged({ log }: Result): string {
  return log.map(({ level, message }) => `${level} ${message}`).join('\n');
}

function remembered({ state }: Result): string | undefined {
  return relationOf(state, 'database-peers')?.localApp['retention-applied'];
}

const config = ({ state }: Result) => fileOf(state, '/etc/pgbackrest.conf') ?? '';

scenario('fewer backups to keep are fewer at once, and the log says which went', {
  charm: underTest,
  given: async () => withOption(await withBackups(), 2),
  when: configChanged,
  then: (result) => {
    expect(config(result)).toContain('repo1-retention-full=2\n');
    expect(config(result)).toContain('repo1-retention-full-type=count\n');
    expect(kept(result)).toEqual(labels.slice(2));
    expect(logged(result)).toContain(`INFO retention: remove expired backup ${labels[0]}`);
    expect(logged(result)).toContain('retention of 2 full backups has been applied');
    expect(remembered(result)).toBe('2 full backups');
  },
});

scenario('fewer days are applied as soon as the storage says so', {
  charm: underTest,
  given: async () => withDays(await withBackups(), '45'),
  when: () => relationChanged(s3Relation()),
  then: (result) => {
    expect(config(result)).toContain('repo1-retention-full=45\n');
    expect(config(result)).toContain('repo1-retention-full-type=time\n');
    // The newest of those that are too old covers the days before the next.
    expect(kept(result)).toEqual(labels.slice(2));
    expect(remembered(result)).toBe('45 days');
  },
});

scenario('of days and a number the number counts', {
  charm: underTest,
  given: async () => withOption(withDays(await withBackups(), '1'), 3),
  when: configChanged,
  then: (result) => {
    expect(kept(result)).toEqual(labels.slice(1));
    expect(remembered(result)).toBe('3 full backups');
  },
});

scenario('without the option the days count again', {
  charm: underTest,
  given: async () => {
    const applied = await afterEvents(withOption(await withBackups(), 4), configChanged);
    const { backup_retention_full: _unset, ...others } = applied.config;
    return { ...applied, config: others };
  },
  when: configChanged,
  then: (result) => {
    expect(config(result)).toContain('repo1-retention-full=9999999\n');
    expect(config(result)).toContain('repo1-retention-full-type=time\n');
    expect(kept(result)).toEqual(labels);
    expect(remembered(result)).toBe('9999999 days');
  },
});

scenario('another option changes nothing about backups', {
  charm: underTest,
  given: async () => {
    const applied = await afterEvents(withOption(await withBackups(), 3), configChanged);
    return { ...applied, config: { ...applied.config, profile: 'testing' } };
  },
  when: configChanged,
  then: (result) => {
    expect(expiries(result)).toBe(0);
  },
});

scenario('who never asked for less than everything has nothing deleted', {
  charm: underTest,
  given: withBackups,
  when: configChanged,
  then: (result) => {
    expect(expiries(result)).toBe(0);
    expect(remembered(result)).toBeUndefined();
  },
});

scenario('while an option is wrong, the retention stays as it is', {
  charm: underTest,
  given: async () => {
    const applied = await afterEvents(withOption(await withBackups(), 3), configChanged);
    return { ...withOption(applied, 1), config: { profile: 'huge', backup_retention_full: 1 } };
  },
  when: updateStatus,
  then: (result) => {
    expect(config(result)).toContain('repo1-retention-full=3\n');
    expect(kept(result)).toHaveLength(3);
  },
});

scenario('in a repository that nobody has looked at nothing is deleted', {
  charm: underTest,
  given: async () => {
    const given = withDays(await withBackups({}, { others: [1], primary: 1 }), '45');
    const relations = given.relations.map((one) =>
      one.endpoint === 's3-parameters'
        ? { ...one, remoteAppData: { ...one.remoteAppData, path: '/of-others' } }
        : one,
    );
    // The leader learns of it while its own database is down.
    const members = [replica(0, 'stopped'), primary(1)];
    return inWorld({ ...given, relations }, { patroni: { members } });
  },
  when: configChanged,
  then: (result) => {
    expect(expiries(result)).toBe(0);
    expect(kept(result)).toEqual(labels);
    expect(remembered(result)).toBeUndefined();
  },
});

const busy: readonly {
  readonly what: string;
  readonly world: Parameters<typeof inWorld>[1];
  readonly says: string;
}[] = [
  {
    what: 'a backup is being made',
    world: { pgbackrest: { backupRuns: true } },
    says: 'a backup is being made',
  },
  {
    what: 'the lock of this pod is held',
    world: { pgbackrest: { lock: { size: 1, complete: 0 } } },
    says: 'a backup is being made',
  },
  {
    what: 'the storage is away',
    world: { pgbackrest: { faults: { expire: 'ERROR: [039]: HTTP 503' } } },
    says: 'cannot run pgbackrest expire: [039]: HTTP 503',
  },
];

for (const { what, world, says } of busy) {
  scenario(`while ${what} a change of the retention waits`, {
    charm: underTest,
    given: async () => inWorld(withOption(await withBackups(), 1), world),
    when: configChanged,
    then: (result) => {
      expect(kept(result)).toEqual(labels);
      expect(logged(result)).toContain(
        `WARNING retention of 1 full backup is applied later: ${says}`,
      );
      expect(remembered(result)).toBe('pending');
    },
  });
}

scenario('what had to wait is applied by update-status', {
  charm: underTest,
  given: async () => {
    const before = inWorld(withOption(await withBackups(), 1), {
      pgbackrest: { backupRuns: true },
    });
    const waiting = await afterEvents(before, configChanged);
    const { backupRuns: _ended, ...repository } = waiting.world.pgbackrest;
    return { ...waiting, world: { ...waiting.world, pgbackrest: repository } };
  },
  when: updateStatus,
  then: (result) => {
    expect(kept(result)).toEqual(labels.slice(3));
    expect(remembered(result)).toBe('1 full backup');
  },
});

scenario('a quiet update-status does not look at the retention', {
  charm: underTest,
  given: async () => await afterEvents(withOption(await withBackups(), 3), configChanged),
  when: updateStatus,
  then: (result) => {
    const ran = (result.execs['postgresql'] ?? []).map(({ command }) => command.slice(0, 2));
    expect(ran.filter(([program]) => program === 'pgbackrest')).toEqual([]);
  },
});

scenario('a unit that does not lead writes the file, and deletes nothing', {
  charm: underTest,
  given: async () => ({ ...withOption(await withBackups(), 1), leader: false }),
  when: configChanged,
  then: (result) => {
    expect(config(result)).toContain('repo1-retention-full=1\n');
    expect(expiries(result)).toBe(0);
    expect(kept(result)).toEqual(labels);
  },
});

/** Pointed to another repository, with as many backups. */
async function movedTo(given: PostgresqlState): Promise<PostgresqlState> {
  const moved = s3Relation({ fields: { path: '/elsewhere' } });
  const relations = given.relations.map((one) => (one.id === moved.id ? moved : one));
  const { pgbackrest } = (await withBackups()).world;
  return inWorld({ ...given, relations }, { pgbackrest });
}

const applied = async () => await afterEvents(withOption(await withBackups(), 2), configChanged);

scenario('another repository gets the retention that is in force', {
  charm: underTest,
  given: async () => await movedTo(await applied()),
  when: () => relationChanged(s3Relation()),
  then: (result) => {
    expect(kept(result)).toEqual(labels.slice(2));
    expect(remembered(result)).toBe('2 full backups');
  },
});

scenario('so does another one that comes after a time without any', {
  charm: underTest,
  given: async () => {
    const given = await applied();
    const [s3, ...others] = given.relations.toReversed();
    if (s3?.endpoint !== 's3-parameters') throw new Error('the relation is not the last one');
    const going = { ...given, relations: [...others, { ...s3, remoteUnits: {} }] };
    const without = await afterEvents(going, relationBroken(s3));
    return await movedTo({ ...without, relations: [...others, s3] });
  },
  when: () => relationChanged(s3Relation()),
  then: (result) => {
    expect(kept(result)).toEqual(labels.slice(2));
    expect(remembered(result)).toBe('2 full backups');
  },
});

scenario('the same repository is not looked through again', {
  charm: underTest,
  given: applied,
  when: () => relationChanged(s3Relation()),
  then: (result) => {
    expect(expiries(result)).toBe(0);
    expect(remembered(result)).toBe('2 full backups');
  },
});
