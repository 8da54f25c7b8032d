// verify-backups: what is found, what the trial restore says, what speaks against it, and that nothing
// of it stays.

import { expect } from '@jest/globals';

import { fileEntry } from '../support/pebble-state.ts';
import { action, pebbleNotice, updateStatus } from '../support/scenario/events.ts';
import {
  backedUp,
  fileOf,
  inContainer,
  inWorld,
  running,
  stanza,
  underTest,
  withBackup,
} from '../support/scenario/postgresql/journey.ts';
import { type PostgresqlState, s3Relation } from '../support/scenario/postgresql/postgresql.ts';
import type { world } from '../support/scenario/postgresql/world.ts';
import { scenario } from '../support/scenario/scenario.ts';

const full = '20260130-120000F';
const incremental = `${full}_20260130-130000I`;
const newer = '20260131-080000F';
const ids = { full: '2026-01-30T12:00:00Z', newer: '2026-01-31T08:00:00Z' };

const verify = (params: Readonly<Record<string, string | boolean>> = {}) =>
  action('verify-backups', { 'trial-restore': true, ...params });

const name = (number: number) => `00000001000000000000000${number}`;
const file = (number: number) => `17-1/0000000100000000/${name(number)}-${'0a'.repeat(20)}.zst`;
const segments = (...numbers: readonly number[]) =>
  Object.fromEntries(numbers.map((number) => [`${stanza}/${file(number)}`, { seconds: number }]));

type Part = Parameters<typeof world>[0];

/** Two full backups, one of which another builds on, and all WAL. */
function repository(change: Part = {}, unit = {}): () => Promise<PostgresqlState> {
  return async () =>
    inWorld(await backedUp(unit), {
      ...change,
      pgbackrest: {
        stanzas: [stanza],
        backups: [
          { label: full, stanza, wal: [name(2), name(2)] },
          { label: incremental, stanza, wal: [name(4), name(4)] },
          { label: newer, stanza, wal: [name(6), name(6)] },
        ],
        archive: segments(2, 3, 4, 5, 6, 7),
        ...change.pgbackrest,
      },
    });
}

const trialFiles = ({ containers }: PostgresqlState) =>
  Object.keys(containers['postgresql']?.files ?? {}).filter((path) =>
    path.includes('/trial-restore'),
  );

const withAmcheck = { availableExtensions: ['plpgsql', 'amcheck'] };

scenario('a sound repository is, and its newest backup becomes a database', {
  charm: underTest,
  given: repository({ postgres: withAmcheck }),
  when: verify(),
  then: async ({ state, action: { results, failed } }) => {
    expect(failed).toBeUndefined();
    expect(results).toEqual({
      verified: 'ok',
      backups: '3 ok, 0 failed',
      'trial-restore': expect.stringMatching(
        /^ok: 2026-01-31T08:00:00Z, \d+ s, 30000000 bytes, checked by pg_amcheck$/,
      ),
    });
    expect(trialFiles(state)).toEqual([]);
    expect(state.world.pgbackrest).toEqual((await repository()()).world.pgbackrest);
  },
});

scenario('without amcheck the checksums of the pages are looked at', {
  charm: underTest,
  given: repository(),
  when: verify({ 'backup-id': ids.full }),
  then: ({ action: { results } }) => {
    expect(results).toMatchObject({
      'trial-restore': expect.stringMatching(/^ok: 2026-01-30T12:00:00Z, .* by pg_checksums$/),
    });
  },
});

scenario('without a trial nothing is restored', {
  charm: underTest,
  given: repository({ volume: { freeBytes: 0 } }),
  when: verify({ 'trial-restore': false }),
  then: ({ action: { results, failed } }) => {
    expect(failed).toBeUndefined();
    expect(results).toMatchObject({ verified: 'ok', 'trial-restore': 'not made' });
  },
});

scenario('a replica verifies, and says nothing of the primary', {
  charm: underTest,
  given: repository({}, { others: [1], primary: 1 }),
  when: verify(),
  then: ({ action: { results, log } }) => {
    expect(results).toMatchObject({ verified: 'ok' });
    expect(log.join('\n')).not.toContain('is the primary');
  },
});

