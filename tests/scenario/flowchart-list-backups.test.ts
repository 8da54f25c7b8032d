// list-backups, along every edge of its flowchart.

import { expect } from '@jest/globals';

import { expectCompleteChart } from '../support/flowchart-record.ts';
import { action } from '../support/scenario/events.ts';
import { backedUp, inWorld, running, underTest } from '../support/scenario/postgresql/journey.ts';
import { type PostgresqlState, s3Relation } from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';

const listBackups = action('list-backups');
const stanza = 'test-model.patroni-postgresql-k8s';

scenario('the backups of the repository are shown as a table, the oldest first', {
  charm: underTest,
  given: async () =>
    inWorld(await backedUp(), {
      pgbackrest: {
        backups: [
          { label: '20260130-120000F_20260131-120000I', stanza },
          { label: '20260130-120000F', stanza },
          { label: '20260129-120000F', stanza, failed: true },
        ],
      },
    }),
  when: listBackups,
  then: ({ action: { results, failed } }) => {
    const lines = (results['backups'] ?? '').split('\n');

    expect(failed).toBeUndefined();
    expect(lines.slice(0, 3)).toEqual([
      'Storage bucket name: backups',
      'Backups base path: /postgresql/backup/',
      '',
    ]);
    expect(lines.slice(5).map((line) => line.split(' | ').slice(0, 4))).toEqual([
      [
        '2026-01-29T12:00:00Z',
        'full backup        ',
        expect.stringMatching(/^failed: /),
        'None                ',
      ],
      ['2026-01-30T12:00:00Z', 'full backup        ', 'finished', 'None                '],
      ['2026-01-31T12:00:00Z', 'incremental backup ', 'finished', '2026-01-30T12:00:00Z'],
    ]);
  },
});

scenario('of more backups than Juju takes the newest are shown', {
  charm: underTest,
  given: async () => {
    const backups = Array.from({ length: 1000 }, (_, hour) => {
      const time = new Date(Date.UTC(2025, 0, 1, hour)).toISOString();
      const label = time.slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
      return { label: `${label}F`, stanza };
    });
    return inWorld(await backedUp(), { pgbackrest: { backups } });
  },
  when: listBackups,
  then: ({ action: { results, failed } }) => {
    const lines = (results['backups'] ?? '').split('\n');

    expect(failed).toBeUndefined();
    expect(lines[2]).toBe(`Left out for want of room, the oldest: ${1000 - (lines.length - 5)}`);
    expect(lines.at(-1)).toMatch(/^2025-02-11T15:00:00Z \| full backup/);
    expect(results['backups-json']).toContain('"omitted_backups":');
  },
});

scenario('without a relation to an integrator there is no repository to list', {
  charm: underTest,
  given: async () => await running({ leader: true }),
  when: listBackups,
  then: ({ action: { failed } }) => {
    expect(failed).toBe('Relation with s3-integrator charm missing, cannot create/restore backup.');
  },
});

scenario('settings that the integrator has not given are named', {
  charm: underTest,
  given: async () =>
    await running({
      leader: true,
      relations: [{ ...s3Relation(), remoteAppData: { bucket: 'backups' } }],
    }),
  when: listBackups,
  then: ({ action: { failed } }) => {
    expect(failed).toBe('Missing S3 parameters: access-key, secret-key');
  },
});

scenario('settings that make no sense are named', {
  charm: underTest,
  given: async () =>
    await running({ leader: true, relations: [s3Relation({ fields: { endpoint: 'nowhere' } })] }),
  when: listBackups,
  then: ({ action: { failed } }) => {
    expect(failed).toBe('Invalid S3 parameters: endpoint is not an http or https URL: "nowhere"');
  },
});

scenario('what pgBackRest says against listing is shown', {
  charm: underTest,
  given: async () =>
    inWorld(await backedUp(), {
      pgbackrest: { faults: { info: 'ERROR: [029]: unable to find primary cluster' } },
    }),
  when: listBackups,
  then: ({ action: { failed } }) => {
    expect(failed).toBe(
      'Failed to list PostgreSQL backups with error: cannot run pgbackrest info: [029]: unable to find primary cluster',
    );
  },
});

