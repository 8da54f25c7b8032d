// list-backups where pgBackRest's own settings are not those of the relation.

import { expect } from '@jest/globals';

import { action } from '../support/scenario/events.ts';
import {
  backedUp,
  fileOf,
  inContainer,
  inWorld,
  stanza,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import { type PostgresqlState, s3Relation } from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';

const listBackups = action('list-backups');
const configPath = '/etc/pgbackrest.conf';
const label = '20260130-120000F';
const stored = { [`postgresql/backup/${stanza}/${label}/backup.manifest`]: '' };

/** Set up, and with one backup in this bucket. */
async function withBackup(bucket: string): Promise<PostgresqlState> {
  const given = await backedUp();
  const { buckets } = given.world.objectStore;
  return inWorld(given, {
    pgbackrest: { backups: [{ label, stanza }] },
    objectStore: { buckets: { ...buckets, [bucket]: { ...buckets[bucket], ...stored } } },
  });
}

scenario('without settings for pgBackRest they are written before it is asked', {
  charm: underTest,
  given: async () =>
    inContainer(await withBackup('backups'), ({ files: { [configPath]: _gone, ...files } }) => ({
      files,
    })),
  when: listBackups,
  then: ({ action: { results, failed } }) => {
    expect(failed).toBeUndefined();
    expect(results['backups']).toMatch(/^2026-01-30T12:00:00Z \| full backup {9}\| finished/m);
  },
});

scenario('in another bucket pgBackRest lists what the charm sees there', {
  charm: underTest,
  given: async () => {
    const given = await withBackup('elsewhere');
    const moved = s3Relation({ fields: { bucket: 'elsewhere' } }).remoteAppData;
    const relations = given.relations.map((one) =>
      one.endpoint === 's3-parameters' ? { ...one, remoteAppData: moved } : one,
    );
    return { ...given, relations };
  },
  when: listBackups,
  then: ({ state, action: { results } }) => {
    expect(results['backups']).toMatch(/^Storage bucket name: elsewhere\n/);
    expect(fileOf(state, configPath)).toContain('repo1-s3-bucket=elsewhere\n');
  },
});