scenario('the primary verifies, and says who had better', {
  charm: underTest,
  given: repository({}, { others: [1] }),
  when: verify(),
  then: ({ action: { results, log } }) => {
    expect(results).toMatchObject({ verified: 'ok' });
    expect(log.join('\n')).toContain('on a replica clients would not notice');
  },
});

interface Damage {
  readonly what: string;
  readonly world: Part;
  readonly backups: string;
  readonly problems: readonly (string | RegExp)[];
  readonly trial?: RegExp;
}

const damages: readonly Damage[] = [
  {
    what: 'a damaged file of a backup, on which another builds',
    world: { pgbackrest: { damaged: { [`${full}/bundle/1`]: 'invalid checksum' } } },
    backups: '1 ok, 2 failed',
    problems: [
      `backup ${ids.full}: 1 of 966 files cannot be relied on (checksum invalid: 1): bundle/1`,
      `backup 2026-01-30T13:00:00Z: builds on ${ids.full}`,
    ],
    trial: /^ok: 2026-01-31T08/,
  },
  {
    what: 'a backup without its manifest',
    world: {
      pgbackrest: {
        backups: [{ label: newer, stanza, wal: [name(6), name(6)], manifestGone: true }],
      },
    },
    backups: '0 ok, 1 failed',
    problems: [
      `backup ${ids.newer}: manifest missing`,
      'no backup is sound enough to be restored on trial',
    ],
    trial: /^not ok$/,
  },
  {
    what: 'WAL that a backup cannot do without is missing',
    world: { pgbackrest: { archive: segments(2, 3, 4, 5, 7) } },
    backups: '2 ok, 1 failed',
    problems: [
      new RegExp(`^backup ${ids.newer}: WAL that it cannot do without is missing`),
      new RegExp(`timeline 1 lacks ${name(6)}, no time behind it`),
    ],
    trial: /^ok: 2026-01-30T13/,
  },
  {
    what: 'WAL between two backups is missing',
    world: { pgbackrest: { archive: segments(2, 4, 5, 6, 7) } },
    backups: '3 ok, 0 failed',
    problems: [new RegExp(`timeline 1 lacks ${name(3)}, no time behind it`)],
    trial: /^ok: /,
  },
  {
    what: 'damaged WAL of a backup',
    world: { pgbackrest: { damaged: { [file(6)]: 'invalid checksum' } } },
    backups: '2 ok, 1 failed',
    problems: [
      `backup ${ids.newer}: WAL that it cannot do without is damaged: ${name(6)}`,
      `WAL archive 17-1: 1 of 6 files cannot be relied on (checksum invalid: 1): ${name(6)}`,
    ],
    trial: /^ok: /,
  },
  {
    what: 'a backup that pgBackRest cannot restore',
    world: { pgbackrest: { faults: { restore: 'ERROR: [029]: error restoring base/1' } } },
    backups: '3 ok, 0 failed',
    problems: [
      `trial restore of ${ids.newer}: cannot run pgbackrest restore: [029]: error restoring base/1`,
    ],
    trial: /^not ok$/,
  },
  {
    what: 'data on which PostgreSQL does not start',
    world: { volume: { trial: { start: 'could not locate a valid checkpoint record' } } },
    backups: '3 ok, 0 failed',
    problems: [/PostgreSQL does not start: FATAL: +could not locate a valid checkpoint record/],
    trial: /^not ok$/,
  },
  {
    what: 'tables that are damaged',
    world: {
      postgres: withAmcheck,
      volume: { trial: { amcheck: 'heap table "app.public.t", block 3: invalid' } },
    },
    backups: '3 ok, 0 failed',
    problems: [/pg_amcheck: heap table "app\.public\.t", block 3: invalid$/],
    trial: /^not ok$/,
  },
  {
    what: 'pages that are damaged',
    world: { volume: { trial: { checksums: 'checksum verification failed in file "1"' } } },
    backups: '3 ok, 0 failed',
    problems: [/pg_checksums: checksum verification failed in file "1"$/],
    trial: /^not ok$/,
  },
];

