// delete-backup: what goes, what speaks against it, and what is said afterwards.

import { expect } from '@jest/globals';

import { action } from '../support/scenario/events.ts';
import {
  backedUp,
  inWorld,
  running,
  stanza,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import { type PostgresqlState, s3Relation } from '../support/scenario/postgresql/postgresql.ts';
import type { PgbackrestWorld } from '../support/scenario/postgresql/world.ts';
import { type Scenario, scenario } from '../support/scenario/scenario.ts';

type Of = Scenario<unknown, PostgresqlState['world']>;

const full = '20260130-120000F';
const incremental = `${full}_20260130-130000I`;
const newer = '20260131-080000F';
const ids = { full: '2026-01-30T12:00:00Z', newer: '2026-01-31T08:00:00Z' };

const remove = (params: Readonly<Record<string, string | boolean>>) =>
  action('delete-backup', { dependents: false, force: false, ...params });

const segment = (name: string) =>
  `${stanza}/17-1/${name.slice(0, 16)}/${name}-${'0a'.repeat(20)}.zst`;
const oldSegment = segment('000000010000000000000002');
const newSegment = segment('000000010000000000000007');

function backups(
  labels: readonly string[],
  more: Partial<PgbackrestWorld> = {},
): () => Promise<PostgresqlState> {
  return async () => {
    const wal = (label: string) => `0000000100000000000000${label === newer ? '06' : '02'}`;
    return inWorld(await backedUp(), {
      pgbackrest: {
        stanzas: [stanza],
        backups: labels.map((label) => ({ label, stanza, wal: [wal(label), wal(label)] })),
        archive: { [oldSegment]: { seconds: 1 }, [newSegment]: { seconds: 2 } },
        ...more,
      },
    });
  };
}

function labelsOf({ world }: PostgresqlState): readonly string[] {
  return world.pgbackrest.backups.map(({ label }) => label);
}

// What has been deleted cannot be deleted again.
const onlyOnce: NonNullable<Of['loosen']> = {
  killOutcome: {
    because: 'the operator, who calls again, is told that it is gone',
    check: (reached) => {
      expect(labelsOf(reached)).not.toContain(incremental);
      expect(labelsOf(reached)).toContain(newer);
    },
  },
};

scenario('an incremental backup goes, and it is said how much that freed', {
  charm: underTest,
  given: backups([full, incremental, newer]),
  when: remove({ 'backup-id': '2026-01-30T13:00:00Z' }),
  then: ({ state, action: { results, failed } }) => {
    expect(failed).toBeUndefined();
    expect(labelsOf(state)).toEqual([full, newer]);
    expect(results).toEqual({
      deleted: '2026-01-30T13:00:00Z',
      'repo-bytes-before': '5000',
      'repo-bytes-after': '4000',
      'freed-bytes': '1000',
    });
  },
  loosen: onlyOnce,
});

scenario('a full backup goes with those that build on it, and with the WAL that nobody needs', {
  charm: underTest,
  given: backups([full, incremental, newer]),
  when: remove({ 'backup-id': ids.full, dependents: true }),
  then: ({ state, log, action: { results } }) => {
    expect(labelsOf(state)).toEqual([newer]);
    expect(Object.keys(state.world.pgbackrest.archive)).toEqual([newSegment]);
    expect(results).toMatchObject({
      deleted: `${ids.full}, 2026-01-30T13:00:00Z`,
      'freed-bytes': '3000',
    });
    expect(log.map(({ message }) => message).join('\n')).toContain(
      `delete-backup: remove expired backup ${full}`,
    );
  },
  loosen: onlyOnce,
});

scenario('the last full backup goes when that is forced, and leaves no half of it', {
  charm: underTest,
  given: backups([full, incremental]),
  when: remove({ 'backup-id': ids.full, dependents: true, force: true }),
  then: ({ state, action: { failed } }) => {
    expect(failed).toBeUndefined();
    expect(labelsOf(state)).toEqual([]);
  },
  loosen: {
    killOutcome: {
      because: 'the operator, who calls again, is told that it is gone',
      check: (reached) => {
        expect(labelsOf(reached)).toEqual([]);
      },
    },
  },
});

interface Refused {
  readonly what: string;
  readonly given: () => Promise<PostgresqlState>;
  readonly params?: Readonly<Record<string, string | boolean>>;
  readonly says: string | RegExp;
}

const refusals: readonly Refused[] = [
  {
    what: 'without an id',
    given: backups([full]),
    params: {},
    says: 'A backup-id needs to be provided to be able to delete a backup',
  },
  { what: 'of an unknown id', given: backups([newer]), says: `Invalid backup-id: ${ids.full}` },
  {
    what: 'of another cluster',
    given: backups([newer], {
      stanzas: [stanza, 'other.patroni-app'],
      backups: [{ label: full, stanza: 'other.patroni-app' }],
    }),
    says: `Invalid backup-id: ${ids.full}`,
  },
  {
    what: 'that others depend on',
    given: backups([full, incremental, newer]),
    says: /^Other backups depend on .*: 2026-01-30T13:00:00Z\. Use dependents=true/,
  },
  {
    what: 'that is the last full one',
    given: backups([full]),
    says: /is the last full backup that can be restored/,
  },
  {
    what: 'while another unit makes one',
    given: backups([full, newer], { backupRuns: true }),
    says: 'A backup is being made; run the action again when it has ended.',
  },
  {
    what: 'while the lock of this pod is held',
    given: backups([full, newer], { lock: { size: 1, complete: 0 } }),
    says: 'A backup is being made; run the action again when it has ended.',
  },
  {
    what: 'while the primary cannot be asked',
    given: async () =>
      inWorld(await backups([full, newer])(), { postgres: { fault: 'refused-login' } }),
    says: /^The primary does not answer/,
  },
  {
    what: 'that pgBackRest cannot list',
    given: backups([full], { faults: { info: 'ERROR: [039]: HTTP 403' } }),
    says: 'Failed to delete the backup: cannot run pgbackrest info: [039]: HTTP 403',
  },
  {
    what: 'that pgBackRest cannot delete',
    given: backups([full, newer], { faults: { expire: 'ERROR: [039]: HTTP 403' } }),
    says: 'Failed to delete the backup: cannot run pgbackrest expire: [039]: HTTP 403',
  },
  {
    what: 'without storage',
    given: async () => await running({ leader: true }),
    says: 'Relation with s3-integrator charm missing, cannot create/restore backup.',
  },
  {
    what: 'before the repository has been set up',
    given: async () => await running({ leader: true, relations: [s3Relation()] }),
    says: 'Stanza was not initialised',
  },
  {
    what: 'of a repository that nobody has looked at',
    given: async () => {
      const given = await backups([full, newer])();
      const moved = s3Relation({ fields: { path: '/of-others' } });
      return {
        ...given,
        relations: given.relations.map((one) => (one.id === moved.id ? moved : one)),
        unitStatus: { level: 'blocked', message: 'Extensions not in the image: vector' },
      };
    },
    says: 'The repository that the S3 settings name has not been set up yet; nothing has been deleted.',
  },
  {
    what: 'while one is restored',
    given: async () =>
      await running({
        leader: true,
        app: { stanza, 'restoring-backup': full },
        relations: [s3Relation()],
      }),
    says: 'A backup is being restored; nothing has been changed.',
  },
  {
    what: 'on a unit that is not the leader',
    given: async () =>
      await running({
        number: 1,
        others: [0],
        primary: 0,
        app: { stanza },
        relations: [s3Relation()],
      }),
    says: 'Only the leader deletes backups: run the action on it.',
  },
];

for (const { what, given, params = { 'backup-id': ids.full }, says } of refusals) {
  scenario(`a backup ${what} is not deleted`, {
    charm: underTest,
    given,
    when: remove(params),
    then: async ({ state, action: { failed = '' } }) => {
      if (typeof says === 'string') expect(failed).toBe(says);
      else expect(failed).toMatch(says);
      expect(state.world.pgbackrest).toEqual((await given()).world.pgbackrest);
    },
  });
}