/** The cells of the rows by their ids. */
function rowsOf(table: string | undefined): Readonly<Record<string, readonly string[]>> {
  const rows = (table ?? '').split('\n').slice(5);
  return Object.fromEntries(
    rows
      .map((row) => row.split(' | ').map((cell) => cell.trim()))
      .map(([id = '', ...rest]) => [id, rest]),
  );
}

const segmentFile = (timeline: number, number: number) => {
  const name = `0000000${timeline}000000000000000${number}`;
  return `${stanza}/17-1/${name.slice(0, 16)}/${name}-${'0a'.repeat(20)}.zst`;
};

const seconds = Date.UTC(2026, 0, 30, 13, 0, 0) / 1000;

/** WAL of two timelines, the second of which was begun at one o'clock. */
const twoTimelines = {
  ...Object.fromEntries([3, 4].map((one) => [segmentFile(1, one), { seconds: seconds - 60 }])),
  ...Object.fromEntries(
    [5, 6].map((one) => [segmentFile(2, one), { seconds: seconds + 60 * one }]),
  ),
  [`${stanza}/17-1/00000002.history`]: {
    seconds,
    text: '1\t0/5008000\tno recovery target specified\n',
  },
};

scenario('timelines have rows, and for programs there is what can be restored', {
  charm: underTest,
  given: async () =>
    inWorld(await backedUp(), {
      pgbackrest: {
        backups: [
          { label: '20260130-120000F', stanza },
          { label: '20260130-120000F_20260130-123000I', stanza },
        ],
        archive: twoTimelines,
      },
    }),
  when: listBackups,
  then: ({ action: { results, failed } }) => {
    expect(failed).toBeUndefined();
    expect(rowsOf(results['backups'])['2026-01-30T13:00:00Z']).toEqual([
      'restore',
      'finished',
      'None',
      'n/a',
      '2026-01-30T13:00:00Z',
      'n/a',
      '2',
      'n/a',
    ]);
    expect(JSON.parse(results['backups-json'] ?? '')).toMatchObject({
      repository: { bucket: 'backups', path: '/postgresql', encrypted: false },
      backups: [
        { id: '2026-01-30T12:00:00Z', type: 'full', status: 'finished', references: [] },
        {
          id: '2026-01-30T12:30:00Z',
          label: '20260130-120000F_20260130-123000I',
          stanza,
          type: 'incremental',
          status: 'finished',
          start: '2026-01-30T12:30:00Z',
          stop: '2026-01-30T12:30:10Z',
          size: 30_000_000,
          size_delta: 20_000_000,
          repo_size: null,
          repo_size_delta: 4_000_000,
          wal_start: '000000010000000000000003',
          wal_stop: '000000010000000000000003',
          timeline: 1,
          lsn_start: '0/3000028',
          lsn_stop: '0/3000120',
          references: ['2026-01-30T12:00:00Z'],
        },
      ],
      timelines: [{ id: '2026-01-30T13:00:00Z', stanza, timeline: 2, parent: 1 }],
      windows: [
        {
          stanza,
          timeline: 1,
          earliest: '2026-01-30T12:00:10Z',
          latest: '2026-01-30T12:59:00Z',
          from_backup: '2026-01-30T12:00:00Z',
        },
        {
          stanza,
          timeline: 2,
          earliest: '2026-01-30T12:00:10Z',
          latest: '2026-01-30T13:06:00Z',
          from_backup: '2026-01-30T12:00:00Z',
        },
      ],
    });
  },
});

const folder = `postgresql/backup/${stanza}`;

/** The state with further objects in the bucket. */
function withObjects(
  given: PostgresqlState,
  objects: Readonly<Record<string, string>>,
): PostgresqlState {
  const { buckets } = given.world.objectStore;
  return inWorld(given, {
    objectStore: { buckets: { ...buckets, backups: { ...buckets['backups'], ...objects } } },
  });
}