for (const { what, world: part, backups, problems, trial } of damages) {
  scenario(`${what}: found, and the action fails`, {
    charm: underTest,
    given: repository(part),
    when: verify(),
    then: ({ state, action: { results, failed } }) => {
      const found = results['problems']?.split('\n') ?? [];
      expect(found).toHaveLength(problems.length);
      for (const [index, problem] of problems.entries()) {
        if (typeof problem === 'string') expect(found[index]).toBe(problem);
        else expect(found[index]).toMatch(problem);
      }
      expect(results).toMatchObject({ verified: 'problems', backups });
      expect(results['trial-restore']).toMatch(trial ?? /^/);
      expect(failed).toBe(`The backups have problems (${problems.length}): ${found[0]}`);
      expect(trialFiles(state)).toEqual([]);
    },
  });
}

scenario('a backup that is damaged is not restored because somebody names it', {
  charm: underTest,
  given: repository({ pgbackrest: { damaged: { [`${full}/bundle/1`]: 'file missing' } } }),
  when: verify({ 'backup-id': ids.full }),
  then: ({ action: { results } }) => {
    expect(results['trial-restore']).toBe(
      'not made: that backup is damaged, or was deleted meanwhile',
    );
  },
});

const owner = { user: 'postgres', group: 'postgres', mode: '0600' };
const place = '/var/lib/postgresql/data/trial-restore';

/** A trial that was cut short, with a server that still runs. */
function interrupted(given: PostgresqlState): PostgresqlState {
  return inContainer(given, ({ files }) => ({
    files: {
      ...files,
      [`${place}/pgdata/PG_VERSION`]: fileEntry('17\n', owner),
      [`${place}/pgdata/postmaster.pid`]: fileEntry(`4242\n${place}/pgdata\n`, owner),
      '/run/charm-watch.json': fileEntry(JSON.stringify({ fences: [], trial: true })),
    },
  }));
}

for (const [what, event] of [
  ['update-status', updateStatus],
  ["the watcher's notice", pebbleNotice('postgresql', 'postgresql.charm/trial-left')],
] as const) {
  scenario(`what a trial has left that was cut short goes with ${what}`, {
    charm: underTest,
    given: async () => interrupted(await repository()()),
    when: event,
    then: ({ state, log }) => {
      expect(trialFiles(state)).toEqual([]);
      expect(log.map(({ message }) => message)).toContain(
        'a trial restore that was cut short has been removed',
      );
    },
  });
}

scenario('a server of a trial that does not end is left alone, and tried again', {
  charm: underTest,
  given: async () => interrupted(await repository({ volume: { trial: { hangs: true } } })()),
  when: updateStatus,
  then: ({ state, log }) => {
    expect(trialFiles(state)).not.toEqual([]);
    expect(log.map(({ message }) => message)).toContain(
      'a trial restore is removed later: the PostgreSQL of the trial does not end',
    );
  },
});

scenario('one that was cut short does not keep the next from being made', {
  charm: underTest,
  given: async () => interrupted(await repository()()),
  when: verify(),
  then: ({ state, action: { results } }) => {
    expect(results).toMatchObject({
      verified: 'ok',
      'trial-restore': expect.stringMatching(/^ok/),
    });
    expect(trialFiles(state)).toEqual([]);
  },
});

scenario('room that has gone while all was read is missed before anything is restored', {
  charm: underTest,
  given: repository(),
  when: verify(),
  execs: () => {
    let looks = 0;
    return {
      postgresql: [
        {
          command: ['df', '--block-size=1', '--output=avail,size'],
          respond: () => {
            looks += 1;
            // Each verification looks twice.
            return { stdout: `Avail 1B-blocks\n${looks % 2 === 1 ? 2 ** 40 : 0} ${2 ** 41}\n` };
          },
        },
      ],
    };
  },
  then: ({ state, execs, action: { failed, results } }) => {
    expect(results).toMatchObject({
      verified: 'ok',
      'trial-restore': expect.stringMatching(/^not made: There is no room for a trial restore/),
    });
    expect(failed).toMatch(/^All was read, and nothing tried: There is no room/);
    expect(execs['postgresql']?.map(({ command }) => command.at(-1))).not.toContain('restore');
    expect(trialFiles(state)).toEqual([]);
  },
  loosen: { killChecks: 'who begins again in between looks at another number of the sequence' },
});

