// list-backups, along every edge of its flowchart.

import { expect } from '@jest/globals';

import { expectCompleteChart } from '../support/flowchart-record.ts';
import { action } from '../support/scenario/events.ts';
import { backedUp, inWorld, running, underTest } from '../support/scenario/postgresql/journey.ts';
import { s3Relation } from '../support/scenario/postgresql/postgresql.ts';
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

expectCompleteChart('list-backups');