const failedLog = [
  'Stdout:',
  'P00   INFO: backup command begin 2.55.1: --stanza=x --type=diff',
  '',
  '',
  'Stderr:',
  'ERROR: [039]: HTTP request failed | with 403',
  '',
].join('\n');

scenario('a backup that failed has a row with what was wrong', {
  charm: underTest,
  given: async () =>
    withObjects(
      inWorld(await backedUp(), {
        pgbackrest: { backups: [{ label: '20260130-120000F', stanza }] },
      }),
      {
        [`${folder}/failed-2026-01-30T14:00:00Z/backup.log`]: failedLog,
        // The same attempt, as pgBackRest left it.
        [`${folder}/20260130-120000F_20260130-135900D/backup.manifest.copy`]: '',
        [`${folder}/20260130-120000F/backup.manifest`]: '',
        [`${folder}/2026-01-30T12:00:00Z/backup.log`]: 'Stdout:',
      },
    ),
  when: listBackups,
  then: ({ action: { results } }) => {
    const rows = rowsOf(results['backups']);

    expect(Object.keys(rows)).toEqual(['2026-01-30T12:00:00Z', '2026-01-30T14:00:00Z']);
    expect(rows['2026-01-30T14:00:00Z']).toEqual([
      'differential backup',
      'failed: [039]: HTTP request failed with 403',
      'None',
      'n/a / n/a',
      'n/a',
      '2026-01-30T14:00:00Z',
      'n/a',
      `/${stanza}/failed-2026-01-30T14:00:00Z`,
    ]);
    expect(JSON.parse(results['backups-json'] ?? '')).toMatchObject({
      backups: [
        { status: 'finished' },
        {
          status: 'failed',
          type: 'differential',
          error: '[039]: HTTP request failed | with 403',
          stop: '2026-01-30T14:00:00Z',
          label: null,
        },
      ],
    });
  },
});

scenario('a log without an error is told by its last line', {
  charm: underTest,
  given: async () =>
    withObjects(await backedUp(), {
      [`${folder}/failed-2026-01-30T14:00:00Z/backup.log`]: 'Stdout:\nkilled\n\nStderr:\n\n',
      [`${folder}/failed-2026-01-30T15:00:00Z/other.txt`]: '',
    }),
  when: listBackups,
  then: ({ action: { results } }) => {
    const rows = rowsOf(results['backups']);

    expect(rows['2026-01-30T14:00:00Z']?.slice(0, 2)).toEqual(['backup', 'failed: killed']);
    expect(rows['2026-01-30T15:00:00Z']?.[1]).toBe('failed: see its backup.log');
  },
});

const halfBackup = { [`${folder}/20260130-130000F/backup.manifest.copy`]: '' };

scenario('a backup that was interrupted has a row', {
  charm: underTest,
  given: async () => withObjects(await backedUp(), halfBackup),
  when: listBackups,
  then: ({ action: { results } }) => {
    expect(rowsOf(results['backups'])['2026-01-30T13:00:00Z']?.slice(0, 2)).toEqual([
      'full backup',
      'failed: interrupted',
    ]);
  },
});

const request = {
  [`${folder}/latest`]:
    'Date Backup Requested: 2026-01-30T12:59:58Z\nUnit Name: postgresql-k8s/1\n',
};

scenario('a backup that another unit is making is shown as running', {
  charm: underTest,
  given: async () =>
    inWorld(withObjects(await backedUp(), { ...halfBackup, ...request }), {
      pgbackrest: { backupRuns: true },
    }),
  when: listBackups,
  then: ({ action: { results } }) => {
    const rows = rowsOf(results['backups']);

    expect(rows['2026-01-30T13:00:00Z']).toEqual([
      'full backup',
      'running',
      'None',
      'n/a / n/a',
      '2026-01-30T13:00:00Z',
      'n/a',
      'n/a',
      `/${stanza}/20260130-130000F`,
    ]);
    expect(JSON.parse(results['backups-json'] ?? '')).toMatchObject({
      backups: [{ status: 'running', unit: 'postgresql-k8s/1', percent: null, stop: null }],
    });
  },
});