scenario('what a trial has left does not make a restore give up the data of before', {
  charm: underTest,
  given: async () => interrupted(await withBackup()),
  when: action('restore', { 'backup-id': ids.full }),
  execs: () => ({
    postgresql: [
      {
        command: ['df', '--block-size=1', '--output=avail'],
        respond: (_call, fake) => {
          const left = Object.keys(fake.state().files).some((path) => path.startsWith(place));
          return { stdout: `Avail\n${left ? 100_000_000 : 2 ** 40}\n` };
        },
      },
    ],
  }),
  then: ({ state, action: { failed, log } }) => {
    expect(failed).toBeUndefined();
    expect(log).toEqual([]);
    expect(trialFiles(state)).toEqual([]);
    const aside = '/var/lib/postgresql/data/pgdata-before-restore/PG_VERSION';
    expect(fileOf(state, aside)).toBeDefined();
  },
  loosen: {
    secondRun: 'a restore that is under way is not ordered again',
    killChecks: 'as in the scenarios of the restore itself',
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
    what: 'while a backup is restored',
    given: async () =>
      await running({
        leader: true,
        app: { stanza, 'restoring-backup': full },
        relations: [s3Relation()],
      }),
    says: 'A backup is being restored; nothing has been verified.',
  },
  {
    what: 'while this unit makes a backup',
    given: repository({ pgbackrest: { lock: { size: 1, complete: 0 } } }),
    says: 'A backup is being made; run the action again when it has ended.',
  },
  {
    what: 'without backups',
    given: repository({ pgbackrest: { backups: [] } }),
    says: 'There is no backup to verify: create-backup makes one.',
  },
  {
    what: 'of an unknown id',
    given: repository(),
    params: { 'backup-id': '2020-01-01T00:00:00Z' },
    says: 'Invalid backup-id: 2020-01-01T00:00:00Z',
  },
  {
    what: 'with an id and no trial',
    given: repository(),
    params: { 'backup-id': ids.full, 'trial-restore': false },
    says: /^backup-id says what is restored on trial/,
  },
  {
    what: 'without room for the trial',
    given: repository({ volume: { freeBytes: 4 * 2 ** 30 } }),
    says: 'There is no room for a trial restore on the volume: it takes 157 MiB, and a fifth of the volume has to stay free (4096 MiB); 4096 MiB are free. Use trial-restore=false, or a unit with more room',
  },
  {
    what: 'that pgBackRest cannot list',
    given: repository({ pgbackrest: { faults: { info: 'ERROR: [039]: HTTP 403' } } }),
    says: 'Failed to verify the backups: cannot run pgbackrest info: [039]: HTTP 403',
  },
  {
    what: 'that pgBackRest cannot read',
    given: repository({ pgbackrest: { faults: { verify: 'ERROR: [039]: HTTP 403' } } }),
    says: 'Failed to verify the backups: cannot run pgbackrest verify: [039]: HTTP 403',
  },
  {
    what: 'while the container is away',
    given: async () => inContainer(await repository()(), () => ({ canConnect: false })),
    says: 'Workload container not ready yet!',
  },
];

for (const { what, given, params = {}, says } of refusals) {
  scenario(`backups are not verified: ${what}`, {
    charm: underTest,
    given,
    when: verify(params),
    then: async ({ state, action: { failed = '', results } }) => {
      if (typeof says === 'string') expect(failed).toBe(says);
      else expect(failed).toMatch(says);
      expect(results).toEqual({});
      expect(trialFiles(state)).toEqual([]);
      expect(state.world.pgbackrest).toEqual((await given()).world.pgbackrest);
    },
  });
}
