// Keys that are replaced while a restore reads with them.

import { expect } from '@jest/globals';

import { action, relationChanged } from '../support/scenario/events.ts';
import {
  after as afterEvents,
  fileOf,
  inWorld,
  underTest,
  withBackup,
} from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { type DataBag, relationOf } from '../support/scenario/state.ts';

const configFile = '/etc/pgbackrest.conf';

/** PostgreSQL fetches WAL; meanwhile the integrator has other settings. */
async function restoring(changed: DataBag): Promise<PostgresqlState> {
  const begun = await afterEvents(
    await withBackup(),
    action('restore', { 'backup-id': '2026-01-30T12:00:00Z' }),
  );
  const given = inWorld(begun, {
    patroni: { members: [], starts: 'running custom bootstrap script' },
  });
  const s3 = relationOf(given, 's3-parameters');
  const remoteAppData = { ...s3.remoteAppData, ...changed };
  return {
    ...given,
    relations: given.relations.map((one) => (one === s3 ? { ...s3, remoteAppData } : one)),
  };
}

const changedS3 = (given: PostgresqlState) => relationChanged(relationOf(given, 's3-parameters'));
const keys = { 'access-key': 'new-access-key', 'secret-key': 'new-secret-key' };

scenario('new keys reach a restore that runs', {
  charm: underTest,
  given: async () => await restoring(keys),
  when: changedS3,
  then: ({ state: after, walks, disturbances }) => {
    expect(fileOf(after, configFile)).toContain('repo1-s3-key-secret=new-secret-key\n');
    expect(walks[0]?.end).toBe('defer');
    expect(disturbances).toEqual([]);
    expect(after.unitStatus.message).toBe('restoring backup');
  },
});

for (const [setting, value] of [
  ['bucket', 'elsewhere'],
  ['path', '/elsewhere'],
  ['endpoint', 'https://elsewhere.example.com'],
] as const) {
  scenario(`another ${setting} waits for the end of the restore, with its keys`, {
    charm: underTest,
    given: async () => await restoring({ ...keys, [setting]: value }),
    when: changedS3,
    then: ({ state: after, walks }) => {
      const before = 'repo1-s3-key-secret=secret-key-of-tests\n';
      expect(fileOf(after, configFile)).toContain(before);
      expect(fileOf(after, configFile)).not.toContain('elsewhere');
      expect(walks[0]?.end).toBe('defer');
    },
  });
}