scenario('a backup that takes up what one that failed has left runs under the label of that', {
  charm: underTest,
  given: async () =>
    inWorld(
      withObjects(await backedUp(), {
        ...halfBackup,
        [`${folder}/failed-2026-01-30T13:30:00Z/backup.log`]: failedLog,
        [`${folder}/latest`]:
          'Date Backup Requested: 2026-01-30T14:00:00Z\nUnit Name: postgresql-k8s/1\n',
      }),
      { pgbackrest: { backupRuns: true } },
    ),
  when: listBackups,
  then: ({ action: { results } }) => {
    const rows = rowsOf(results['backups']);

    expect(Object.keys(rows)).toEqual(['2026-01-30T13:00:00Z', '2026-01-30T13:30:00Z']);
    expect(rows['2026-01-30T13:00:00Z']?.slice(0, 2)).toEqual(['full backup', 'running']);
    expect(rows['2026-01-30T13:00:00Z']?.at(-1)).toBe(`/${stanza}/20260130-130000F`);
    expect(rows['2026-01-30T13:30:00Z']?.[1]).toMatch(/^failed: /);
  },
});

scenario('a backup that has just begun has no label yet, and is shown by when it was asked for', {
  charm: underTest,
  given: async () =>
    inWorld(withObjects(await backedUp(), request), {
      pgbackrest: {
        backupRuns: true,
        backups: [{ label: '20260130-120000F', stanza }],
      },
    }),
  when: listBackups,
  then: ({ action: { results } }) => {
    expect(rowsOf(results['backups'])['2026-01-30T12:59:58Z']?.slice(0, 2)).toEqual([
      'backup',
      'running',
    ]);
  },
});

scenario('a backup that goes on in this pod shows how far it is', {
  charm: underTest,
  given: async () =>
    inWorld(withObjects(await backedUp(), { ...halfBackup, ...request }), {
      pgbackrest: { lock: { size: 1000, complete: 456 } },
    }),
  when: listBackups,
  then: ({ action: { results } }) => {
    expect(JSON.parse(results['backups-json'] ?? '')).toMatchObject({
      backups: [{ status: 'running', percent: 45 }],
    });
  },
});

scenario('a backup that may be running is neither called that nor interrupted', {
  charm: underTest,
  given: async () =>
    inWorld(withObjects(await backedUp(), { ...halfBackup, ...request }), {
      postgres: { fault: 'refused-login' },
    }),
  when: listBackups,
  then: ({ action: { results, failed } }) => {
    expect(failed).toBeUndefined();
    expect(rowsOf(results['backups'])).toEqual({});
  },
});

scenario('what pgBackRest lists is shown although the charm does not get at the storage', {
  charm: underTest,
  given: async () => {
    const given = await backedUp();
    const objectStore = { ...given.world.objectStore, fault: 'untrusted' as const };
    return inWorld(given, {
      objectStore,
      pgbackrest: { backups: [{ label: '20260130-120000F', stanza }] },
    });
  },
  when: listBackups,
  then: ({ action: { results, log } }) => {
    expect(Object.keys(rowsOf(results['backups']))).toEqual(['2026-01-30T12:00:00Z']);
    expect(log).toEqual([
      expect.stringMatching(/^backups that failed or run are not shown: .*Set tls-ca-chain/),
    ]);
  },
});

scenario('an archive that cannot be listed fails the action', {
  charm: underTest,
  given: async () =>
    inWorld(await backedUp(), { pgbackrest: { faults: { 'repo-ls': 'ERROR: [039]: HTTP 403' } } }),
  when: listBackups,
  then: ({ action: { failed } }) => {
    expect(failed).toBe(
      'Failed to list PostgreSQL backups with error: cannot run pgbackrest repo-ls: [039]: HTTP 403',
    );
  },
});

expectCompleteChart('list-backups');
